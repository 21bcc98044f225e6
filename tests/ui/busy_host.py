"""A host of 12 microVMs with all that one may have, and other values at every look."""

from mvtui.model.definition import Volume
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth, Snapshot, VolumeStatus
from mvtui.model.process import ProcessSample
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitKind, UnitStatus, unit_name
from tests.ui.samples import GIB, LAB, MIB, ago, microvm, overlay, shares, snapshot

KINDS = (UnitKind.SET_BOOTED, UnitKind.TAP, UnitKind.VIRTIOFSD, UnitKind.HYPERVISOR)
NOTE = Finding(
    Severity.WARNING, "volume data.img", "disk 96%", "The volume data.img is 96% full.", "", "make it larger"
)


def process(name: str, pid: int, *argv: str, kind: UnitKind = UnitKind.VIRTIOFSD, ppid: int = 1) -> ProcessSample:
    return ProcessSample(
        pid=pid,
        ppid=ppid,
        microvm=name,
        unit=unit_name(kind, name),
        argv=argv,
        exe=argv[0],
        uid=990,
        started=ago(hours=pid % 50 + 2),
        cpu_seconds=1.0,
        cpu_percent=0.1,
        rss=(3 + pid % 7) * MIB,
        threads=4 + pid % 5,
        open_files=40 + pid % 60,
        open_files_limit=1024,
    )


def busy(number: int) -> MicroVM:
    """A running microVM with six processes in four units, three shares and two volumes."""
    name, pid = f"vm{number:02}", 4100 + 10 * number
    daemons = [
        process(
            name,
            pid + 2 + index,
            f"/nix/store/{index}x7c2q3kz0r4d9-virtiofsd-1.13.2/bin/virtiofsd",
            f"--socket-path={name}-virtiofs-{tag}.sock",
            f"--shared-dir=/srv/{name}-{tag}",
            "--socket-group=kvm",
            ppid=pid + 1,
        )
        for index, tag in enumerate(("ro-store", "home", "data"))
    ]
    hypervisor = process(
        name,
        pid,
        "/nix/store/9mwvgkx0l9yzq2b7-cloud-hypervisor-48.0/bin/cloud-hypervisor",
        "--cpus",
        "boot=2",
        "--memory",
        "size=2048M,mergeable=on,shared=on",
        "--api-socket",
        f"{name}.sock",
        kind=UnitKind.HYPERVISOR,
    )._replace(rss=(1000 + 37 * number) * MIB)
    supervisor = process(name, pid + 1, "/nix/store/3r6q-python3-3.12/bin/supervisord", "--configuration", "fsd.conf")
    shell = process(name, pid + 5, "/bin/sh", "-c", "sleep infinity", kind=UnitKind.HYPERVISOR, ppid=pid)
    shared = zip(shares(name, *[ShareHealth.UP] * 3), daemons, strict=True)
    data = VolumeStatus(
        Volume("data.img", mount_point="/var/lib", size=8192),
        ImageFacts(
            "data.img",
            size=8 * GIB,
            allocated=7 * GIB,
            fs_type="ext4",
            fs_size=8 * GIB,
            fs_room=8 * GIB,
            fs_used=7 * GIB,
        ),
    )
    one = microvm(
        name,
        StateWord.RUNNING,
        since=ago(hours=number + 2),
        mem=2048,
        memory=hypervisor.rss,
        shared=tuple(status._replace(daemons=(daemon,)) for status, daemon in shared),
        volumes=(*overlay((300 + 50 * number) * MIB, 2 * GIB), data),
        findings=(NOTE,) if number % 3 == 1 else (),
    )
    sub_states = ("exited", "exited", "running", "running")
    units = tuple(
        UnitStatus(
            unit_name(kind, name), kind, name, "loaded", "active", sub, n_restarts=0, since=ago(hours=number + 2)
        )
        for kind, sub in zip(KINDS, sub_states, strict=True)
    )
    all_of_it = (hypervisor, supervisor, *daemons, shell)
    return with_cpu(one._replace(units=units, hypervisor=hypervisor, processes=all_of_it), number + 0.5)


def with_cpu(one: MicroVM, percent: float) -> MicroVM:
    """The same, all of whose processes take so much together."""
    assert one.hypervisor is not None
    own = percent - sum(other.cpu_percent or 0.0 for other in one.processes[1:])
    hypervisor = one.hypervisor._replace(cpu_percent=own)
    return one._replace(hypervisor=hypervisor, processes=(hypervisor, *one.processes[1:]))


def at_work(told: Snapshot, look: int) -> Snapshot:
    """The same host at another look: every process has another load and other memory."""
    return told._replace(microvms=tuple(_at_work(one, look + index) for index, one in enumerate(told.microvms)))


def _at_work(one: MicroVM, look: int) -> MicroVM:
    if one.hypervisor is None:
        return one
    processes = tuple(
        process._replace(
            cpu_percent=(look * 37 + index * 61) % 997 / 10, rss=process.rss + (look * 13 + index * 7) % 64 * MIB
        )
        for index, process in enumerate(one.processes)
    )
    return one._replace(hypervisor=processes[0], processes=processes)


BUSY = snapshot(LAB, *(busy(number) for number in range(11)))

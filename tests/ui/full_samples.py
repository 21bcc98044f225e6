"""MicroVMs of which everything is known: as built and as booted, every unit, daemons and their children, every kind of
file system, a share that differs between its stages."""

from collections.abc import Sequence
from datetime import datetime

from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.facts import Holder, SourceFacts, SourceKind
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth, ShareStatus, StateDirEntry, VolumeStatus
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job, UnitKind, UnitStatus, unit_name
from tests.ui.samples import GIB, MIB, STATE_DIR, ago

STORE = "/nix/store/0c9xz3lq6v7w1b2k4m5n8p0r1s2d3f4g"
UP, DOWN, OFF = ShareHealth.UP, ShareHealth.DOWN, ShareHealth.OFF


def sample(
    name: str,
    pid: int,
    argv: Sequence[str],
    kind: UnitKind | None,
    *,
    ppid: int = 1,
    cpu: float | None = 0.3,
    memory: int = 12 * MIB,
    started: datetime | None = None,
    threads: int = 2,
    files: int | None = 24,
) -> ProcessSample:
    return ProcessSample(
        pid=pid,
        ppid=ppid,
        microvm=name,
        unit=unit_name(kind, name) if kind is not None else None,
        argv=tuple(argv),
        exe=argv[0] if argv else None,
        uid=0,
        started=started or ago(days=2, hours=3),
        cpu_seconds=100.0,
        cpu_percent=cpu,
        rss=memory,
        threads=threads,
        open_files=files,
        open_files_limit=1048576 if kind is UnitKind.VIRTIOFSD else 1024,
    )


def virtiofs(name: str, tag: str, source: str, target: str, *, read_only: bool = False) -> Share:
    return Share(
        tag, ShareProto.VIRTIOFS, source, target, f"{name}-virtiofs-{tag}.sock", read_only, cache="auto", posix_acl=True
    )


def daemons(name: str, share: Share, pid: int) -> tuple[ProcessSample, ...]:
    """A virtiofsd below supervisord, and the child in its sandbox."""
    argv = (
        f"{STORE}-virtiofsd-1.13.0/bin/virtiofsd",
        f"--socket-path={share.socket}",
        f"--shared-dir={share.source}",
        f"--tag={share.tag}",
        "--posix-acl",
        "--cache=auto",
        "--thread-pool-size=4",
    )
    parent = sample(name, pid, argv, UnitKind.VIRTIOFSD, ppid=2200, memory=3 * MIB, cpu=0.0)
    return parent, sample(name, pid + 1, argv, UnitKind.VIRTIOFSD, ppid=pid, memory=41 * MIB, threads=9, files=612)


def units(name: str, *changed: UnitStatus, active: str = "active", since: datetime | None = None) -> list[UnitStatus]:
    """One of each template, in the order of their start."""
    subs = {"active": "running", "inactive": "dead"}
    found = {
        kind: UnitStatus(
            unit_name(kind, name),
            kind,
            name,
            "loaded",
            active,
            "exited" if active == "active" and kind not in (UnitKind.VIRTIOFSD, UnitKind.HYPERVISOR) else subs[active],
            n_restarts=0,
            since=since or ago(days=2, hours=3),
            wanted=True,
        )
        for kind in UnitKind
    }
    found.update({unit.kind: unit for unit in changed})
    return list(found.values())


STORE_SHARE = virtiofs("wiki", "ro-store", "/nix/store", "/nix/.ro-store", read_only=True)
HOME = virtiofs("wiki", "home", "/srv/wiki/home", "/home")
HOST_KEYS = Share("keys", ShareProto.NINE_P, "/etc/ssh/wiki", "/etc/ssh", security_model="mapped", read_only=True)


def source_of(share: Share, *, exists: bool = True) -> SourceFacts:
    """What stands at its source."""
    path = share.source or ""
    if not exists:
        return SourceFacts(path, False, SourceKind.NOTHING)
    return SourceFacts(
        path, True, SourceKind.DIRECTORY, 0, 0, 0o755, "root", "root", "zfs", "/", False, 512 * GIB, 80 * GIB
    )


def volume(image: str, letter: str, target: str | None, size: int, fs_type: str, label: str | None = None) -> Volume:
    return Volume(image, letter, target, size, fs_type, label, auto_create=True, read_only=False, direct=False)


VOLUMES = (
    volume("nix-rw.img", "a", "/nix/.rw-store", 2048, "ext4"),
    volume("postgres.img", "b", "/var/lib/postgresql", 40960, "xfs", "pgdata"),
    volume("/srv/images/wiki-media.btrfs", "c", "/srv/media", 102400, "btrfs", "media"),
    volume("boot.img", "d", "/boot", 256, "vfat", "BOOT"),
    volume("scratch.img", "e", None, 512, "ext4"),
    volume("lost.img", "f", "/lost", 512, "ext4"),
)
IMAGES = (
    ImageFacts("nix-rw.img", 2 * GIB, 400 * MIB, "ext4", None, 2 * GIB, 300 * MIB),
    ImageFacts("postgres.img", 40 * GIB, 39 * GIB, "xfs", "pgdata", 40 * GIB, 39 * GIB),
    ImageFacts("/srv/images/wiki-media.btrfs", 100 * GIB, 13 * GIB, "btrfs", "media", 100 * GIB, 12 * GIB),
    ImageFacts("boot.img", 256 * MIB, 40 * MIB, "vfat", "BOOT", 256 * MIB, None),
    ImageFacts("scratch.img", 512 * MIB, 0),
    ImageFacts("lost.img", problem="lost.img does not exist: it is made at the next start."),
)


# By the images: a hypervisor alone, another microVM's too, nobody, and what can't be told.
_QEMU = Holder(2100, "qemu-system-x86", "wiki", "lock")
HOLDERS = ((_QEMU,), (_QEMU, Holder(4711, "qemu-system-x86", "db", "open")), (), None, (), None)


def volumes(count: int = len(VOLUMES)) -> tuple[VolumeStatus, ...]:
    known = zip(VOLUMES[:count], IMAGES, HOLDERS, strict=False)
    return tuple(
        VolumeStatus(one, image, number == 0, holders, holders is not None)
        for number, (one, image, holders) in enumerate(known)
    )


def definition(*shares: Share, mem: int = 4096) -> Definition:
    return Definition(
        Hypervisor.QEMU,
        host_name="wiki",
        mem=mem,
        vcpu=4,
        vsock_cid=7,
        socket="wiki.sock",
        shares=shares,
        volumes=VOLUMES,
        writable_store_overlay="/nix/.rw-store",
        fstab_read=True,
    )


QEMU = (
    f"{STORE}-qemu-host-cpu-only-9.2.3/bin/qemu-system-x86_64",
    *("-name", "wiki", "-M", "microvm,accel=kvm:tcg,acpi=on,mem-merge=on,pcie=on,pic=off,pit=off,usb=off"),
    *("-m", "4096", "-smp", "4", "-nodefaults", "-no-user-config", "-no-reboot", "-cpu", "host,+x2apic,-sgx"),
    *("-kernel", f"{STORE}-linux-6.12.30/bzImage", "-initrd", f"{STORE}-initrd-linux-6.12.30/initrd"),
    *("-append", "earlyprintk=ttyS0 console=ttyS0 reboot=t panic=-1 root=fstab loglevel=4 init=/init"),
    *("-chardev", "socket,id=fs0,path=wiki-virtiofs-ro-store.sock", "-qmp", "unix:wiki.sock,server,nowait"),
)
SUPERVISORD = ("/nix/store/python3/bin/python3", f"{STORE}-supervisor-4.2.5/bin/.supervisord-wrapped", "-c", "conf")


def _processes(*shares: Share) -> tuple[ProcessSample, ...]:
    return (
        sample("wiki", 2100, QEMU, UnitKind.HYPERVISOR, cpu=37.4, memory=int(2.6 * GIB), threads=9, files=87),
        sample("wiki", 2200, SUPERVISORD, UnitKind.VIRTIOFSD, memory=21 * MIB, threads=1, files=11),
        *(one for number, share in enumerate(shares) for one in daemons("wiki", share, 2210 + 10 * number)),
    )


def _served(processes: tuple[ProcessSample, ...], share: Share) -> ShareStatus:
    own = tuple(one for one in processes if f"--tag={share.tag}" in one.argv)
    return ShareStatus(share, UP, "", own, socket_exists=True, connected=True, source=source_of(share))


_ENTRY = StateDirEntry(
    "wiki", f"{STATE_DIR}/wiki", current=f"{STORE}-microvm-qemu-wiki", booted=f"{STORE}-microvm-qemu-wiki"
)
_RUNNER = Runner(
    f"{STORE}-microvm-qemu-wiki",
    definition(STORE_SHARE, HOME, HOST_KEYS),
    f"{STORE}-nixos-system-wiki-25.05",
    can_shutdown=True,
    has_virtiofsd_run=True,
)
_LIVING = _processes(STORE_SHARE, HOME)

HEALTHY = MicroVM(
    "wiki",
    f"{STATE_DIR}/wiki",
    State(StateWord.RUNNING, ago(days=2, hours=3), "microvm@wiki.service is active."),
    _ENTRY,
    _RUNNER,
    definition(STORE_SHARE, HOME, HOST_KEYS),
    tuple(units("wiki")),
    _LIVING,
    _LIVING[0],
    (_served(_LIVING, STORE_SHARE), _served(_LIVING, HOME), ShareStatus(HOST_KEYS, UP, source=source_of(HOST_KEYS))),
    volumes(),
    autostart=True,
)

_MOVED = HOME._replace(source="/srv/wiki-old/home", posix_acl=False)
_HALF = _processes(STORE_SHARE)
DEGRADED = HEALTHY._replace(
    state=State(StateWord.DEGRADED, ago(hours=11), 'Share "home" is down: /srv/wiki-old/home does not exist.'),
    entry=_ENTRY._replace(current=f"{STORE[:-1]}h-microvm-qemu-wiki"),
    booted=definition(STORE_SHARE, _MOVED, HOST_KEYS),
    processes=_HALF,
    shares=(
        _served(_HALF, STORE_SHARE),
        ShareStatus(
            _MOVED,
            DOWN,
            "/srv/wiki-old/home does not exist. The guest's /home hangs.",
            socket_exists=False,
            source=source_of(_MOVED, exists=False),
        ),
        ShareStatus(HOST_KEYS, UP, source=source_of(HOST_KEYS)),
    ),
    findings=(
        Finding(
            Severity.ERROR,
            "share home",
            "fsd home",
            'Share "home" is down.',
            "/srv/wiki-old/home does not exist. The guest's /home hangs.",
            "create /srv/wiki-old/home, then restart wiki",
        ),
        Finding(
            Severity.WARNING,
            "volume postgres.img",
            "disk 98%",
            "postgres.img is 98% full.",
            fix="free space in the guest's /var/lib/postgresql",
        ),
        Finding(
            Severity.INFO,
            "booted",
            "≠ restart",
            "What runs is older than what is built.",
            f"booted is {STORE}-microvm-qemu-wiki, current is {STORE[:-1]}h-microvm-qemu-wiki.",
            "restart wiki",
        ),
    ),
)

_DAEMONS_FAIL = UnitStatus(
    unit_name(UnitKind.VIRTIOFSD, "wiki"),
    UnitKind.VIRTIOFSD,
    "wiki",
    "loaded",
    "activating",
    "auto-restart",
    Job(812, "start", "waiting"),
    "exit-code",
    n_restarts=12,
    since=ago(seconds=4),
)
LOOPING = HEALTHY._replace(
    state=State(
        StateWord.LOOPING, ago(minutes=3), "microvm-virtiofsd@wiki.service ends with exit 1.", "exit 1", restarts=12
    ),
    booted=None,
    units=tuple(
        units("wiki", _DAEMONS_FAIL, active="inactive", since=ago(minutes=3))[-3:],
    ),
    processes=(),
    hypervisor=None,
    shares=tuple(
        ShareStatus(share, OFF, source=source_of(share, exists=share is not HOME))
        for share in (STORE_SHARE, HOME, HOST_KEYS)
    ),
    findings=(
        Finding(
            Severity.ERROR,
            "share home",
            "no source",
            'Share "home": /srv/wiki/home does not exist.',
            "virtiofsd ends at once, and its unit is restarted.",
            "create /srv/wiki/home",
        ),
    ),
)
STOPPED = HEALTHY._replace(
    state=State(StateWord.STOPPED, ago(days=9), "It was stopped."),
    entry=_ENTRY._replace(booted=None),
    booted=None,
    units=tuple(units("wiki", active="inactive", since=ago(days=9))),
    processes=(),
    hypervisor=None,
    shares=tuple(ShareStatus(share, OFF, source=source_of(share)) for share in (STORE_SHARE, HOME, HOST_KEYS)),
)
LIFE = {"healthy": HEALTHY, "degraded": DEGRADED, "looping": LOOPING, "stopped": STOPPED}

STARTING = STOPPED._replace(
    state=State(StateWord.STARTING, ago(seconds=12), "microvm@wiki.service waits for its shares."),
    units=tuple(
        units(
            "wiki",
            _DAEMONS_FAIL._replace(sub_state="start", job=Job(812, "start", "running"), n_restarts=0),
            UnitStatus(
                unit_name(UnitKind.HYPERVISOR, "wiki"),
                UnitKind.HYPERVISOR,
                "wiki",
                "loaded",
                "inactive",
                "dead",
                Job(811, "start", "waiting"),
            ),
        )
    ),
)

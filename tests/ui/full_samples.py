"""MicroVMs of which everything is known: as built and as booted, every unit, daemons and their children, every kind of
file system, a share that differs between its stages."""

from mvtui.model.definition import Definition, Runner, Share, ShareProto
from mvtui.model.drift import drift
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM, ShareStatus, StateDirEntry
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.model.unit import Job, UnitKind, UnitStatus, unit_name
from mvtui.operations.defined import DefinedDocument
from mvtui.operations.drift import findings as drift_findings
from mvtui.operations.drift import with_drift
from tests.ui.full_parts import (
    DOWN,
    HOME,
    HOST_KEYS,
    OFF,
    STORE,
    STORE_SHARE,
    UP,
    VOLUMES,
    daemons,
    sample,
    source_of,
    units,
    volumes,
)
from tests.ui.samples import GIB, MIB, STATE_DIR, ago


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
    drift=drift(None, _RUNNER.definition, definition(STORE_SHARE, _MOVED, HOST_KEYS), directory=HEALTHY.path),
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
            "mkdir -p /srv/wiki-old/home, then mvtui restart wiki",
        ),
        Finding(
            Severity.WARNING,
            "volume postgres.img",
            "disk 98%",
            "postgres.img is 98% full.",
            "Writes to it fail soon.",
            "free space in the guest's /var/lib/postgresql",
        ),
        Finding(
            Severity.INFO,
            "booted",
            "≠ restart",
            "What runs differs from what is built.",
            "share home source: built /srv/wiki/home, booted /srv/wiki-old/home (1 more differs).",
            "mvtui restart wiki",
        ),
    ),
)

# Its definition file has more memory, another directory for home, one more share, a larger overlay, one volume less.
_BACKUP = Share("backup", ShareProto.VIRTIOFS, "/srv/backup", "/backup", None, True, cache="auto", posix_acl=True)
_DEFINED = definition(STORE_SHARE, HOME._replace(source="/srv/wiki/new-home"), HOST_KEYS, _BACKUP, mem=8192)._replace(
    volumes=(VOLUMES[0]._replace(size=4096), *VOLUMES[1:-1])
)
_COMPARED = with_drift(HEALTHY._replace(findings=()), DefinedDocument("/etc/nixos/microvms/wiki.toml", _DEFINED), None)
DRIFTED = _COMPARED._replace(findings=tuple(drift_findings(_COMPARED, None)))

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
_FREE = tuple(one._replace(holders=(), holders_complete=True) for one in volumes())
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
    volumes=_FREE,
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
            "mkdir -p /srv/wiki/home",
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
    volumes=_FREE,
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

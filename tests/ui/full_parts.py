"""What the microVMs of which everything is known are made of: units, daemons, sources, volumes of every kind."""

from collections.abc import Sequence
from datetime import datetime

from mvtui.model.definition import Share, ShareProto, Volume
from mvtui.model.facts import Holder, SourceFacts, SourceKind
from mvtui.model.microvm import ImageFacts, ShareHealth, VolumeStatus
from mvtui.model.process import ProcessSample
from mvtui.model.unit import UnitKind, UnitStatus, unit_name
from tests.ui.samples import GIB, MIB, ago

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
    ImageFacts("nix-rw.img", 2 * GIB, 400 * MIB, "ext4", None, 2 * GIB, 2 * GIB, 300 * MIB),
    ImageFacts("postgres.img", 40 * GIB, 39 * GIB, "xfs", "pgdata", 40 * GIB, 40 * GIB, 39 * GIB),
    ImageFacts("/srv/images/wiki-media.btrfs", 100 * GIB, 13 * GIB, "btrfs", "media", 100 * GIB, 100 * GIB, 12 * GIB),
    ImageFacts("boot.img", 256 * MIB, 40 * MIB, "vfat", "BOOT", 256 * MIB, 256 * MIB, None),
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

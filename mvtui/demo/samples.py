"""The eight microVMs of the demo's host: what each has, and what state it is brought into."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from mvtui.model.definition import Definition, Share, ShareProto, Volume

_OVERLAY = "/nix/.rw-store"
# The guest boots from a store disk: the demo's host has no /nix/store to share.
_STORE = "/mnt/host-store"


class Story(Enum):
    """What happens to a sample.

    RUNNING: started. DEGRADED: started, then the source of its last share vanishes and that share's virtiofsd dies.
    LOOPING: started, and its hypervisor ends at once, because an image is missing. STALE: started, then `current`
    becomes another runner. EMERGENCY: started, and its guest ends in emergency mode, because a volume has not the label
    that it waits for. STOPPED: never started. FAILED: started, but a share's source does not exist.
    """

    RUNNING = auto()
    DEGRADED = auto()
    LOOPING = auto()
    STALE = auto()
    EMERGENCY = auto()
    STOPPED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` is its directory's; the guest's host name can differ. `newer`: what was built after the start of a stale
    one. `flake` is the text of its `flake` file, None for a fully declarative one. `fill` is how full its overlay is,
    0 to 1. `defined`: it has a definition file."""

    name: str
    story: Story
    definition: Definition
    newer: Definition | None = None
    flake: str | None = None
    fill: float = 0.0
    days: int = 0
    defined: bool = True

    @property
    def sources(self) -> tuple[Path, ...]:
        """The directories of the host that its shares need, but for the one whose absence is its story."""
        shares = [*self.definition.shares, *(self.newer.shares if self.newer is not None else ())]
        sources = [Path(share.source) for share in dict.fromkeys(shares) if share.source is not None]
        return tuple(sources[:-1] if self.story is Story.FAILED else sources)


def samples(root: Path, file_systems: Collection[str]) -> tuple[Sample, ...]:
    """The samples of the demo in the directory `root`: shares come from `nix/store` and `srv` below it. A volume has
    ext4 where mkfs for its own type is not among `file_systems`."""
    store = _share("ro-store", root / "nix/store", _STORE, read_only=True)

    def home(name: str) -> Share:
        return _share("home", root / "srv" / f"{name}-home", "/home")

    overlay = _overlay(2048)
    small_overlay = _overlay(256)
    tiny_overlay = _overlay(32)
    xfs, btrfs = ("xfs" if "xfs" in file_systems else "ext4"), ("btrfs" if "btrfs" in file_systems else "ext4")
    database = Volume("data.img", mount_point="/var/lib/postgresql", size=4096, fs_type=xfs, label="postgresql")
    cache = Volume("cache.img", mount_point="/var/cache", size=8192, fs_type=btrfs, label="cache")
    spool = Volume(str(root / "srv/mail/spool.img"), mount_point="/var/spool/mail", auto_create=False)
    plain_store = Share("ro-store", ShareProto.NINE_P, str(root / "nix/store"), _STORE)
    flake = "git+file:///etc/nixos"
    return (
        Sample("web", Story.RUNNING, _definition("web", 512, (store,), (overlay,))),
        Sample("git", Story.DEGRADED, _definition("git", 1024, (store, home("git")), (small_overlay,)), fill=0.15),
        Sample(
            "mail",
            Story.LOOPING,
            _definition("mail", 1024, (plain_store,), (spool,), overlay=False),
            defined=False,
        ),
        Sample("lab", Story.STOPPED, _definition("lab", 512, (store,), (tiny_overlay,)), flake=flake, fill=1.0),
        Sample(
            "ci",
            Story.STALE,
            _definition("ci", 512, (store,), (overlay,)),
            newer=_definition("ci", 768, (store, home("ci")), (overlay,)),
            flake=flake,
        ),
        Sample("cache", Story.FAILED, _definition("cache", 256, (store, home("cache")), (cache,), overlay=False)),
        Sample("build", Story.RUNNING, _definition("build", 1024, (store, home("build")), (overlay,), vcpu=2), days=30),
        Sample(
            "db[prod]",
            Story.EMERGENCY,
            _definition("db-prod", 768, (plain_store,), (database,), overlay=False),
            defined=False,
        ),
    )


def _overlay(size: int) -> Volume:
    return Volume("nix-store-overlay.img", mount_point=_OVERLAY, size=size, fs_type="ext4")


def _share(tag: str, source: Path, mount_point: str, *, read_only: bool = False) -> Share:
    return Share(tag, ShareProto.VIRTIOFS, str(source), mount_point, read_only=read_only)


def _definition(
    host_name: str,
    mem: int,
    shares: tuple[Share, ...],
    volumes: tuple[Volume, ...],
    *,
    vcpu: int = 1,
    overlay: bool = True,
) -> Definition:
    return Definition(
        host_name=host_name,
        mem=mem,
        vcpu=vcpu,
        shares=shares,
        volumes=volumes,
        writable_store_overlay=_OVERLAY if overlay else None,
        store_on_disk=True,
    )

"""A microVM's writable store overlay: where it is, what a reset makes and sets aside, what forbids it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.definition import Volume
from mvtui.model.finding import Finding, Severity


class OverlayKind(StrEnum):
    """What holds `microvm.writableStoreOverlay`. `tmpfs`: nothing is mounted there, so it is in the guest's memory.
    `none`: there is no overlay. `unknown`: no stage can tell (the store is on disk and there is no definition)."""

    VOLUME = "volume"
    SHARE = "share"
    TMPFS = "tmpfs"
    NONE = "none"
    UNKNOWN = "unknown"


class ToldBy(StrEnum):
    """Who tells where the overlay is: the guest's fstab, the definition file, or a person's choice that was
    remembered."""

    BUILT = "built"
    DEFINED = "defined"
    CHOSEN = "chosen"


class OverlayTarget(NamedTuple):
    """Where a microVM's overlay is. `path` is the host's absolute path of the image, or of the share's source; None
    for the other kinds. `volume` is set for a volume, `tag` for a share. `told_by` is None where nobody tells.
    `named_by_root`: nobody but root and who writes the definition file could have named that source."""

    kind: OverlayKind
    path: str | None = None
    volume: Volume | None = None
    tag: str | None = None
    told_by: ToldBy | None = None
    named_by_root: bool = False


class KeptOverlay(NamedTuple):
    """An overlay that was set aside. `name` is its entry's, unique in its directory; `path` the host's absolute one.
    `size` and `allocated` are in bytes (of directories: None, which nobody counts); `set_aside` is UTC."""

    name: str
    path: str
    set_aside: datetime
    size: int | None = None
    allocated: int | None = None


class OverlayFacts(NamedTuple):
    """The overlay as found on the host, with the rights of the microVM's user.

    `file_id` is (st_dev, st_ino) of the image, or of the share's `store`; None where there is none. `problem` is why
    it must not be touched whatever else holds (a link, a fifo, two hard links, another's file), or None. `made` (UTC)
    is its birth, None where the file system does not tell. `in_use`: somebody has it open or mapped, in whatever
    namespace, a loop device included; None where the file system can't tell. `free` is what may still be written
    beside it, in bytes; `fs_size` how large its file system says it is. `mkfs` is the program that will make the new
    file system, None where there is none. `worker` says who works on it now, None where nobody does. `kept` are newest
    first.
    """

    path: str
    file_id: tuple[int, int] | None = None
    problem: str | None = None
    size: int = 0
    allocated: int = 0
    fs_type: str | None = None
    label: str | None = None
    made: datetime | None = None
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    nocow: bool = False
    in_use: bool | None = None
    free: int = 0
    mkfs: str | None = None
    worker: str | None = None
    kept: tuple[KeptOverlay, ...] = ()
    fs_size: int | None = None


class NewImage(NamedTuple):
    """The image that a reset makes: `size` in bytes, `fs_type` and `label` as `microvm.volumes` has them,
    `mkfs_extra_args` likewise; `mode` has the permission bits, `gid` its group."""

    size: int
    fs_type: str
    label: str | None
    mkfs_extra_args: tuple[str, ...]
    gid: int
    mode: int


class Check(NamedTuple):
    """One precondition of a reset. `what` is what must hold (`no process has it open`), `ok` whether it does; where
    not, `why` says what stands against it and `fix` the key or command that mends it, or ""."""

    what: str
    ok: bool
    why: str = ""
    fix: str = ""


def first_against(nothing: str, checks: Sequence[Check]) -> Check:
    """What stands against a plan, as a check that does not hold: `nothing`, where that is why there is nothing to do,
    else the first of `checks`; one that holds where nothing does."""
    if nothing:
        return Check("", False, nothing)
    return next((check for check in checks if not check.ok), Check("", True))


class ResetPlan(NamedTuple):
    """What a reset of one microVM would do; the panel, `reset --dry-run` and `--json` show the same.

    `lost`, `stays`, `aside` and `steps` are sentences: what the guest will no longer have, what is not touched, what
    is set aside and how it comes back, what is done in which order. `nothing` says why there is nothing to reset
    (tmpfs, no overlay, an image that the first start will make), "" otherwise. `new` is None for a share.
    `rights_missing`: this user may not look at it, so that there are neither facts nor all checks. `tools`: the
    directories (for this process) in which mkfs was looked for first.
    """

    microvm: str
    target: OverlayTarget
    facts: OverlayFacts | None = None
    new: NewImage | None = None
    checks: tuple[Check, ...] = ()
    steps: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    nothing: str = ""
    rights_missing: bool = False
    tools: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it may be done now."""
        return first_against(self.nothing, self.checks).ok

    @property
    def refusal(self) -> str:
        """Why it can't be done, in one sentence; "" where it can."""
        return first_against(self.nothing, self.checks).why

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What forbids it."""
        return tuple(
            Finding(Severity.ERROR, f"reset {self.microvm}", "no reset", check.why, "", check.fix)
            for check in self.checks
            if not check.ok
        )


class Armed(StrEnum):
    """When a microVM's overlay is reset by itself: before its next start, or before each."""

    ONCE = "once"
    ALWAYS = "always"

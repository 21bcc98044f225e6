"""What making the missing source of a share would do. Pure."""

import posixpath
from typing import NamedTuple

from mvtui.model.definition import HOST_STORE, Share, ShareProto
from mvtui.model.facts import SourceKind
from mvtui.model.microvm import MicroVM, ShareStatus

# As systemd-tmpfiles makes those of a host's configuration, but for 9p, which the microVM's own user serves.
MODE = 0o755
# What there is to do about a missing source in it.
ELSEWHERE = "share another directory"


class SourcePlan(NamedTuple):
    """`path` is the source as the share has it, `makes` the directories that would be made, the outermost first:
    parents are this process' user's (root's, behind sudo), the last gets `uid` and `gid`, in names `owner`; all have
    MODE. `serves` says who serves it, which the owner follows from. `mount_point` and `fs_type` are of what it will
    lie on. `nothing`: there is nothing to do, and why; `refusal`: it must not be done, and why, with `fix`.
    `needs_root`: this process may not do it, root may."""

    microvm: str
    tag: str
    path: str
    makes: tuple[str, ...] = ()
    uid: int = 0
    gid: int = 0
    owner: str = ""
    serves: str = ""
    mount_point: str = ""
    fs_type: str = ""
    nothing: str = ""
    refusal: str = ""
    fix: str = ""
    needs_root: bool = False

    @property
    def ok(self) -> bool:
        """Whether it can be done, maybe by root alone."""
        return not self.nothing and not self.refusal

    @property
    def argv(self) -> list[str]:
        """The command that does the same."""
        owner, _, group = self.owner.partition(":")
        return ["install", "-d", "-o", owner, "-g", group, "-m", f"{MODE:04o}", "--", self.path]


def missing_sources(microvm: MicroVM) -> tuple[ShareStatus, ...]:
    """Its shares at whose source nothing stands, where something could be made: no link to nothing, no relative one,
    nothing of the store."""
    return tuple(
        status
        for status in microvm.shares
        if status.source is not None
        and status.source.exists is False
        and status.source.kind is not SourceKind.DANGLING
        and (status.share.source or "").startswith("/")
        and not is_in_store(status.share.source or "")
    )


def is_in_store(path: str) -> bool:
    """Whether Nix alone makes something at the absolute `path`."""
    return f"/{posixpath.normpath(path).lstrip('/')}/".startswith(f"{HOST_STORE}/")


def is_served_by_owner(share: Share) -> bool:
    """Whether it is the hypervisor that serves it, which runs as the microVM's user; else virtiofsd does."""
    return share.proto is ShareProto.NINE_P

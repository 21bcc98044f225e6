"""With whose rights a reset works: never root's, but where an overlay on a share is root's own.

What a guest's root makes on a share is root's on the host, whoever the share's source belongs to. Root works in
another's source where that other gains nothing by it: root named the source, nobody but root can put another directory
in its place, and so all that root moves and frees is what the guest's root could have moved and removed itself."""

import os
import shlex
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.own_program import root_decides
from mvtui.host.ports import Host
from mvtui.model.overlay import OverlayKind, OverlayTarget


class Identity(NamedTuple):
    """Whom the child is, and to whom the microVM's directory or the share's source belongs (`owner`, a uid). `dropped`:
    it has to become that user, and give up root; else it is this process' own."""

    uid: int
    gid: int
    dropped: bool
    owner: int


def owner_of(host: Host, microvm: str, target: OverlayTarget) -> tuple[int, int]:
    """The uid and gid with which what is beside the overlay was made. Raises MvtuiError where nobody can tell."""
    if target.kind is OverlayKind.SHARE:
        source = _look(real_path(host, target.path or ""), target.path or "")
        return source.st_uid, source.st_gid
    if "/" in microvm or microvm in ("", ".", ".."):
        raise MvtuiError(f"{microvm!r} is no name of a microVM", "", ExitCode.REFUSED)
    path = f"{host.state_dir}/{microvm}"
    status = _look(real_path(host, path), path)
    # `microvm -c` makes it root's, with the group that may write there.
    return status.st_uid or _look(real_path(host, str(host.state_dir)), str(host.state_dir)).st_uid, status.st_gid


def identity_for(host: Host, microvm: str, target: OverlayTarget) -> Identity:
    """Whose rights the work on the target takes. Raises MvtuiError where that would be root's, or another's than the
    state directory's, RightsMissingError where this process is neither root nor that user."""
    uid, gid = owner_of(host, microvm, target)
    path = target.path if target.kind is OverlayKind.SHARE else f"{host.state_dir}/{microvm}"
    if os.geteuid() != 0:
        if uid != os.geteuid():
            raise RightsMissingError(f"{path} belongs to another user", "root or its owner can do that")
        return Identity(uid, os.getegid(), False, uid)
    if target.kind is OverlayKind.SHARE:
        if target.named_by_root and _is_roots_overlay(real_path(host, target.path or "")):
            return Identity(0, 0, True, uid)
        return Identity(uid, gid, True, uid)
    if 0 in (uid, gid):
        raise MvtuiError(
            f"{path} belongs to root, and mvtui works on files as their owner: never as root",
            f"chown microvm:kvm {shlex.quote(str(path))}",
            ExitCode.REFUSED,
        )
    above = _look(real_path(host, str(host.state_dir)), str(host.state_dir))
    if above.st_uid != 0 and (uid, gid) != (above.st_uid, above.st_gid):
        # Its owner can move into it what belongs to others: a guest makes that on a share.
        raise MvtuiError(
            f"{path} belongs to {uid}:{gid}, and the state directory to {above.st_uid}:{above.st_gid}, who may have "
            "put it there",
            f"chown {above.st_uid}:{above.st_gid} {shlex.quote(str(path))}",
            ExitCode.REFUSED,
        )
    return Identity(uid, gid, True, uid)


def _is_roots_overlay(source: str) -> bool:
    """Whether its `store` is root's (the child makes sure of it), and root alone decides what stands at `source`."""
    above = os.path.dirname(source)
    try:
        # Not even where it is sticky: there the owner of the source could rename it.
        others_write = os.lstat(above).st_mode & 0o022
        return os.lstat(f"{source}/store").st_uid == 0 and not others_write and root_decides(above)
    except (OSError, ValueError):
        return False


def real_path(host: Host, path: str) -> str:
    """Where the host's absolute `path` is for this process: links on the way to the state directory are root's choice
    and are followed, those in it are left to who walks there."""
    state_dir = str(host.state_dir)
    if path == state_dir or path.startswith(f"{state_dir}/"):
        return os.path.realpath(host.on_disk(state_dir)) + path[len(state_dir) :]
    return str(host.on_disk(path))


def _look(path: str, shown: str) -> os.stat_result:
    try:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise MvtuiError(f"{shown}: {(error.strerror or '').lower()}", "", ExitCode.REFUSED) from None
    except ValueError:
        raise MvtuiError(f"{shown!r} is no path", "", ExitCode.REFUSED) from None

"""Checks of rights: may who runs the microVM use what it names, and can a file system keep what is asked of it?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mvtui.model.definition import Share, ShareProto
from mvtui.model.facts import SourceKind
from mvtui.operations.checks.check import Seen, error, info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.field_facts import Barred, SourceLook
    from mvtui.model.finding import Finding

NO_ACCESS = "no access"
_XATTR = "--xattr"


def source_denied(seen: Seen) -> Iterator[Finding]:
    """ "Permission denied" in the guest, or no start.

    Cause: 9p is served by the hypervisor, which is the user microvm, and that may not read or write the source, or not
    enter a directory above it. virtiofsd is root where systemd or root starts it, and may. Seen: mode and ACL of the
    source and all its parents, for that user (root's own access(2) says yes to all). Source: table 6, #246 #222.
    """
    for share, look in _sources(seen):
        serves = share.proto is ShareProto.NINE_P or not _root_serves(seen)
        if look.kind is not SourceKind.DIRECTORY or not serves:
            continue
        barred = look.barred_reading
        if barred is not None:
            yield error(f"share {share.tag}", NO_ACCESS, *_denied(seen, f'Share "{share.tag}"', look.path, barred))
        elif look.barred_writing is not None and share.read_only is False and not _is_store(share):
            told = _denied(seen, f'Share "{share.tag}"', look.path, look.barred_writing)
            yield info(f"share {share.tag}", NO_ACCESS, *told)  # which may be meant


def image_denied(seen: Seen) -> Iterator[Finding]:
    """The hypervisor ends at once: "Could not open …: Permission denied"; or the image can't be made.

    Cause: the image, or a directory above it, is not the user microvm's. Seen: as above. Source: table 6, #246 #222.
    """
    closer = seen.microvm.closer
    for status in seen.microvm.volumes if closer is not None else ():
        volume = status.volume
        look = closer.image(volume.image) if closer is not None else None
        if look is None or (
            look.kind is SourceKind.NOTHING and (volume.auto_create is False or look.missing_directory)
        ):
            continue
        barred = look.barred_reading if volume.read_only else look.barred_writing
        if barred is not None:
            told = _denied(seen, f"Volume {volume.image}", look.path, barred)
            yield error(f"volume {volume.image}", NO_ACCESS, *told)


def no_acl(seen: Seen) -> Iterator[Finding]:
    """ "Operation not supported" for every file of a share.

    Cause: virtiofsd offers ACLs (posixAcl), and the file system of the source has none: ZFS as it comes. Seen:
    getxattr(source, "system.posix_acl_access") gives EOPNOTSUPP. Source: table 8, #237.
    """
    for share, look in _sources(seen):
        asked = share.proto is ShareProto.VIRTIOFS and share.posix_acl is not False
        if asked and look.kind is SourceKind.DIRECTORY and look.has_acls is False:
            what = f'Share "{share.tag}": the file system of {look.path}{_of_type(look)} has no ACLs.'
            why = "With posixAcl the guest asks for them, and can use no file."
            yield error(
                f"share {share.tag}", "no ACL", what, why, _zfs(look, "xattr=sa acltype=posixacl", "posixAcl = false")
            )


def overlay_without_attributes(seen: Seen) -> Iterator[Finding]:
    """The guest does not boot: "overlayfs: upper fs missing required features".

    Cause: the writable store overlay is on a share whose file system has no extended attributes, or whose virtiofsd
    does not hand them on. Seen: getxattr(source, "user.…") gives EOPNOTSUPP; posixAcl, which brings --xattr, is off.
    Source: table 19, #43.
    """
    definition = seen.microvm.definition
    if definition is None:
        return
    for share, look in _sources(seen):
        if share.proto is not ShareProto.VIRTIOFS or not definition.holds_overlay(share.mount_point):
            continue
        what, fix = "", ""
        if look.has_xattrs is False:
            what = f"the file system of {look.path}{_of_type(look)} has no extended attributes."
            fix = _zfs(look, "xattr=sa", "a volume at that mount point")
        elif share.posix_acl is False and _XATTR not in (share.extra_args or ()):
            what, fix = "its virtiofsd hands no extended attributes on.", f'extraArgs = ["{_XATTR}"]; rebuild'
        if what:
            why = "Without them it can't be the upper layer of the store overlay."
            yield error(f"share {share.tag}", "ov xattr", f'Share "{share.tag}": {what}', why, fix)


def _is_store(share: Share) -> bool:
    """Nobody writes there, whatever the share says."""
    return (share.source or "").rstrip("/").endswith("/nix/store")


def _sources(seen: Seen) -> Iterator[tuple[Share, SourceLook]]:
    closer = seen.microvm.closer
    for status in seen.microvm.shares if closer is not None else ():
        look = closer.source(status.share.tag) if closer is not None else None
        if look is not None:
            yield status.share, look


def _root_serves(seen: Seen) -> bool:
    """Whether virtiofsd is root: the living ones tell, else who starts it. Of those that can't be seen, nothing is
    said."""
    if seen.microvm.is_hidden:
        return True
    daemons = [daemon for status in seen.microvm.shares for daemon in status.daemons]
    return any(daemon.uid == 0 for daemon in daemons) if daemons else seen.root_serves


def _denied(seen: Seen, what: str, path: str, barred: Barred) -> tuple[str, str, str]:
    """What, why, fix."""
    closer = seen.microvm.closer
    account = closer.account if closer is not None else None
    name, uid = (account.name, account.uid) if account is not None else ("microvm", "microvm")
    use = {"enter": "read", "read": "read", "write": "write"}[barred.what]
    why = f"It may not {barred.what} {barred.path}."
    if barred.path == path:
        why = "Neither its mode nor its ACL lets that user."
    rights = {"enter": "x", "read": "rx", "write": "rwx"}[barred.what]
    return f"{what}: user {name} can't {use} {path}.", why, f"setfacl -m u:{uid}:{rights} {shlex.quote(barred.path)}"


def _of_type(look: SourceLook) -> str:
    return f" ({look.fs_type})" if look.fs_type else ""


def _zfs(look: SourceLook, properties: str, otherwise: str) -> str:
    """The command for a dataset of ZFS, else what else there is to do."""
    if look.fs_type != "zfs":
        return otherwise
    return f"zfs set {properties} {shlex.quote(look.fs_source) if look.fs_source else 'DATASET'}"

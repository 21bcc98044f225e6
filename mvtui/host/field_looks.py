"""What the host knows of a share's source and of a volume's image, for whom a microVM runs as. All of it may be behind
a mount that does not answer: callers use a thread that they can leave."""

import errno
import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path

from mvtui.host.images import facts_of, open_image
from mvtui.host.mounts import Mounts
from mvtui.host.ports import Host
from mvtui.host.rooted_files import RootedFiles
from mvtui.host.sources import KINDS
from mvtui.host.way import ACCESS_ACL, Way, attribute, inode_of
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import Barred, FileId, ImageLook, SourceLook, Space
from mvtui.model.microvm import ImageFacts
from mvtui.model.rights import ENTER, READ, WRITE, Account, Inode, may

# microvm.nix's user, as whom the units run (nixos-modules/host/default.nix).
UNIT_USER = "microvm"

# No program sets it: whether the file system has attributes of users is all that is asked.
_ANY_USER_ATTRIBUTE = "user.mvtui"

_WORDS = {errno.EACCES: "permission denied", errno.ELOOP: "is a loop of links", errno.ENOTDIR: "leads through a file"}


def account_of(host: Host, directory: str) -> Account | None:
    """Whom the processes of the microVM in `directory` (the host's path) are: the owner of its files, else of the state
    directory, else microvm.nix's user; None where nobody can tell. Never raises."""
    uid, gids = 0, set[int]()
    for path in (directory, str(host.state_dir)):
        try:
            status = os.stat(host.on_disk(path))
        except (OSError, ValueError):
            continue
        uid = uid or status.st_uid
        gids |= {status.st_gid} - {0}
    is_own_root = host.root == Path("/")
    try:
        user = pwd.getpwuid(uid) if uid else pwd.getpwnam(UNIT_USER)
    except KeyError:
        return Account(uid, frozenset(gids), str(uid)) if uid else None
    if not is_own_root:  # whose names are another's
        return Account(uid, frozenset(gids), str(uid)) if uid else None
    return Account(user.pw_uid, frozenset({*gids, *os.getgrouplist(user.pw_name, user.pw_gid)}), user.pw_name)


def look_at_source(path: str, account: Account | None, root: Path = Path("/")) -> SourceLook:
    """What stands at the host's absolute `path`. Nothing is opened. Never raises."""
    try:
        with Way(path, root) as way:
            if way.end is None:
                return SourceLook(path, SourceKind.NOTHING)
            status, inode = os.fstat(way.end), inode_of(way.end)
            has_acls, has_xattrs = (attribute(way.end, name)[1] for name in (ACCESS_ACL, _ANY_USER_ATTRIBUTE))
            # Told where the file system lacks something: to read all mounts takes longer than the rest.
            mount = Mounts().of(way.end) if False in (has_acls, has_xattrs) else None
            return SourceLook(
                path,
                KINDS.get(stat.S_IFMT(status.st_mode)),
                barred_reading=_barred(account, way, path, inode, READ | ENTER),
                barred_writing=_barred(account, way, path, inode, WRITE),
                has_acls=has_acls,
                has_xattrs=has_xattrs,
                fs_type=mount.fs_type if mount is not None else "",
                fs_source=mount.source if mount is not None else "",
            )
    except (OSError, ValueError) as error:
        return SourceLook(path, *_failed(error))


def look_at_image(path: str, account: Account | None, root: Path = Path("/")) -> ImageLook:
    """What stands at the host's absolute `path`, or would stand there. Of what is there only a superblock is read, and
    not even that behind a link that others than root and this process' user could have put there. Never raises."""
    try:
        with Way(path, root) as way:
            if way.end is None:
                return _new_image(path, account, way)
            status, inode = os.fstat(way.end), inode_of(way.end)
            kind = KINDS.get(stat.S_IFMT(status.st_mode))
            is_image = kind in (SourceKind.FILE, SourceKind.BLOCK_DEVICE)
            return ImageLook(
                path,
                kind,
                barred_reading=_barred(account, way, path, inode, READ),
                barred_writing=_barred(account, way, path, inode, READ | WRITE),
                file_id=_id(status),
                facts=_content(way.end, path) if is_image and not way.planted else None,
            )
    except (OSError, ValueError) as error:
        return ImageLook(path, *_failed(error))


def file_ids(paths: Sequence[str], root: Path = Path("/")) -> list[FileId | None]:
    """The files that the host's absolute `paths` lead to, in their order; None where there is none, or that can't be
    told. They are looked at alone."""
    files, found = RootedFiles(root), list[FileId | None]()
    for path in paths:
        try:
            found.append(_id(files.stat(path)))
        except (OSError, ValueError):
            found.append(None)
    return found


def _id(status: os.stat_result) -> FileId:
    """A device's own number, where it is one: /dev has it under many names."""
    return (-1, status.st_rdev) if stat.S_ISBLK(status.st_mode) else (status.st_dev, status.st_ino)


def _new_image(path: str, account: Account | None, way: Way) -> ImageLook:
    space, status = os.fstatvfs(way.nearest), os.fstat(way.nearest)
    directory = os.path.dirname(way.missing) or "/"
    return ImageLook(
        path,
        SourceKind.NOTHING,
        missing_directory="" if way.missing_last else way.missing,
        barred_writing=_barred(account, way, directory, inode_of(way.nearest), WRITE),
        space=Space(status.st_dev, space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize),
    )


def _content(place: int, path: str) -> ImageFacts | None:
    """None where this process may not read it."""
    try:
        fd = open_image(place)
    except OSError:
        return None
    try:
        return facts_of(fd, path)
    finally:
        os.close(fd)


def _barred(account: Account | None, way: Way, path: str, inode: Inode, wanted: int) -> Barred | None:
    if account is None:
        return None
    for place, directory in way.searched:
        if not may(account, directory, ENTER):
            return Barred(place, "enter")
    if may(account, inode, wanted):
        return None
    return Barred(path, "write" if wanted & WRITE and may(account, inode, wanted & ~WRITE) else "read")


def _failed(error: OSError | ValueError) -> tuple[None, str]:
    if isinstance(error, OSError):
        return None, _WORDS.get(error.errno or 0) or (error.strerror or "can't be looked at").lower()
    return None, "is no path"

"""What a look at the host finds where a share's files and a volume's image are: it comes from the slow lane. Pure."""

from enum import StrEnum
from typing import NamedTuple


class SourceKind(StrEnum):
    """What stands at a share's source, behind all links."""

    DIRECTORY = "directory"
    FILE = "file"
    BLOCK_DEVICE = "block device"
    CHARACTER_DEVICE = "character device"
    FIFO = "fifo"
    SOCKET = "socket"
    DANGLING = "symlink to nothing"
    NOTHING = "nothing"


class SourceFacts(NamedTuple):
    """A share's source on the host; `path` is absolute, as defined, and the rest is of what its links lead to.

    `exists` None: it can't be told, and `problem` says why. `mode` has the permission bits (0o7777). `user` and `group`
    are None where the number has no name. `fs_type`, `mount_point`, `fs_read_only`, `fs_size` and `fs_free` (bytes;
    what anybody but root may still write, as df(1) says) are of the file system that it lies on. All of them are None
    where nothing is there, and where its existence alone was looked at (`mvtui list`).
    """

    path: str
    exists: bool | None = None
    kind: SourceKind | None = None
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    user: str | None = None
    group: str | None = None
    fs_type: str | None = None
    mount_point: str | None = None
    fs_read_only: bool | None = None
    fs_size: int | None = None
    fs_free: int | None = None
    problem: str | None = None


class Holder(NamedTuple):
    """Who holds a volume's image. `how` is `open`, `lock` (it is open and locked), `mapped` (and no longer open), or
    what of the host stands on it: `loop device loop3`, `device dm-0`, `mounted at /mnt`; those have no process.

    `pid` and `command` (the process' short name, ps(1) `comm`) are None where there is none or it can't be seen: an
    open file description lock names no process. `microvm` is whose process it is, None where it is no microVM's.
    """

    pid: int | None
    command: str | None
    microvm: str | None
    how: str

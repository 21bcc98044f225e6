"""The child that grows an xfs or a btrfs: only a kernel that has it mounted can. It stays root, has the image on a loop
device, and mounts that nowhere: the mount is a descriptor (fsmount(2)), nosuid, nodev, noexec, which no path leads to.
However this process ends, the kernel unmounts and detaches (LO_FLAGS_AUTOCLEAR).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import sys
from contextlib import contextmanager

from mvtui.host.overlay.child import Lines, reply, tell
from mvtui.host.overlay.effects import Effects, give_lease_back, holds_lease, ignore_signals, no_new_privs
from mvtui.host.overlay.image_facts import superblock_pairs
from mvtui.host.overlay.lease import pause
from mvtui.host.overlay.places import file_id, file_problem, open_only_regular, walk
from mvtui.host.overlay.stop import FAILED, Stop, failed
from mvtui.host.overlay.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mvtui.host.overlay.image_facts import Pair

_LIBC = ctypes.CDLL(None, use_errno=True)

# asm-generic/unistd.h: the same on every architecture.
_FSOPEN, _FSCONFIG, _FSMOUNT = 430, 431, 432
# linux/mount.h
_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _CMD_CREATE = 0, 1, 6
_NOSUID, _NODEV, _NOEXEC = 2, 4, 8
# linux/loop.h
_LOOP_CTL_GET_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A
_LO_FLAGS_AUTOCLEAR = 4
_LOOP_CONFIG_BYTES, _LOOP_FLAGS_AT = 304, 8 + 52
_TRIES = 20
# xfs_fs.h: struct xfs_growfs_data; xfs_format.h: sb_blocksize, sb_imax_pct
_XFS_IOC_FSGROWFSDATA = 0x4010586E
_XFS_BLOCK_SIZE_AT, _XFS_IMAX_PCT_AT = 4, 127
# linux/btrfs.h: struct btrfs_ioctl_vol_args, _fs_info_args (max_id, num_devices), _dev_info_args (devid, path)
_BTRFS_IOC_RESIZE = 0x50009403
_BTRFS_ARGS_BYTES, _BTRFS_NAME_AT = 4096, 8
_BTRFS_IOC_FS_INFO, _BTRFS_FS_INFO_BYTES = 0x8400941F, 1024
_BTRFS_IOC_DEV_INFO, _BTRFS_DEV_INFO_BYTES, _BTRFS_PATH_AT = 0xD000941E, 4096, 3072

# Of an image that was copied, two have the same UUID; and nothing else than growing is to begin.
_OPTIONS = {"xfs": ("nouuid",), "btrfs": ("skip_balance",)}
# With these, nothing at all is written, neither to the image nor to what its file system says that it consists of.
_ONLY_LOOK = ("ro", "rescue=nologreplay")
_LOG_BYTES = 4096


def main() -> None:
    """Grow the one image that standard input tells of."""
    sys.excepthook = tell
    ignore_signals()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    no_new_privs()
    lines = Lines()
    setup = lines.next()
    if setup is not None and lines.next() is not None:
        try:
            reply([("result", "done"), *grow(setup)])
        except Stop as stop:
            reply([("result", stop.code), ("message", stop.message), ("hint", stop.hint)])
        except OSError as error:
            reply([("result", FAILED), ("message", f"{setup['shown'][0]}: {error.strerror}")])
    os._exit(0)


def grow(setup: Message) -> list[Pair]:
    """Mount the image, let its file system take all of it, unmount; its size and superblock then. Raises Stop,
    OSError."""
    shown, name, fs_type = setup["shown"][0], setup["name"][0], setup["fs_type"][0]
    directory = walk(setup["directory"][0])
    fd, status = open_only_regular(name, directory, os.O_RDWR)
    problem = file_problem(status, int(setup["uid"][0]))
    if problem or file_id(status) != (int(setup["device"][0]), int(setup["inode"][0])):
        raise Stop(f"{shown} {problem or 'is another file than before'}")
    if not Effects().guard(fd):
        raise Stop(f"{shown} is locked by somebody who uses it", "stop what uses it")
    loop, device = _attach(fd)
    try:
        has_lease = _make_sure(fs_type, loop, device, fd, shown)
        with _mounted(fs_type, device, shown, _OPTIONS[fs_type]) as root:
            if has_lease:
                give_lease_back(fd)
            of_btrfs = _only_device(root, loop, shown) if fs_type == "btrfs" else 0
            try:
                _grow(fs_type, root, fd, os.fstat(fd).st_size, of_btrfs)
            except OSError as error:
                raise failed(f"the {fs_type} in {shown} can't be grown", error) from None
    finally:
        os.close(loop)
    os.fsync(fd)
    return [("size", os.fstat(fd).st_size), *superblock_pairs(fd)]


def _make_sure(fs_type: str, loop: int, device: str, fd: int, shown: str) -> bool:
    """Nobody has the image open, and a btrfs in it has no other device. Nobody can change that before it is mounted:
    with the lease, who opens it waits; False where the file system has no leases. Raises Stop, OSError."""
    for _ in range(_TRIES):
        held = Effects().lease(fd)
        if held is not False:
            if fs_type == "btrfs":
                with _mounted(fs_type, device, shown, (*_OPTIONS[fs_type], *_ONLY_LOOK)) as root:
                    _only_device(root, loop, shown)
            if held is None or holds_lease(fd):
                return bool(held)
            give_lease_back(fd)
        pause()
    raise Stop(f"{shown} is in use: somebody has it open, mapped, or on a loop device", "stop what uses it")


def _attach(fd: int) -> tuple[int, str]:
    """A loop device of the file, which is none any more when nobody has it open: its descriptor and path."""
    try:
        control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
        config = bytearray(_LOOP_CONFIG_BYTES)
        struct.pack_into("<I", config, 0, fd)
        struct.pack_into("<I", config, _LOOP_FLAGS_AT, _LO_FLAGS_AUTOCLEAR)
        for _ in range(_TRIES):
            path = f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
            loop = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(loop, _LOOP_CONFIGURE, bytes(config))
                return loop, path
            except OSError as error:
                os.close(loop)
                if error.errno != errno.EBUSY:  # another was faster
                    raise
    except OSError as error:
        raise failed("there is no loop device for it", error) from None
    raise Stop("there is no loop device for it: all are taken", code=FAILED)


@contextmanager
def _mounted(fs_type: str, device: str, shown: str, options: Iterable[str]) -> Iterator[int]:
    """The root of its file system, mounted meanwhile. Raises Stop, OSError."""
    mounted = _mount(fs_type, device, shown, options)
    try:
        root = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=mounted)
        try:
            yield root
        finally:
            os.close(root)
    finally:
        os.close(mounted)


def _mount(fs_type: str, device: str, shown: str, options: Iterable[str]) -> int:
    context = -1
    try:
        context = _call(_FSOPEN, fs_type.encode(), _CLOEXEC)
        _call(_FSCONFIG, context, _SET_STRING, b"source", device.encode(), 0)
        for option in options:
            key, has_value, value = option.partition("=")
            if has_value:
                _call(_FSCONFIG, context, _SET_STRING, key.encode(), value.encode(), 0)
            else:
                _call(_FSCONFIG, context, _SET_FLAG, key.encode(), None, 0)
        _call(_FSCONFIG, context, _CMD_CREATE, None, None, 0)
        return _call(_FSMOUNT, context, _CLOEXEC, _NOSUID | _NODEV | _NOEXEC)
    except OSError as error:
        if error.errno == errno.ENODEV and context < 0:
            raise Stop(f"the kernel of this host has no {fs_type}", "let the guest grow it") from None
        said = _log(context)
        words = f"the {fs_type} in {shown} can't be mounted: {(error.strerror or '').lower()}"
        raise Stop(f"{words}{': ' + said if said else ''}", "let the guest grow it", FAILED) from None
    finally:
        if context >= 0:
            os.close(context)


def _log(context: int) -> str:
    """What the kernel said last of it."""
    try:
        return os.read(context, _LOG_BYTES).decode("utf-8", "replace").strip().partition(" ")[2]
    except OSError:
        return ""


def _only_device(root: int, loop: int, shown: str) -> int:
    """The number that the btrfs at `root` gives to its one device, `loop`. Raises Stop where it has another one, too:
    by what an image says of itself, the kernel takes any unmounted device of the host for a part of it."""
    info = bytearray(_BTRFS_FS_INFO_BYTES)
    fcntl.ioctl(root, _BTRFS_IOC_FS_INFO, info)
    number, count = struct.unpack_from("=QQ", info)
    told = bytearray(_BTRFS_DEV_INFO_BYTES)
    struct.pack_into("=Q", told, 0, number)
    fcntl.ioctl(root, _BTRFS_IOC_DEV_INFO, told)
    path = bytes(told[_BTRFS_PATH_AT:]).partition(b"\0")[0]
    if count != 1 or os.stat(path).st_rdev != os.fstat(loop).st_rdev:
        raise Stop(f"the btrfs in {shown} has other devices than this image", "let the guest grow it")
    return int(number)


def _grow(fs_type: str, root: int, fd: int, size: int, of_btrfs: int) -> None:
    if fs_type == "xfs":
        block_size = int.from_bytes(os.pread(fd, 4, _XFS_BLOCK_SIZE_AT), "big")
        blocks = size // max(block_size, 1)
        arguments = struct.pack("=QII", blocks, os.pread(fd, 1, _XFS_IMAX_PCT_AT)[0], 0)
        fcntl.ioctl(root, _XFS_IOC_FSGROWFSDATA, arguments)
    else:
        name = bytearray(_BTRFS_ARGS_BYTES)
        wanted = b"%d:max" % of_btrfs
        name[_BTRFS_NAME_AT : _BTRFS_NAME_AT + len(wanted)] = wanted
        fcntl.ioctl(root, _BTRFS_IOC_RESIZE, name)


def _call(number: int, *arguments: object) -> int:
    """A system call that glibc of 2022 has no function for. Raises OSError."""
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

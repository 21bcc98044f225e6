"""Everything that a reset does to the host, one method for each effect: what tests make fail, and nothing else changes
anything."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
_LIBC.signal.restype = ctypes.c_void_p

# linux/fs.h, linux/prctl.h, linux/sched.h, linux/ioprio.h
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
_FS_IOC_GETFLAGS = 0x80086601
_FS_IOC_SETFLAGS = 0x40086602
_FS_NOCOW_FL = 0x00800000
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SIGIO, _SIGPIPE, _SIGKILL = 29, 13, 9
_SIG_DFL, _SIG_IGN = 0, 1
_EXIT_EXEC = 127

_IMAGE = 3
# What a program of `spawn_on` works on: the very file that is open, whatever has its name by then.
IMAGE = f"/proc/self/fd/{_IMAGE}"

# statx(2)
_AT_EMPTY_PATH = 0x1000
_STATX_BTIME = 0x800
_STATX_BYTES = 256
_BTIME_OFFSET = 80

# The lock of the whole file: struct flock of fcntl(2), as python's fcntl wants it on every 64 bit Linux.
_WHOLE_FILE = struct.pack("@hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _rename(old: str, at: int, new: str, new_at: int, flags: int) -> None:
    _check(_LIBC.renameat2(at, os.fsencode(old), new_at, os.fsencode(new), flags))


class Effects:
    """What is done. Names are without `/`, and relative to the open directory `at`; all raise OSError."""

    def mkdir(self, name: str, at: int) -> None:
        """A new directory, 0755."""
        os.mkdir(name, 0o755, dir_fd=at)

    def create(self, name: str, at: int) -> int:
        """A new, empty file that its owner alone can open; a descriptor for reading and writing."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=at)

    def lock(self, fd: int, text: str) -> bool:
        """Take the write lock (OFD, fcntl(2)) that goes with the descriptor, and write who has it; False where another
        has it."""
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        except (BlockingIOError, PermissionError):
            return False
        os.ftruncate(fd, 0)
        os.pwrite(fd, text.encode("utf-8", "replace"), 0)
        return True

    def nocow(self, fd: int) -> None:
        """No copy on write: counts on a file that is still empty (chattr(1), +C)."""
        flags = struct.unpack("i", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, bytes(4)))[0]
        fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("i", flags | _FS_NOCOW_FL))

    def truncate(self, fd: int, size: int) -> None:
        """Give the file that size, in bytes."""
        os.ftruncate(fd, size)

    def spawn(self, argv: list[str], path: str, output: int) -> int:
        """Start a program in a process group of its own, and with this process' end the program's; the pid. `output`
        gets what it says of errors."""
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(argv, path, output, parent)
        return pid

    def guard(self, fd: int) -> bool:
        """Lock the file, open for writing, in both ways that hypervisors look for: all its bytes (OFD, fcntl(2)) and
        flock(2). The locks go with the open file, so with whatever inherits it too. False where another has one."""
        try:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _WHOLE_FILE)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def spawn_on(self, image: int, argv: list[str], path: str, output: int) -> int:
        """Start a program that works on the open file `image`, which it finds as IMAGE, and that is never to end half
        way: neither with this process nor for want of a reader; the pid."""
        pid = os.fork()
        if pid == 0:
            _become_apart(image, argv, path, output)
        return pid

    def chown(self, fd: int, uid: int, gid: int) -> None:
        """Give it away; -1 keeps."""
        os.fchown(fd, uid, gid)

    def chmod(self, fd: int, mode: int) -> None:
        """Set the permission bits."""
        os.fchmod(fd, mode)

    def fsync(self, fd: int) -> None:
        """Wait until it is on disk."""
        os.fsync(fd)

    def rename(self, old: str, at: int, new: str, new_at: int) -> None:
        """Never replaces anything."""
        _rename(old, at, new, new_at, _RENAME_NOREPLACE)

    def exchange(self, one: str, at: int, other: str, other_at: int) -> None:
        """Both have the other's name, at one instant."""
        _rename(one, at, other, other_at, _RENAME_EXCHANGE)

    def unlink(self, name: str, at: int) -> None:
        """Remove a name that is no directory's."""
        os.unlink(name, dir_fd=at)

    def rmdir(self, name: str, at: int) -> None:
        """Remove an empty directory."""
        os.rmdir(name, dir_fd=at)

    def lease(self, fd: int) -> bool | None:
        """Take the write lease: the kernel gives it where nobody else has the file open or mapped, in whatever
        namespace, and makes wait whoever opens it later. False where somebody has it open; None where the file system
        knows no leases."""
        try:
            fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return False
            if error.errno in (errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                return None
            raise
        return True


def _become(argv: list[str], path: str, output: int, parent: int) -> None:
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(_EXIT_EXEC)
        for number in (_SIGIO, _SIGPIPE):
            _LIBC.signal(number, _SIG_DFL)
        os.setpgid(0, 0)
        _exec(argv, path, output)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_EXIT_EXEC)


def _become_apart(image: int, argv: list[str], path: str, output: int) -> None:
    try:
        _LIBC.signal(_SIGIO, _SIG_DFL)
        _LIBC.signal(_SIGPIPE, _SIG_IGN)
        os.setsid()  # no end of a terminal or of a job ends it
        os.dup2(output, 2)
        os.dup2(image, _IMAGE)
        os.set_inheritable(_IMAGE, True)
        _exec(argv, path, 2)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_EXIT_EXEC)


def _exec(argv: list[str], path: str, output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)  # what is written there comes late, after what went wrong
    os.dup2(output, 2)
    os.execve(argv[0], argv, {"PATH": path, "LC_ALL": "C"})  # noqa: S606


def no_new_privs() -> None:
    """For good: no program that this process executes has more rights than it has. Raises OSError."""
    _check(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def ignore_signals() -> None:
    """SIGIO tells that somebody waits for a lease; it would end the process. (The module signal takes long to load.)"""
    _LIBC.signal(_SIGIO, _SIG_IGN)


def holds_lease(fd: int) -> bool:
    """Whether the write lease is still whole: nobody waits in open(2) for it."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_WRLCK)


def writer_waits(fd: int) -> bool:
    """Whether somebody waits in open(2) for the write lease who wants to write: then nothing is left of it, while who
    only reads leaves a read lease (fcntl_getlease of the kernel's fs/locks.c)."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_UNLCK)


def give_lease_back(fd: int) -> None:
    """Whoever waits in open(2) goes on."""
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def is_nocow(fd: int) -> bool:
    """Whether the flag is set; False where the file system has none."""
    try:
        return bool(struct.unpack("i", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, bytes(4)))[0] & _FS_NOCOW_FL)
    except OSError:
        return False


def is_locked(fd: int) -> bool:
    """Whether another has a POSIX or OFD lock on any byte. Raises OSError."""
    kind = struct.unpack_from("@h", fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _WHOLE_FILE))[0]
    return bool(kind != fcntl.F_UNLCK)


def birth(fd: int) -> int | None:
    """When it was made, in nanoseconds since 1970; None where the file system does not tell."""
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if _LIBC.statx(fd, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer) != 0:
        return None
    if not struct.unpack_from("=I", buffer.raw)[0] & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", buffer.raw, _BTIME_OFFSET)
    return int(seconds * 1_000_000_000 + nanoseconds)

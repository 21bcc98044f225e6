"""A connection to a hypervisor's control socket, which lies in a directory of an unprivileged user.

Who may write there can put anything at the socket's path: a link, a fifo, another program's socket. So the way to it
follows no link, and what stands at its end is looked at before anything is opened; and who listens there must be the
microVM's hypervisor.
"""

import os
import posixpath
import socket
import stat
import struct

# struct ucred of unix(7): pid, uid, gid.
_UCRED = struct.Struct("=iII")
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnansweredError(Exception):
    """Nobody answers, and why, in words that follow "It can't be asked: "."""


def connect(state_dir: str, microvm: str, path: str, hypervisor: int) -> socket.socket:
    """A connection to the socket at `path` (absolute in `state_dir`, or relative to the microVM's directory), whose
    listener is the process `hypervisor`. It does not wait: a listener that is too busy is not asked. `state_dir` is
    trusted, and where it is for this process; what `path` names otherwise must lie below it.

    Raises UnansweredError."""
    place = _open(state_dir, microvm, path)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # Through the descriptor: what is connected to is what was looked at, and no path is too long.
        connection.connect(f"/proc/self/fd/{place}")
        pid, _, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        if pid != hypervisor:
            raise UnansweredError(f"who listens at {path} is not its hypervisor (pid {hypervisor}), but pid {pid}")
    except BlockingIOError:
        connection.close()
        raise UnansweredError("its control socket is busy") from None
    except OSError as error:
        connection.close()
        raise UnansweredError(f"{path}: {error.strerror}") from None
    except UnansweredError:
        connection.close()
        raise
    finally:
        os.close(place)
    return connection


def _open(state_dir: str, microvm: str, path: str) -> int:
    """A descriptor (O_PATH) of the socket."""
    own = posixpath.join(state_dir, microvm)
    relative = posixpath.relpath(path, own) if path.startswith("/") else posixpath.normpath(path)
    if relative == ".." or relative.startswith("../"):
        raise UnansweredError(f"{path} is outside of its directory")
    try:
        place = os.open(state_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise UnansweredError(f"{state_dir}: {_words(error)}") from None
    for name in (microvm, *relative.split("/")[:-1]):
        place = _step(place, name, _DIRECTORY, path)
    place = _step(place, relative.rpartition("/")[2], os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, path)
    if not stat.S_ISSOCK(os.fstat(place).st_mode):
        os.close(place)
        raise UnansweredError(f"{path} is no socket")
    return place


def _step(directory: int, name: str, flags: int, path: str) -> int:
    """Open `name` in `directory`, which is closed."""
    try:
        return os.open(name, flags, dir_fd=directory)
    except (OSError, ValueError) as error:
        raise UnansweredError(f"{path}: {_words(error)}") from None
    finally:
        os.close(directory)


def _words(error: OSError | ValueError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "is no path"

"""Whether an sshd of a guest answers: a connection is made and closed again, before anybody tries to log in.

Each gives "" where one answers, else why not, in a few words. Blocking: it waits for each answer SECONDS at most,
however the guest lets it drip. They never raise.
"""

import errno
import os
import socket
import time
from contextlib import suppress

from mvtui.host.guest.control_socket import UnansweredError, connect
from mvtui.host.guest_network import SSH_PORT

SECONDS = 2.0
DEVICE = "/dev/vhost-vsock"
_REFUSED = "nothing listens at port {}"
_GREETING = b"SSH-"


def by_vsock(cid: int) -> str:
    """Of the guest with this number; port 22, which systemd-ssh-generator(8) of the guest listens at."""
    missing = "" if os.path.exists(DEVICE) else f"; there is no {DEVICE}: modprobe vhost_vsock"
    try:
        connection = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    except OSError as error:
        return f"this host has no vsock ({_words(error)}){missing}"
    with connection:
        connection.settimeout(SECONDS)
        try:
            connection.connect((cid, SSH_PORT))
        except TimeoutError:
            return f"no answer within {SECONDS:.0f} s"
        except OSError as error:
            if error.errno == errno.ECONNRESET:
                return "no sshd of the guest listens at vsock (microvm.vsock.ssh.enable)"
            if error.errno in (errno.ENODEV, errno.ETIMEDOUT):
                return f"no guest of this host answers at that number{missing}"
            return f"{_words(error)}{missing}"
        return _greeting(connection)


def by_mux(state_dir: str, microvm: str, path: str, hypervisor: int) -> str:
    """Through the socket that its hypervisor (a pid) serves vsock with: it takes `CONNECT 22` and answers `OK PORT`."""
    try:
        connection = connect(state_dir, microvm, path, hypervisor)
    except UnansweredError as problem:
        return str(problem)
    with connection:
        connection.settimeout(SECONDS)
        try:
            connection.sendall(f"CONNECT {SSH_PORT}\n".encode())
            answer = _line(connection)
        except TimeoutError:
            return f"no answer within {SECONDS:.0f} s"
        except OSError as error:
            return _words(error)
        if not answer.startswith(b"OK "):
            return "no sshd of the guest listens at vsock (microvm.vsock.ssh.enable)"
        return _greeting(connection)


def by_address(address: str, port: int) -> str:
    """At an address; `port` is the guest's, or one that is forwarded to it."""
    try:
        connection = socket.create_connection((address, port), timeout=SECONDS)
    except ConnectionRefusedError:
        return _REFUSED.format(port)
    except TimeoutError:
        return f"no answer within {SECONDS:.0f} s"
    except OSError as error:
        return _words(error)
    with connection:
        return _greeting(connection)


def _greeting(connection: socket.socket) -> str:
    """The first that a server of ssh says (RFC 4253, 4.2)."""
    try:
        said = _line(connection)
    except TimeoutError:
        return f"who listens there says nothing within {SECONDS:.0f} s"
    except OSError as error:
        return _words(error)
    return "" if said.startswith(_GREETING) else "who listens there is no sshd"


def _line(connection: socket.socket) -> bytes:
    """Byte by byte: what follows it is another's to read. Raises TimeoutError, OSError."""
    said, until = b"", time.monotonic() + SECONDS
    with suppress(ConnectionResetError):
        while len(said) < 255 and not said.endswith(b"\n"):
            if (left := until - time.monotonic()) <= 0:
                raise TimeoutError
            connection.settimeout(left)
            if not (more := connection.recv(1)):
                break
            said += more
    return said


def _words(error: OSError) -> str:
    words = error.strerror or str(error)
    return words[0].lower() + words[1:] if words else "no connection"

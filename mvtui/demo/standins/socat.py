"""Takes the place of socat where a runner talks to its hypervisor: `socat STDIO UNIX:SOCKET,shut-none`."""

import os
import select
import socket
import sys
from collections.abc import Sequence

# socat's -t: how long it waits for the other side after one side has ended.
_LINGER_SECONDS = 0.5


def main(argv: Sequence[str]) -> int:
    """Carry bytes between standard input and output and the socket; 1 where nobody listens on it."""
    path = argv[1].removeprefix("UNIX:").partition(",")[0]
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError as error:
            sys.stderr.write(f"socat: connect({path}): {error.strerror}\n")
            return 1
        sources = [0, connection.fileno()]
        while ready := select.select(sources, [], [], None if 0 in sources else _LINGER_SECONDS)[0]:
            if connection.fileno() in ready:
                data = connection.recv(65536)
                if not data:
                    break
                os.write(1, data)
            if 0 in ready:
                data = os.read(0, 65536)
                if data:
                    connection.sendall(data)
                else:
                    sources.remove(0)
    return 0

"""What a command writes before it ends, within a time and a size."""

import os
import select
import subprocess
import time
from collections.abc import Sequence


def bounded_output(command: Sequence[str], seconds: float, most: int) -> tuple[bytes, bool]:
    """What `command` writes on its standard output, and whether that was all: it is killed where it takes longer than
    so many seconds, or writes more than `most` bytes. Nothing, where a word of it can't be given to a program (a NUL).
    Raises OSError where it can't be run."""
    deadline = time.monotonic() + seconds
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
    except ValueError:
        return b"", True
    output = bytearray()
    with process:
        assert process.stdout is not None
        poll = select.poll()
        poll.register(process.stdout, select.POLLIN)
        try:
            while len(output) <= most and poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    return bytes(output), True
                output += part
        finally:
            process.kill()
    return bytes(output), False

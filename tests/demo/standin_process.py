"""Runs a stand-in, and talks to its socket."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mvtui.demo import standins
from tests.demo.demo_folder import until

# As the demo runs its copy: without the rest of mvtui.
RUN = """
import importlib, sys
sys.path.insert(0, sys.argv.pop(1))
sys.exit(importlib.import_module(f"standins.{sys.argv.pop(1)}").main(sys.argv[1:]))
"""
PARENT = str(Path(standins.__file__).parent.parent)


@contextlib.contextmanager
def run(name: str, *arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, PARENT, name, *arguments],
        cwd=cwd,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    """All that it prints until it ends."""
    return process.communicate(timeout=20)[0]


def connect(client: socket.socket, path: Path) -> None:
    client.settimeout(20)

    def listens() -> bool:
        with contextlib.suppress(ConnectionRefusedError, FileNotFoundError):
            client.connect(str(path))
            return True
        return False

    until(listens, "nobody listens")

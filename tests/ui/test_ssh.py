"""Logging in to a guest: ssh has the terminal, the panel comes back as it was, and how it ended is said."""

import contextlib
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.operations.into import Login, NoWayError
from mvtui.ui import ssh
from mvtui.ui.app import MvtuiApp
from tests.ui.conftest import Open
from tests.ui.full_samples import HEALTHY
from tests.ui.samples import LAB, snapshot
from tests.ui.test_definitions import shows

PLACE = "root@vsock/3"


def standin(folder: Path, script: str) -> Login:
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Login((str(program), "-l", "root", "--", "vsock/3"), PLACE)


@pytest.mark.parametrize(
    ("script", "connected", "words"),
    [
        ("exit 0", True, f"back from {PLACE}"),
        ("echo to the terminal >&2; exit 3", True, f"back from {PLACE}"),
        (
            "echo one >&2; printf '\\033[31mroot@vsock/3: Permission denied (publickey).\\033[m\\r\\n' >&2; exit 255",
            False,
            f"ssh to {PLACE} ended with exit 255: root@vsock/3: Permission denied (publickey).",
        ),
        ("exit 255", False, f"ssh to {PLACE} ended with exit 255"),
        ("kill -KILL $$", False, f"ssh to {PLACE} ended with signal SIGKILL"),
        ("kill -TSTP $$; exit 0", True, f"back from {PLACE}"),  # ~^Z
        ("sleep 30 >&2 & exit 0", True, f"back from {PLACE}"),  # a master that stays, with standard error open
    ],
)
async def test_how_it_ended(tmp_path: Path, script: str, connected: bool, words: str) -> None:
    login, calls = standin(tmp_path, script.replace("sleep 30", f"echo $$ > {tmp_path}/pid; exec sleep 30")), CallLog()
    if "sleep" in script:
        login = standin(tmp_path, f"sleep 30 >&2 & echo $! > {tmp_path}/pid; exit 0")
    assert await ssh.run(login, contextlib.nullcontext, calls) == (connected, words)
    assert [(call.what, call.ok) for call in calls.calls] == [(login.words, connected)]
    with contextlib.suppress(FileNotFoundError):
        os.kill(int((tmp_path / "pid").read_text()), 9)


async def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="can't be run"):
        await ssh.run(Login((str(tmp_path / "none"),), PLACE), contextlib.nullcontext, CallLog())


_LOGS_IN = """
import asyncio, contextlib, fcntl, sys, termios
from mvtui.host.calls import CallLog
from mvtui.operations.into import Login
from mvtui.ui import ssh
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
before = termios.tcgetattr(0)
words = asyncio.run(ssh.run(Login(tuple(sys.argv[1:]), "root@x"), contextlib.nullcontext, CallLog()))
print(words, termios.tcgetattr(0) == before, flush=True)
"""


def on_a_terminal(*argv: str) -> bytes:
    """What stands on a terminal of its own at the end."""
    terminal, other = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _LOGS_IN, *argv], stdin=other, stdout=other, stderr=other, start_new_session=True
    ) as child:
        os.close(other)
        said = b""
        try:
            while select.select([terminal], [], [], 60)[0] and (part := os.read(terminal, 4096)):
                said += part
        except OSError:  # EIO: its end
            pass
        finally:
            os.close(terminal)
    assert child.returncode == 0
    return said


def test_a_terminal_left_raw_by_one_that_died_is_mended() -> None:
    said = on_a_terminal("sh", "-c", "stty raw -echo; echo lost >&2; kill -KILL $$")
    assert b"lost" in said
    assert b"(False, 'ssh to root@x ended with signal SIGKILL: lost') True" in said
    assert b"\x1b[?1000l" in said  # what it may have left on


def test_one_that_fails_with_a_raw_terminal() -> None:
    said = on_a_terminal("sh", "-c", "stty raw -echo; exit 255")
    assert b"(False, 'ssh to root@x ended with exit 255') True" in said


async def test_from_the_panel_and_back(open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MvtuiApp, "terminal_lent", lambda _: contextlib.nullcontext())
    async with open_panel(snapshot(HEALTHY), size=(120, 24)) as panel:
        panel.host.login = standin(tmp_path, f'echo "$@" > {tmp_path}/argv')
        await panel.press("s")
        await shows(panel, f"back from {PLACE}")
        assert (tmp_path / "argv").read_text() == "-l root -- vsock/3\n"
        panel.host.login = standin(tmp_path, "echo no route >&2; exit 255")
        await panel.press("2", "s")
        await shows(panel, f"ssh to {PLACE} ended with exit 255: no route")
        panel.host.login = standin(tmp_path, "exit 0")
        await panel.press("q", "W", "s")  # read-only: nothing of the host is changed
        await shows(panel, f"back from {PLACE}")


async def test_what_is_missing_is_said(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY), size=(120, 24)) as panel:
        await panel.press("s")
        await shows(panel, "web can't be reached: vsock: it has no vsock number")


async def test_every_way_that_leads_nowhere_is_told(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY)) as panel:
        reasons = ("vsock 3: there is no [proxy] here", "10.0.0.2: no answer within 2 s")
        panel.host.login = NoWayError("web can't be reached (its guest still boots)", reasons)
        await panel.press("s")
        await shows(panel, "vsock 3: there is no [proxy] here")
        assert "web can't be reached (its guest still boots)" in panel.text
        assert "10.0.0.2: no answer within 2 s" in panel.text
        assert panel.foot == "  Esc leaves"


async def test_one_that_does_not_run(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB), size=(120, 24)) as panel:
        await panel.press("s")
        assert "lab does not run: there is no guest to log in to" in panel.text

"""The person's editor: its command, its end, and the terminal after it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.ui import editor

WEB = Path("/etc/nixos/microvms/web.toml")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def add(folder: Path, name: str, script: str = "") -> Path:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder / name


@pytest.mark.parametrize(
    ("said", "argv"),
    [
        ("vim", ["vim", "+7", str(WEB)]),
        ("nano -w", ["nano", "-w", "+7", str(WEB)]),
        ("emacsclient -t", ["emacsclient", "-t", "+7", str(WEB)]),
        ("hx", ["hx", "+7", str(WEB)]),
        ("micro", ["micro", "+7", str(WEB)]),
        ("code", ["code", "--wait", "--goto", f"{WEB}:7"]),
        ("code --wait -n", ["code", "--wait", "-n", "--goto", f"{WEB}:7"]),
        ("subl", ["subl", "--wait", f"{WEB}:7"]),
        ("ed", ["ed", str(WEB)]),
        ("'my editor' --x='a b'", ["my editor", "--x=a b", str(WEB)]),
    ],
)
def test_the_line_in_each_editors_way(programs: Path, said: str, argv: list[str]) -> None:
    add(programs, argv[0])
    assert editor.editor_argv({"EDITOR": said}, WEB, 7) == argv


def test_without_a_line(programs: Path) -> None:
    add(programs, "vim")
    add(programs, "code")
    assert editor.editor_argv({"VISUAL": "code", "EDITOR": "vim"}, WEB, None) == ["code", "--wait", "--goto", str(WEB)]
    assert editor.editor_argv({"VISUAL": " ", "EDITOR": "vim"}, WEB, None) == ["vim", str(WEB)]


def test_who_says_nothing_gets_what_there_is(programs: Path) -> None:
    with pytest.raises(MvtuiError, match="there is no editor here"):
        editor.editor_argv({}, WEB, 7)
    vi = add(programs, "vi")
    assert editor.editor_argv({}, WEB, 7) == [str(vi), "+7", str(WEB)]


@pytest.mark.parametrize(("said", "words"), [("vim", "there is no vim here"), ("vim 'x", "can't be read: no closing")])
def test_what_can_t_be_run_is_said(programs: Path, said: str, words: str) -> None:
    with pytest.raises(MvtuiError, match=words):
        editor.editor_argv({"EDITOR": said}, WEB, 7)


@pytest.fixture
def lent() -> list[str]:
    return []


async def edited(lent: list[str], *argv: str) -> str:
    @contextmanager
    def suspended() -> Iterator[None]:
        lent.append("lent")
        yield
        lent.append("back")

    return await editor.run(argv, suspended)


async def test_how_it_ended_is_said(lent: list[str]) -> None:
    assert await edited(lent, "true") == ""
    assert await edited(lent, "/bin/sh", "-c", "exit 3") == "sh ended with exit 3: "
    assert await edited(lent, "/bin/sh", "-c", "kill -KILL $$") == "sh ended with signal SIGKILL: "
    assert await edited(lent, "/bin/sh", "-c", "kill -37 $$") == "sh ended with signal SIGRTMIN+3: "
    assert await edited(lent, "/bin/sh", "-c", "kill -TSTP $$; exit 4") == "sh ended with exit 4: "  # ^z of nano
    assert lent == ["lent", "back"] * 5


async def test_one_that_is_not_there_gives_the_terminal_back(tmp_path: Path) -> None:
    lent: list[str] = []

    @contextmanager
    def suspended() -> Iterator[None]:
        try:
            yield
        finally:
            lent.append("back")

    with pytest.raises(MvtuiError, match="can't be run"):
        await editor.run([str(tmp_path / "none")], suspended)
    assert lent == ["back"]


_EDITS = """
import asyncio, contextlib, fcntl, sys, termios
from mvtui.ui import editor
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
before = termios.tcgetattr(0)
words = asyncio.run(editor.run(sys.argv[1:], contextlib.nullcontext))
print(words, termios.tcgetattr(0) == before, flush=True)
"""


def test_a_terminal_left_raw_by_one_that_died_is_mended() -> None:
    terminal, other = os.openpty()
    argv = [sys.executable, "-c", _EDITS, "sh", "-c", "stty raw -echo; kill -KILL $$"]
    with subprocess.Popen(argv, stdin=other, stdout=other, stderr=other, start_new_session=True) as child:
        os.close(other)
        said = b""
        try:
            while part := os.read(terminal, 4096):
                said += part
        except OSError:  # EIO: its end
            pass
        finally:
            os.close(terminal)
    assert child.returncode == 0
    assert b"sh ended with signal SIGKILL:  True" in said
    assert b"\x1b[?1000l" in said

"""What the terminal is sent, and which program has the clipboard."""

import base64
import os
import re
from pathlib import Path

import pytest

from mvtui.host import clipboard
from mvtui.host.calls import CallLog


def test_osc_52() -> None:
    content = base64.b64encode("wéb".encode()).decode()
    assert clipboard.osc52("wéb", {"TERM": "xterm-256color"}) == f"\x1b]52;c;{content}\x07"
    assert clipboard.osc52("wéb", {"TERM": "screen", "STY": "1.x"}) == f"\x1bP\x1b]52;c;{content}\x07\x1b\\"


def test_gnu_screen_gets_it_in_pieces() -> None:
    text = "x" * 5000
    wrapped = clipboard.osc52(text, {"STY": "1.x"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", wrapped, re.DOTALL)
    assert all(len(piece) <= 760 for piece in pieces)
    assert "".join(pieces) == clipboard.osc52(text, {"TERM": "xterm"})


def test_both_where_nothing_tells_what_is_between() -> None:
    both = clipboard.osc52("web", {"TERM": "screen.xterm-256color"})
    assert both == clipboard.osc52("web", {}) + clipboard.osc52("web", {"STY": "1.x"})


@pytest.mark.parametrize(
    ("term", "has"), [("xterm-256color", True), ("screen", True), ("linux", False), ("vt100", False), ("", False)]
)
def test_terminals_without_one(term: str, has: bool) -> None:
    assert clipboard.has_clipboard({"TERM": term}) is has


@pytest.mark.parametrize(
    ("environ", "there", "argv"),
    [
        ({"WAYLAND_DISPLAY": "w"}, ["wl-copy", "xclip"], ("wl-copy",)),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, ["xclip"], ("xclip", "-selection", "clipboard")),
        ({"DISPLAY": ":0"}, ["xsel"], ("xsel", "--clipboard", "--input")),
        ({"DISPLAY": ":0"}, [], ()),
        ({}, ["wl-copy", "xclip"], ()),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"}, ["xclip"], ()),
        ({"WAYLAND_DISPLAY": "w", "SSH_TTY": "/dev/pts/1"}, ["wl-copy"], ()),
    ],
)
def test_the_desktops_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], there: list[str], argv: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    assert clipboard.desktop(environ) == argv


def test_a_program_gets_the_text_and_is_on_record(tmp_path: Path) -> None:
    calls = CallLog()
    write = ("sh", "-c", f"cat > {tmp_path}/got; echo said")
    assert clipboard.hand_over(write, "wéb", calls, listens=True) == "said"
    assert (tmp_path / "got").read_text() == "wéb"
    assert clipboard.hand_over(("false",), "web", calls) is None
    assert clipboard.hand_over((str(tmp_path / "none"),), "web", calls) is None
    assert [(call.ok, call.result) for call in calls.calls][:2] == [(True, "exit 0"), (False, "exit 1")]


def test_one_that_stays_holds_nothing_up(tmp_path: Path) -> None:
    stays = ("sh", "-c", f"cat >/dev/null; sleep 60 & echo $! > {tmp_path}/pid")
    assert clipboard.hand_over(stays, "web", CallLog()) == ""

    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipboard, "_SECONDS", 0.05)
    calls = CallLog()
    assert clipboard.hand_over(("sleep", "60"), "web", calls) is None
    assert calls.calls[0].result == "no end within 0 s"

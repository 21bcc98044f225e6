"""Copying in a plain terminal, tmux and GNU screen: what the outermost terminal gets, the buffers, the file."""

import base64
import stat
from pathlib import Path

import pytest

from mvtui.host.clipboard import osc52
from tests.demo.demo_folder import until
from tests.demo.tmux import SECONDS
from tests.ui.terminals import KINDS, LentTerminal, make_folder, open_lent

NAME = base64.b64encode(b"vm00").decode().encode()
WAYS = {
    "plain": "copied the name: OSC 52 (if the terminal takes it)",
    "tmux": "copied the name: tmux's buffer and its terminal's clipboard",
    "screen": "copied the name: screen's buffer and OSC 52 (if the terminal takes it)",
}


def copy_the_name(lent: LentTerminal) -> bytes:
    """What the terminal got for it."""
    lent.terminal.type("j")
    lent.terminal.see("microvm@vm00.service")
    lent.terminal.type("y")
    lent.terminal.see("Copy what of vm00?")
    before = len(lent.terminal.written)
    lent.terminal.type("n")
    lent.terminal.see(WAYS[lent.kind])
    return lent.terminal.written[before:]


@pytest.mark.parametrize("kind", KINDS)
def test_it_reaches_the_terminal_and_its_file(tmp_path: Path, kind: str) -> None:
    make_folder(tmp_path)
    with open_lent(kind, tmp_path) as lent:
        written = copy_the_name(lent)
        # tmux names no selection, which is the terminal's own choice.
        assert b"\x1b]52;" + (b"" if kind == "tmux" else b"c") + b";" + NAME + b"\x07" in written
        file = tmp_path / "runtime" / "mvtui" / "copied"
        assert file.read_text() == "vm00"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        if kind == "tmux":
            assert lent.ask("show-buffer") == "vm00"
        elif kind == "screen":
            buffer = tmp_path / "buffer"
            lent.ask("writebuf", str(buffer))
            until(lambda: buffer.exists() and buffer.read_text() == "vm00", "screen has no such buffer", SECONDS)
        lent.leave()


def test_a_long_text_comes_through_screen_whole(tmp_path: Path) -> None:
    """It hands on pieces, and the terminal puts them together."""
    make_folder(tmp_path)
    name = "x" * 1500
    with open_lent("screen", tmp_path) as lent:
        (tmp_path / "text").write_text(osc52(name, {"STY": "1.x"}))
        lent.ask("screen", "sh", "-c", f"cat {tmp_path}/text; exec sleep 600")
        whole = b"\x1b]52;c;" + base64.b64encode(name.encode()) + b"\x07"
        lent.terminal.read_until(lambda _: whole in lent.terminal.written)

"""How a text is copied, by what the environment tells, and what is said of it."""

from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.operations.copying import Copied, copy_text

XTERM = {"TERM": "xterm-256color"}
OSC = "OSC 52 (if the terminal takes it)"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes before the rest of PATH; the file is left in `runtime` beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "runtime").mkdir(mode=0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def add(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {folder}/argv\n{script}\n')
    (folder / name).chmod(0o755)


def asked(folder: Path) -> list[str]:
    return (folder / "argv").read_text().splitlines()


def copied(folder: Path, text: str = "web", **environ: str) -> Copied:
    return copy_text(text, {"XDG_RUNTIME_DIR": str(folder.parent / "runtime"), **XTERM, **environ}, CallLog())


def test_plain_ssh(programs: Path) -> None:
    found = copied(programs, SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22", DISPLAY="localhost:10.0")
    file = programs.parent / "runtime" / "mvtui" / "copied"
    assert found == Copied((OSC,), file, "", "\x1b]52;c;d2Vi\x07")
    assert found.words("the name") == f"copied the name: {OSC}; file {file}"
    assert file.read_text() == "web"


def test_tmux_that_hands_it_to_its_terminal(programs: Path) -> None:
    add(programs, "tmux", f"cat > {programs}/got; echo 256,clipboard,title")
    found = copied(programs, TMUX="/tmp/tmux,1,0")
    assert found.ways == ("tmux's buffer", "its terminal's clipboard")
    assert found.to_terminal == ""
    assert (programs / "got").read_text() == "web"


def test_tmux_in_a_terminal_without_a_clipboard(programs: Path) -> None:
    add(programs, "tmux", "cat > /dev/null; echo 256,title")
    assert copied(programs, TMUX="/tmp/tmux,1,0").ways == ("tmux's buffer",)


def test_an_old_tmux(programs: Path) -> None:
    add(programs, "tmux", '[ "$2" = -w ] && exit 1; cat > /dev/null')
    assert copied(programs, TMUX="/tmp/tmux,1,0").ways == ("tmux's buffer",)
    assert asked(programs)[1] == "tmux load-buffer -"


def test_gnu_screen(programs: Path) -> None:
    add(programs, "screen", "")
    found = copied(programs, STY="1.x", TERM="screen")
    assert found.ways == ("screen's buffer", OSC)
    assert found.to_terminal == "\x1bP\x1b]52;c;d2Vi\x07\x1b\\"
    assert asked(programs) == [f"screen -X readbuf {found.file}"]


def test_a_desktop_is_surer_than_the_terminal(programs: Path) -> None:
    add(programs, "wl-copy", f"cat > {programs}/got")
    found = copied(programs, WAYLAND_DISPLAY="wayland-1")
    assert (found.ways, found.to_terminal) == (("the desktop's clipboard (wl-copy)",), "")
    assert (programs / "got").read_text() == "web"


def test_a_desktop_that_can_t_be_reached(programs: Path) -> None:
    add(programs, "wl-copy", "exit 1")
    assert copied(programs, WAYLAND_DISPLAY="wayland-1").ways == (OSC,)


@pytest.mark.parametrize(("text", "term"), [("web", "linux"), ("x" * 60_000, "xterm")])
def test_the_file_alone(programs: Path, text: str, term: str) -> None:
    found = copied(programs, text, TERM=term)
    assert (found.ways, found.to_terminal, found.ok) == ((), "", True)
    assert found.file is not None
    assert found.file.read_text() == text
    assert found.words("the why") == f"no clipboard is known here: the why is in {found.file}"


def test_no_file(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mvtui.host.copied_file.leave", fails)
    assert (
        copied(programs).words("the name") == f"copied the name: {OSC}; no file could be left: no space left on device"
    )
    nowhere = copied(programs, TERM="linux")
    assert not nowhere.ok
    assert nowhere.words("the name") == (
        "no clipboard is known here: the name is nowhere; no file could be left: no space left on device"
    )

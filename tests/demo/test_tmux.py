"""The panel over the demo in tmux, driven by keys alone: its whole screens are compared with recorded ones.

MVTUI_RENEW_SCREENS=1 in the environment records them anew, in tests/demo/screens.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.demo_folder import need, nothing_runs, open_folder, until
from tests.demo.screens import compare
from tests.demo.tmux import SECONDS, Tmux, open_tmux

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]

# `mvtui`, on a host of that name.
MVTUI = """
import os, sys
from mvtui.cli import main
here = os.uname()
os.uname = lambda: os.uname_result((here.sysname, "hv01", *here[2:]))
sys.exit(main())
"""
# The same, with stand-ins for all programs: what is installed here would show on the screens.
WITH_STAND_INS = "from mvtui.demo import building, programs; building.MORE_PATH = programs.MORE_PATH = ()\n" + MVTUI
PROGRAMS = ("bash", "cat", "id", "nproc", "mkfs.ext4")
CHECKOUT = Path(__file__).parents[2]


def mvtui(program: str, *arguments: str, path: str) -> None:
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=CHECKOUT,
        env={"PATH": path, "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
        timeout=3 * SECONDS,
    )


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A demo that was begun with `mvtui demo --up`; its path is as long on every machine."""
    need("tmux")
    need("setpriv")
    need("mkfs.ext4")
    with open_folder("/tmp") as folder:
        programs = folder / "bin"
        programs.mkdir()
        for name in PROGRAMS:
            found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
            assert found is not None
            (programs / name).symlink_to(found)
        demo = folder / "demo"
        mvtui(WITH_STAND_INS, "demo", "--up", str(demo), path=str(programs))
        try:
            yield demo
        finally:
            mvtui(MVTUI, "demo", "--down", str(demo), path=os.environ["PATH"])
            assert nothing_runs(demo)


def panel(root: Path) -> list[str]:
    return [sys.executable, "-c", MVTUI, "--state-dir", str(root / "microvms"), "--manager", "direct"]


def settled_list(terminal: Tmux) -> None:
    """All eight have come into their states."""
    terminal.wait_for(
        "2 degraded  1 looping  1 failed", "fsd home", "failed depend", "emergency", without=["looking at"]
    )


def compare_of_root(terminal: Tmux, name: str, root: Path) -> None:
    """Root's virtiofsd has a child, that of others has none; recorded is what root sees."""
    if os.geteuid() == 0:
        compare(terminal, name, root)


def forget_message(terminal: Tmux) -> None:
    """The status line is empty again."""
    terminal.press("p")
    terminal.wait_for("paused: p goes on")
    terminal.press("p")
    terminal.wait_for(without=["paused"])


def test_a_large_terminal_without_glyphs(root: Path) -> None:
    with open_tmux(root.parent, panel(root), (120, 36), "screen") as terminal:
        settled_list(terminal)
        terminal.press("j", "j", "j", "j")
        terminal.wait_for("- git -")
        compare(terminal, "large-list", root)
        terminal.press("4")
        terminal.wait_for("[4 Processes]", "-name git")
        terminal.press("G")
        terminal.wait_for("Enter shows all")
        terminal.press("Enter")
        terminal.wait_for("earlyprintk")
        compare_of_root(terminal, "large-processes", root)
        terminal.press("q")
        terminal.wait_for("mvtui  hv01")
        terminal.press("q")
        until(lambda: not terminal.is_open, "q does not leave", SECONDS)


def test_the_walk(root: Path) -> None:
    with open_tmux(root.parent, panel(root), (80, 24), "tmux-256color") as terminal:
        settled_list(terminal)
        compare(terminal, "list", root)
        filter_and_sort(terminal, root)
        stop_two_and_start_them(terminal, root)
        restart(terminal, root)
        open_page(terminal, root)
        look_around(terminal, root)
        reset_and_undo(terminal)
        terminal.press("q")
        until(lambda: not terminal.is_open, "q does not leave", SECONDS)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
def test_forms_by_keys_alone(root: Path, size: tuple[int, int]) -> None:
    document = root / "definitions" / "web.toml"
    before = document.read_text()
    try:
        with open_tmux(root.parent, panel(root), size, "tmux-256color") as terminal:
            terminal.wait_for("─ build ─", "? help")
            terminal.press("G")
            terminal.wait_for("─ web ─")
            add_a_share(terminal, root)
            assert document.read_text() == before
            terminal.insist("s", without=["save web.toml"])
            until(lambda: document.read_text() != before, "it is not saved", SECONDS)
            assert tomllib.loads(document.read_text())["shares"][-1] == {
                "tag": "ro-media",
                "source": f"{root}/srv",
                "mountPoint": "/media",
                "proto": "virtiofs",
                "readOnly": True,
            }
            terminal.insist("Escape", "? help", "≠ rebuild")
            saved = document.read_text()
            move_a_volume(terminal)
            terminal.press("q")
            until(lambda: not terminal.is_open, "q does not leave", SECONDS)
            assert document.read_text() == saved
    finally:
        document.write_text(before)


def add_a_share(terminal: Tmux, root: Path) -> None:
    """Up to the question whether to save it."""
    terminal.press("e")
    terminal.wait_for("web: what its definition file says", "nix-store-overlay.img", "+share")
    terminal.press("s")
    terminal.wait_for("web > share (new)", "tag is missing.")
    terminal.press("-l", "ro-store")
    terminal.wait_for("web > share ro-store (new)", 'The tag "ro-store" is that of')
    terminal.press("C-w")
    terminal.press("-l", "ro-media")
    terminal.press("Down")
    terminal.press("-l", f"{root}/sr")
    terminal.wait_for(f"{root}/sr"[-20:])
    terminal.press("Tab")
    terminal.wait_for(f"{root}/srv"[-20:])
    terminal.press("Down")
    terminal.press("-l", "/media/")
    terminal.wait_for("ends with a slash", "^f")
    terminal.press("C-f")
    terminal.wait_for("/media", without=["ends with a slash", "/media/"])
    terminal.press("Down", "Down", "Space", "Enter")
    terminal.wait_for("ro-media", "not saved", "web: what its definition file says")
    terminal.press("r")
    terminal.wait_for("share ro-media added: save web.toml on")


def move_a_volume(terminal: Tmux) -> None:
    """Its drive letter is told; what was done is dropped."""
    terminal.press("e")
    terminal.wait_for("ro-media", "web: what its definition file says", without=["not saved"])
    terminal.press("v")
    terminal.wait_for("web > volume (new)")
    terminal.press("-l", "a.img")
    terminal.press("Enter")
    terminal.wait_for("a.img", "not saved")
    terminal.press("K")
    terminal.wait_for("becomes vd", "; it is vd")
    terminal.press("Escape")
    terminal.wait_for("not saved: d drops")
    terminal.insist("d", "? help", without=["not saved"])


def filter_and_sort(terminal: Tmux, root: Path) -> None:
    terminal.press("/", "r", "u", "n")
    terminal.wait_for("3 of 8   Enter keeps")
    compare(terminal, "filter", root)
    terminal.press("Enter")
    terminal.wait_for("/run 3 of 8", "? help")
    terminal.press("Escape")
    terminal.wait_for("mail", without=["/run"])
    terminal.press(">")
    terminal.wait_for("STATE↓")
    compare(terminal, "sorted", root)
    terminal.press("<")
    terminal.wait_for(without=["STATE↓"])


def stop_two_and_start_them(terminal: Tmux, root: Path) -> None:
    terminal.press("g", "Space", "G", "Space")
    terminal.wait_for("2 marked", "─ web ─")
    terminal.press("T")
    terminal.wait_for("stop 2 microVMs on hv01?")
    compare(terminal, "stop-two", root)
    terminal.insist("2", "Esc leaves.\n2")
    terminal.press("Enter")
    terminal.wait_for("○ build       stopped", "○ web         stopped")
    forget_message(terminal)
    compare(terminal, "stopped", root)
    terminal.press("S")
    terminal.wait_for("● web         running", "web: ")
    terminal.press("g", "S")
    terminal.wait_for("● build       running", "build: ")
    forget_message(terminal)
    compare(terminal, "started", root)


def restart(terminal: Tmux, root: Path) -> None:
    terminal.press("r")
    terminal.wait_for("restart build on hv01?")
    compare(terminal, "restart-question", root)
    terminal.insist("Escape", "? help", without=["restart build"])
    terminal.press("r")
    terminal.wait_for("restart build on hv01?")
    terminal.insist("y", without=["restart build on"])
    terminal.wait_for("● build       running", "build: ")
    compare(terminal, "restarted", root)
    forget_message(terminal)


def open_page(terminal: Tmux, root: Path) -> None:
    terminal.press("j", "j", "j", "j")
    terminal.wait_for("─ git ─")
    terminal.press("Enter")
    terminal.wait_for("hv01 > git", "▌1 Overview▐")
    compare(terminal, "overview", root)
    terminal.press("2")
    terminal.wait_for("▌2 Shares▐")
    compare_of_root(terminal, "shares", root)
    terminal.press("3")
    terminal.wait_for("▌3 Volumes▐")
    compare(terminal, "volumes", root)
    terminal.press("4")
    terminal.wait_for("▌4 Processes▐", "-name git")
    terminal.press("G")
    terminal.wait_for("Enter shows all")
    terminal.press("Enter")
    terminal.wait_for("earlyprintk")
    compare_of_root(terminal, "processes", root)


def look_around(terminal: Tmux, root: Path) -> None:
    terminal.press(":")
    terminal.wait_for("Type an action or a name")
    terminal.press("w", "e", "b")
    terminal.wait_for(" 1 ─")
    compare(terminal, "palette", root)
    terminal.press("Enter")
    terminal.wait_for("hv01 > web")
    terminal.press("1")
    terminal.wait_for("▌1 Overview▐")
    terminal.press("q")
    terminal.wait_for("mvtui  hv01")
    terminal.press("?")
    terminal.wait_for("The keys that work here")
    compare(terminal, "help", root)
    terminal.press("q")
    terminal.wait_for("? help")
    terminal.press("@")
    terminal.wait_for("What mvtui called")
    terminal.press("G")
    # When each guest is asked again, and so where that stands, differs from run to run.
    terminal.wait_for("start build: done", "ended ← kill -TERM", "socket   ask qemu at")
    terminal.press("q")
    terminal.wait_for("? help", without=["What mvtui called"])
    terminal.press("W", "T")
    terminal.wait_for("RO", "read-only: W switches it off")
    compare(terminal, "read-only", root)


def reset_and_undo(terminal: Tmux) -> None:
    """As far as the screens are told by the path of the demo, they are not compared."""
    terminal.press("W")
    terminal.wait_for("read-write")
    terminal.press("G", "k", "k")
    terminal.wait_for("─ lab ─")
    answer(terminal, "O", "reset the overlay of lab on hv01?", "o")
    terminal.wait_for("lab: the overlay is reset", "u brings the old one back")
    answer(terminal, "u", "bring back the old overlay of lab on hv01?", "u")
    terminal.wait_for("lab: the overlay is back")
    answer(terminal, "x", "free the old overlay of lab on hv01?", "x")
    terminal.wait_for("is freed in the background")
    answer(terminal, "A", "reset the overlay of lab on hv01 by itself?", "o")
    terminal.wait_for("lab: its overlay is reset before its next start")
    forget_message(terminal)
    terminal.wait_for("its overlay is reset before its next start")
    terminal.press("A")
    terminal.wait_for("now: once, at its next start")
    terminal.insist("n", "lab: it is not armed any more")


def answer(terminal: Tmux, key: str, question: str, letter: str) -> None:
    """Ask, and say yes: once more only where the question has not heard it, since the letter asks again."""
    terminal.press(key)
    terminal.wait_for(question)
    terminal.insist(letter, without=[question])

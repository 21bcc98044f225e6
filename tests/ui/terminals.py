"""A program in a terminal as people have them: a plain one, tmux, GNU screen."""

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.demo.demo_folder import need, until
from tests.demo.tmux import SECONDS, open_tmux
from tests.ui.terminal import TerminalProgram

KINDS = ("plain", "tmux", "screen")
_EXEC = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class LentTerminal:
    """A panel of `tests.ui.lending_panel` in a terminal; `multiplexer` gives the words that ask tmux or screen."""

    def __init__(self, kind: str, folder: Path, terminal: TerminalProgram, multiplexer: list[str]) -> None:
        self.kind, self.folder, self.terminal = kind, folder, terminal
        self._multiplexer = multiplexer

    def ask(self, *words: str) -> str:
        """What tmux or screen answers."""
        done = subprocess.run(
            [*self._multiplexer, *words], capture_output=True, encoding="utf-8", timeout=SECONDS, check=True
        )
        return done.stdout

    def order(self, line: str) -> None:
        """Have the panel carry out a command."""
        with open(self.folder / "commands", "w", encoding="utf-8") as commands:
            commands.write(f"{line}\n")

    def leave(self) -> list[str]:
        """Quit; the terminal's settings as the next program finds them."""
        self.terminal.type("Q")
        return self.left(0)

    def left(self, code: int) -> list[str]:
        """The same once it has ended with that code."""
        self.terminal.see(f"left {code}")
        until((self.folder / "after").exists, "nothing came after", SECONDS)
        return (self.folder / "after").read_text().split()

    @property
    def panel(self) -> int:
        """The pid of the panel."""
        return int((self.folder / "panel.pid").read_text())

    def pid(self, name: str) -> int:
        """Of the program `name` of the folder, once it runs."""
        path = self.folder / f"{name}.pid"
        until(lambda: path.exists() and path.read_text().endswith("\n"), f"{name} does not run", SECONDS)
        return int(path.read_text())


def make_folder(folder: Path) -> None:
    """What the panel needs in it."""
    for name in ("bin", "definitions", "runtime", "screens"):
        (folder / name).mkdir(mode=0o700)
    os.mkfifo(folder / "commands")
    (folder / "definitions" / "vm00.toml").write_text("mem = 1024\n")


def add_program(folder: Path, name: str, script: str) -> None:
    """A program that the panel lends its terminal to; `name`.pid tells that it runs."""
    program = folder / "bin" / name
    program.write_text(
        f"#!/bin/sh\n{script}\n".replace("RUNS", f"echo $$ > {folder}/.pid; mv {folder}/.pid {folder}/{name}.pid")
    )
    program.chmod(0o755)


def lending(folder: Path) -> str:
    """The command that opens the panel."""
    return shlex.join([sys.executable, "-m", "tests.ui.lending_panel", str(folder)])


def environ_of(folder: Path) -> dict[str, str]:
    """What a panel that lends needs."""
    return {
        "EDITOR": str(folder / "bin" / "editor"),
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "XDG_STATE_HOME": str(folder / "state"),
        "LANG": "C.UTF-8",
    }


def _argv(folder: Path) -> list[str]:
    words = [f"{name}={value}" for name, value in environ_of(folder).items()]
    after = f"stty -a > {folder}/.after; mv {folder}/.after {folder}/after; exec sleep 600"
    return ["env", *words, "sh", "-c", f"trap : HUP INT QUIT; {lending(folder)}; echo left $?; {after}"]


@contextlib.contextmanager
def open_lent(kind: str, folder: Path) -> Iterator[LentTerminal]:
    """The panel, once it stands. All that is begun ends with the block, and when this process is killed."""
    make = {"plain": _plain, "tmux": _tmux, "screen": _screen}
    with make[kind](folder) as lent:
        lent.terminal.see("? help")
        yield lent


@contextlib.contextmanager
def _plain(folder: Path) -> Iterator[LentTerminal]:
    with TerminalProgram(["-c", _EXEC, *_argv(folder)], pipe=False) as terminal:
        yield LentTerminal("plain", folder, terminal, [])


@contextlib.contextmanager
def _tmux(folder: Path) -> Iterator[LentTerminal]:
    need("tmux")
    need("setpriv")
    with open_tmux(folder, _argv(folder), (80, 24), "tmux-256color") as server:
        words = ["tmux", "-S", str(server.socket)]
        with TerminalProgram(["-c", _EXEC, *words, "attach"], pipe=False) as terminal:
            yield LentTerminal("tmux", folder, terminal, words)


@contextlib.contextmanager
def _screen(folder: Path) -> Iterator[LentTerminal]:
    need("screen")
    need("setpriv")
    (folder / "screenrc").write_text("startup_message off\ndefutf8 on\naltscreen on\nvbell off\n")
    environ = {**os.environ, "SCREENDIR": str(folder / "screens"), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    for name in ("STY", "TMUX"):
        environ.pop(name, None)
    words = ["screen", "-c", str(folder / "screenrc"), "-S", "mvtui"]
    server = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *words, "-D", "-m", *_argv(folder)], env=environ)
    try:
        until(lambda: any((folder / "screens").iterdir()), "screen does not start", SECONDS)
        ask = ["env", f"SCREENDIR={folder}/screens", *words, "-X"]
        attach = [*words[:3], "-x", "mvtui"]
        with TerminalProgram(
            ["-c", _EXEC, *attach], pipe=False, environ={"SCREENDIR": f"{folder}/screens"}
        ) as terminal:
            yield LentTerminal("screen", folder, terminal, ask)
    finally:
        subprocess.run(["screen", "-S", "mvtui", "-X", "quit"], env=environ, check=False, capture_output=True)
        server.kill()
        server.wait()

"""How many bytes every scene writes: a look that sees the same nothing, moving in it little more than what comes into
sight, leaving it no more than opening something. Run with `-s`, it prints what it measured."""

import pytest

from tests.ui.scenes import SCENES
from tests.ui.terminal import TerminalProgram
from tests.ui.test_byte_budgets import KEY, OPENS, Measured
from tests.ui.test_terminals import SCENES as OF_EACH_KIND
from tests.ui.test_terminals import played

# What a look sees there is not the same: it gets older.
_CHANGES = {"stale"}
_ALL = sorted(name for name, scene in SCENES.items() if not scene.options and name not in _CHANGES)
_PARTS = 4
_CASES = [("xterm-256color", _ALL[part::_PARTS]) for part in range(_PARTS)]
_CASES += [(term, [name for name in OF_EACH_KIND if name not in _CHANGES]) for term in ("linux", "vt100")]
_LOG_KEYS = ("ctrl+u", "pageup", "pagedown", "g", "G", "w", "t", "t", "w", "k", "j")


class Scene(Measured):
    """A scene of which the keys are measured by what they bring into sight."""

    def __init__(self, name: str, program: TerminalProgram) -> None:
        super().__init__(program)
        self.name = name
        self._program = program

    def move(self, key: str, least: int = KEY) -> None:
        """Press a key that may take so much, or else the lines that come into sight, a half of those that go (blanks
        are written where they were), and a few for places and looks."""
        before = self._program.lines
        written = self.press(key)
        come, gone = (
            sum(len(line.encode()) for line in these if line not in those)
            for these, those in ((self._program.lines, before), (before, self._program.lines))
        )
        self.note(f"{self.name}: {key}", written, max(least, come + gone // 2 + KEY * 3 // 4))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("term", "scenes"), _CASES)
def test_every_scene(term: str, scenes: list[str]) -> None:
    rows: list[tuple[str, int, int]] = []
    for name, program in zip(scenes, played(scenes, {"TERM": term}), strict=True):
        scene = Scene(name, program)
        for _ in range(2):
            scene.note(f"{name}: unchanged look", len(program.command("tick")), 0)
        for key in ("down", "down", "up"):
            scene.move(key)
        scene.key(f"{name}: leave", "escape", OPENS)
        rows += scene.rows
    _check(rows)


@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_a_log_takes_what_comes_into_sight(term: str) -> None:
    for program in played(["degraded-logs"], {"TERM": term}):
        scene = Scene("logs", program)
        for key in _LOG_KEYS:
            scene.move(key, least=KEY // 2)
        _check(scene.rows)


def _check(rows: list[tuple[str, int, int]]) -> None:
    table = [f"{words:<40} {written:>6} of {most:>6} bytes" for words, written, most in rows]
    print("\n".join(["", *table]))
    assert all(written <= most for _, written, most in rows), "\n".join(
        line for line, (_, written, most) in zip(table, rows, strict=True) if written > most
    )

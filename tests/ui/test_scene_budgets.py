"""How many bytes every scene writes: a look that sees the same nothing, moving in it no more than any key, a page of
other text half as much again, leaving it no more than opening something. Run with `-s`, it prints what it measured."""

import pytest

from tests.ui.scenes import SCENES
from tests.ui.test_byte_budgets import KEY, OPENS, PAGE, Measured
from tests.ui.test_terminals import SCENES as OF_EACH_KIND
from tests.ui.test_terminals import played

# What a look sees there is not the same: it gets older.
_CHANGES = {"stale"}
_ALL = sorted(name for name, scene in SCENES.items() if not scene.options and name not in _CHANGES)
_PARTS = 4
_CASES = [("xterm-256color", _ALL[part::_PARTS]) for part in range(_PARTS)]
_CASES += [(term, [name for name in OF_EACH_KIND if name not in _CHANGES]) for term in ("linux", "vt100")]
_PAGES = ("pagedown", "pageup", "G", "g")
# These lay out all of a log anew.
_ANEW = ("w", "t")
_LOG_KEYS = ("ctrl+u", "pageup", "pagedown", "g", "G", "w", "t", "t", "w", "k", "j")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("term", "scenes"), _CASES)
def test_every_scene(term: str, scenes: list[str]) -> None:
    rows: list[tuple[str, int, int]] = []
    for name, program in zip(scenes, played(scenes, {"TERM": term}), strict=True):
        scene = Measured(program)
        for _ in range(2):
            scene.note(f"{name}: unchanged look", len(program.command("tick")), 0)
        for key in ("down", "down", "up", "up", *_PAGES):
            scene.note(f"{name}: {key}", scene.press(key), PAGE if key in _PAGES else KEY)
        scene.key(f"{name}: leave", "escape", OPENS)
        rows += scene.rows
    _check(rows)


@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_leafing_through_a_log(term: str) -> None:
    for program in played(["degraded-logs"], {"TERM": term}):
        log = Measured(program)
        for key in _LOG_KEYS:
            log.note(f"logs: {key}", log.press(key), OPENS if key in _ANEW else KEY)
        _check(log.rows)


@pytest.mark.parametrize("term", ["xterm-256color", "vt100"])
def test_a_command_line_is_opened_and_closed(term: str) -> None:
    for program in played(["healthy-processes"], {"TERM": term}):
        processes = Measured(program)
        for key in ("G", "g"):
            processes.note(f"processes: {key}", processes.press(key), KEY)
        for key in ("enter", "enter", "enter", "down"):  # it is folded again when the cursor leaves it
            processes.note(f"processes: {key}", processes.press(key), OPENS)
        _check(processes.rows)


def _check(rows: list[tuple[str, int, int]]) -> None:
    table = [f"{words:<40} {written:>6} of {most:>6} bytes" for words, written, most in rows]
    print("\n".join(["", *table]))
    assert all(written <= most for _, written, most in rows), "\n".join(
        line for line, (_, written, most) in zip(table, rows, strict=True) if written > most
    )

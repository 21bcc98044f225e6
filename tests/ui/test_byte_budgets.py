"""How many bytes the panel writes to a terminal of 80×24 cells and 256 colours: every tick, every key of every command,
on the list and on each tab. Run with `-s`, each test prints what it measured."""

from collections.abc import Iterator

import pytest

from mvtui.ui.command import Place
from mvtui.ui.commands import COMMANDS, TABS
from tests.ui.terminal import TerminalProgram

CHILD = ["-m", "tests.ui.terminal_child"]
PLACES = ("list", *TABS)

FIRST_PAINT = 15_000
KEY = 1_024
PAGE = 1_536
OPENS = 6_000

# What opens or closes something: a level, a tab, a dialog, a question. A new command stands in one of the two.
BUDGETS = (
    dict.fromkeys(
        [
            *("open", "filter", "filter_state", "stop", "restart", "kill", "cancel", "palette", "help", "calls"),
            *("reset", "undo", "free", "arm", "grow", "drift", "doctor", "edit"),
            *("make_writable", "share_store", "make_source", "rebuild", "edit_file", "adopt", "ssh", "bundle", "copy"),
            *("search", "log_level", "log_source", "log_wrap", "log_times", "search_next", "search_previous"),
            *("event_group", "unfold"),
            *("leave", "back", "tab_previous", "tab_next", *(f"tab_{tab}" for tab in TABS)),
        ],
        OPENS,
    )
    | dict.fromkeys(
        [
            *("cursor_down", "cursor_up", "page_down", "page_up", "half_down", "half_up", "first", "last"),
            *("mark", "mark_all", "sort_left", "sort_right", "sort_reverse", "start"),
            *("toggle_read_only", "toggle_pause", "toggle_mouse", "suspend", "quit"),
        ],
        KEY,
    )
    | {"look": OPENS}  # which paints everything anew
)
# In a log, and in what happened, other lines come into sight: as many as there is room for, and what is left of the
# words of the old ones.
LEAF_THROUGH = dict.fromkeys(("page_down", "page_up", "half_down", "half_up", "first", "last"), PAGE)
# These end the panel from the list; measured by a test of their own.
ENDS = {"quit", "back"}


def _written(panel: TerminalProgram, *commands: str) -> int:
    """How many bytes these write, with all that follows."""
    written = sum(len(panel.command(one)) for one in commands)
    while more := len(panel.command("tick")):
        written += more
    return written


class Measured:
    """Bytes, by what made the panel write them."""

    def __init__(self, panel: TerminalProgram) -> None:
        self.panel = panel
        self.rows: list[tuple[str, int, int]] = []

    def press(self, *keys: str) -> int:
        """Press them, and let all be painted that follows; how many bytes that took."""
        return _written(self.panel, f"press {' '.join(keys)}")

    def key(self, words: str, key: str, most: int) -> None:
        """Press it, and note what that took; what the looks of every five seconds take is not the key's."""
        _written(self.panel, "slot")
        self.rows.append((words, self.press(key), most))

    def note(self, words: str, written: int, most: int) -> None:
        """What took so many."""
        self.rows.append((words, written, most))

    def go(self, place: str) -> None:
        """To the second of the list, or to a tab of its page; nothing is open, filtered, marked or asked."""
        self.press(*["escape"] * 3, "g", "j", *([str(TABS.index(place) + 1)] if place != "list" else []))

    def check(self) -> None:
        """All within what they may take."""
        table = "\n".join(f"{words:<40} {written:>6} of {most:>6} bytes" for words, written, most in self.rows)
        print(f"\n{table}")
        assert all(written <= most for _, written, most in self.rows), table


@pytest.fixture
def measured() -> Iterator[Measured]:
    with TerminalProgram(CHILD) as panel:
        panel.settle()
        panel.command("past")
        panel.settle()
        yield Measured(panel)


def test_every_command_has_its_budget() -> None:
    assert BUDGETS.keys() == {one.id for one in COMMANDS}


def test_the_first_paint() -> None:
    """All that is written until the states stand there, and the names before them."""
    with TerminalProgram(CHILD) as panel:
        panel.settle()
        assert "● vm10        running" in panel.text
        assert "? help" in panel.lines[-1]
        print(f"\nfirst paint {len(panel.written)} bytes")
        assert len(panel.written) <= FIRST_PAINT


@pytest.mark.parametrize("place", PLACES)
def test_a_tick(measured: Measured, place: str) -> None:
    measured.go(place)
    panel = measured.panel
    for _ in range(5):
        measured.note("unchanged tick", len(panel.command("tick")), 0)
    measured.note("other values of 4 of 12 microVMs", _written(panel, "change 4"), 700)
    measured.note("other values of every process", _written(panel, "work"), KEY)
    measured.note("the same five seconds later", _written(panel, "pass 5", "work"), KEY)
    measured.check()
    if place not in ("shares", "volumes", "logs", "timeline"):  # what these show was the same
        assert all(written for _, written, _ in measured.rows[-2:])


def test_a_tick_while_a_form_is_open(measured: Measured) -> None:
    measured.go("list")
    measured.press("e", "s", "a")
    for _ in range(3):
        measured.note("unchanged tick", len(measured.panel.command("tick")), 0)
    measured.note("other values of every process", _written(measured.panel, "work"), KEY)
    measured.check()


@pytest.mark.parametrize("place", PLACES)
def test_every_key(measured: Measured, place: str) -> None:
    places = {Place.PANEL, Place.MOVE, Place.LIST if place == "list" else Place.PAGE}
    places |= {Place(place)} & {Place.PROCESSES, Place.LOGS, Place.TIMELINE} if place in set(Place) else set()
    budgets = BUDGETS | (LEAF_THROUGH if place in ("logs", "timeline") else {})
    for one in COMMANDS:
        if one.place not in places or (place == "list" and one.id in ENDS) or one.id == "quit":
            continue
        for key in one.keys:
            measured.go(place)
            measured.key(f"{place}: {key} ({one.id})", key, budgets[one.id])
            if one.id not in ("toggle_mouse", "toggle_pause", "toggle_read_only"):
                measured.key(f"{place}: leave it", "escape", OPENS)
            else:
                measured.key(f"{place}: {key} again", key, KEY)
    measured.check()


# What is open, and the keys in it: those in brackets open it.
DIALOGS = {
    "filter": (["slash"], ["v", "m", "0", "3", "backspace", "backspace", "x", "enter", "escape"]),
    "filter by state": (["f"], ["r"]),
    "only what is wrong": (["f"], ["x"]),
    "none is shown": (["slash", "x"], ["y", "z", "escape"]),
    "palette": (["colon"], ["down", "up", "pagedown", "pageup", "s", "t", "o", "backspace"]),
    "palette, a microVM": (["colon"], ["v", "m", "0", "3"]),
    "theme": (["colon"], [*"contrast", "enter"]),
    "help": (["question_mark"], ["j", "k", "pagedown", "pageup", "G", "g"]),
    "doctor": (["D"], ["j", "k", "g"]),
    "calls": (["at"], ["j", "k"]),
    "copy": (["y"], ["j", "k", "n"]),
    "search": (["l", "slash"], ["e", "r", "backspace", "backspace", "z"]),
    "level": (["l", "v"], ["e"]),
    "source": (["l", "f"], ["g"]),
    "stop": (["T"], ["x", "y"]),
    "kill": (["T", "y", "K"], ["v", "m", "backspace"]),
    "of several": (["asterisk", "T"], ["1", "2", "backspace"]),
    "reset": (["O"], ["x", "escape"]),
    "reset of one that runs": (["O"], ["f"]),
    "its name, to stop and reset": (["O", "f"], ["v", "m", "backspace"]),
    "arm": (["A"], ["a"]),
    "definition": (["e"], ["j", "J", "K", "x", "u"]),
    "review": (["e", "j", "x", "r"], ["j", "k", "x", "escape"]),
    "share": (["e", "s"], ["a", "b", "down", "/", "x", "down", "down", "space", "backspace"]),
    "volume": (["e", "v"], ["a", "/", "backspace", "down", "down", "9", "down", "tab", "down", "space", "pagedown"]),
    "overlay": (["e", "o"], ["/", "x", "backspace", "ctrl+u"]),
}


CHOICES = ("copy", "level", "source", "stop", "reset of one that runs", "arm", "filter by state", "only what is wrong")


def _budget(name: str, key: str) -> int:
    return OPENS if key in ("enter", "escape") or name in CHOICES else KEY


@pytest.mark.parametrize("name", DIALOGS)
def test_keys_in_a_dialog(measured: Measured, name: str) -> None:
    opening, keys = DIALOGS[name]
    measured.go("list")
    for key in opening:
        measured.key(f"{name}: {key}", key, OPENS)
    for key in keys:
        measured.key(f"{name}: {key}", key, _budget(name, key))
    measured.check()


@pytest.mark.parametrize("key", ["q", "Q", "\x03"])
def test_the_end(measured: Measured, key: str) -> None:
    before = len(measured.panel.written)
    measured.panel.type(key)
    assert measured.panel.end() == 0
    assert len(measured.panel.written) - before <= KEY

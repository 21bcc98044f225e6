"""Every key in every place: what it changes there, and that it changes nothing else."""

import asyncio
import time
from collections.abc import Mapping

import pytest

from mvtui.ui.commands import COMMANDS, help_of
from mvtui.ui.keys import key_labels
from tests.ui.conftest import Open, Panel
from tests.ui.places import LEVELS, PLACES, TABS, changed, go, seen

TYPED = ("typed", "count", "fresh", "overlays")
MOVES = dict.fromkeys(("list", *TABS, "help", "doctor", "calls", "copy", "definition", "adopt"), "cursor") | {
    "gone": ""
}
ASKS = dict.fromkeys(LEVELS, "asks")
# A microVM that is stopped in the list, one that runs on the pages, none on a page that is gone.
PAGES_ASK = dict.fromkeys(TABS, "asks")
PAGES_SAY = dict.fromkeys(TABS, "says")
LEAVES = dict.fromkeys((*TABS, "gone"), "opened tab")
DIALOGS = {one: "asks filter" if one == "filter" else "asks" for one in PLACES if one not in LEVELS}

# What a command changes in each place where its keys work; "": nothing now. Where it is not named, they do nothing.
EFFECTS: dict[str, dict[str, str]] = {
    **dict.fromkeys(
        ("cursor_down", "cursor_up", "page_down", "page_up", "half_down", "half_up", "first", "last"), MOVES
    ),
    "open": {"list": "opened tab"},
    "filter": {"list": "asks"},
    "filter_state": {"list": "asks"},
    "mark": {"list": "marks cursor"},
    "mark_all": {"list": "marks"},
    "sort_left": {"list": "sort"},
    "sort_right": {"list": "sort"},
    "sort_reverse": {"list": "sort"},
    "start": {"list": "does", **PAGES_SAY, "gone": "says"},
    "stop": {"list": "says", **PAGES_ASK, "gone": "says"},
    "restart": {"list": "asks", **PAGES_ASK, "gone": "says"},
    "kill": {"list": "says", **PAGES_ASK, "gone": "says"},
    "cancel": dict.fromkeys(LEVELS, "says"),
    "reset": {"list": "asks", **PAGES_ASK, "gone": "says"},
    "undo": dict.fromkeys(LEVELS, "says"),
    "free": dict.fromkeys(LEVELS, "says"),
    "arm": {"list": "asks", **PAGES_ASK, "gone": "says"},
    "grow": {"list": "says", **dict.fromkeys(TABS, "tab says"), "volumes": "says", "gone": "says"},
    **{
        f"tab_{tab}": {"list": "opened tab", **{one: "" if one == tab else "tab" for one in TABS}, "gone": ""}
        for tab in TABS
    },
    "rebuild": dict.fromkeys(LEVELS, "says"),  # nothing says what of
    "edit_file": dict.fromkeys(LEVELS, "says"),  # there is none
    "adopt": {"list": "says", **dict.fromkeys(TABS, "asks"), "gone": "says"},
    "make_source": dict.fromkeys(LEVELS, "says"),  # none is missing
    "make_writable": dict.fromkeys(LEVELS, "says"),  # it is
    "share_store": dict.fromkeys(LEVELS, "says"),
    "bundle": {**dict.fromkeys(("list", *TABS), "asks"), "gone": "says"},
    "ssh": dict.fromkeys(LEVELS, "says"),  # it does not run, or can't be reached
    "copy": {**dict.fromkeys(("list", *TABS), "asks"), "gone": "says", "copy": "asks"},
    "drift": {
        "list": "opened tab says",
        **{one: "says" if one == "overview" else "tab says" for one in TABS},
        "gone": "",
    },
    "edit": {"list": "asks", **dict.fromkeys(TABS, "asks"), "gone": "says", "definition": "draft"},
    "tab_previous": dict.fromkeys((*TABS, "gone"), "tab"),
    "tab_next": dict.fromkeys((*TABS, "gone"), "tab"),
    "search": {"logs": "asks"},
    "search_next": {"logs": "notes"},
    "search_previous": {"logs": "notes"},
    "log_level": {"logs": "asks"},
    "log_source": {"logs": "asks"},
    "log_wrap": {"logs": "shows"},
    "log_times": {"logs": "shows"},
    "event_group": {"timeline": "asks"},
    "unfold": {"processes": "unfolds cursor"},  # its last lines come into sight
    "palette": ASKS,
    "toggle_read_only": dict.fromkeys(LEVELS, "read-only says"),
    "help": ASKS | {"help": "asks"},
    "doctor": ASKS | {"doctor": "asks"},
    "calls": ASKS | {"calls": "asks"},
    "toggle_pause": dict.fromkeys(LEVELS, "paused says looks"),
    "look": dict.fromkeys((*LEVELS, "filter", "search", "palette", *TYPED, "definition", "form"), "looks"),
    "toggle_mouse": dict.fromkeys(LEVELS, "mouse says"),
    "suspend": dict.fromkeys(LEVELS, ""),  # there is no terminal here
    "back": {
        "list": "exits",
        **LEAVES,
        "help": "asks",
        "doctor": "asks",
        "calls": "asks",
        "copy": "asks",
        "definition": "asks",
        "adopt": "asks",
    },
    "leave": {"list": "", **LEAVES, **DIALOGS},
    "quit": dict.fromkeys(LEVELS, "exits"),
}
# Keys that mean something else in one place.
OWN: dict[tuple[str, str], str] = {
    ("state", "r"): "asks filter",  # running
    ("state", "d"): "asks filter",  # degraded
    ("state", "x"): "asks filter",  # what is wrong
    ("state", "s"): "asks filter",  # stopped
    ("state", "a"): "asks",  # all
    ("state", "l"): "asks filter",  # looping
    ("logs", "n"): "notes",  # nothing is searched for
    **dict.fromkeys([(place, key) for place in ("list", "logs") for key in ("f", "slash")], "asks"),
    ("timeline", "f"): "asks",
    ("list", "enter"): "opened tab",
    ("processes", "enter"): "unfolds cursor",
    ("level", "n"): "asks shows",  # notice
    ("level", "w"): "asks shows",  # warning
    ("level", "e"): "asks shows",  # err
    ("level", "a"): "asks",  # all, which are shown
    ("search", "enter"): "asks",
    ("search", "ctrl+u"): "types",
    **dict.fromkeys([("copy", key) for key in ("n", "d", "u", "w", "e", "enter")], "asks says"),
    **dict.fromkeys([("copy", key) for key in ("s", "p", "c", "f", "r")], "asks says"),
    ("bar", "y"): "asks does",
    ("running", "f"): "asks",  # its name is to be typed
    ("back", "u"): "asks does",
    ("free", "x"): "asks does",
    **dict.fromkeys([("plan", "o"), ("plan", "s"), ("running", "n")], "asks does"),
    ("source", "m"): "asks does",
    **dict.fromkeys([("growth", "g"), ("growth", "m")], "asks does"),
    **dict.fromkeys([("arm", key) for key in "oan"], "asks does"),
    ("which", "1"): "asks",  # then with the plan
    ("facts", "K"): "asks",
    # s adds a share, x deletes, K moves up, o has the overlay; r says that nothing is changed, beside the list.
    **dict.fromkeys([("definition", key) for key in ("s", "v", "c", "x", "K", "o", "enter")], "draft"),
    **dict.fromkeys([("definition", key) for key in ("E", "Z")], "asks says"),  # the editor, and growing: in its place
    **dict.fromkeys([("form", key) for key in ("up", "down", "pageup", "pagedown", "tab", "shift+tab")], "cursor"),
    **dict.fromkeys([("form", key) for key in ("enter", "escape")], "draft"),
    ("form", "ctrl+u"): "types",
    ("adopt", "s"): "asks says",  # it can't be written
    ("doctor", "enter"): "asks opened tab",
    ("filter", "down"): "asks",
    ("filter", "enter"): "asks",
    ("filter", "ctrl+u"): "types filter",
    ("palette", "ctrl+u"): "types cursor",
    ("palette", "enter"): "asks says",  # a theme
    **dict.fromkeys([("palette", key) for key in ("down", "up", "pagedown", "pageup")], "cursor"),
    **dict.fromkeys([(place, "ctrl+u") for place in TYPED], "types"),
}
# Of no command.
OTHERS = ("n", "o", "tab", "shift+tab", "left", "right", "delete", "f5", "ctrl+s", "ctrl+q", "ctrl+e")
PUNCTUATION = (
    *("slash", "space", "asterisk", "colon", "question_mark", "at", "less_than_sign", "greater_than_sign"),
    "equals_sign",
)
BRACKETS = ("left_square_bracket", "right_square_bracket")


def expected(place: str, id: str, key: str) -> str:  # noqa: A002
    """What the key changes there."""
    if key == "ctrl+c":
        return "exits"
    if PLACES[place].types and (len(key) == 1 or key in PUNCTUATION or key in BRACKETS):
        return "types"
    return OWN.get((place, key), EFFECTS[id].get(place, "") if id else "")


def test_every_command_has_its_effects() -> None:
    assert EFFECTS.keys() == {one.id for one in COMMANDS}
    assert {place for effects in EFFECTS.values() for place in effects} == PLACES.keys()


async def came_of(panel: Panel, before: Mapping[str, object], wanted: set[str]) -> set[str]:
    """What is other than `before`; what is wanted of it may come from a thread."""
    deadline = time.monotonic() + 5.0
    while not wanted <= (words := changed(before, seen(panel))) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
        await panel.pilot.pause()
    return words


@pytest.mark.parametrize("place", PLACES)
async def test_what_each_key_changes(open_panel: Open, place: str) -> None:
    where = PLACES[place]
    waiting = [(one.id, key) for one in COMMANDS for key in one.keys] + [("", key) for key in OTHERS]
    while waiting:
        async with open_panel(where.snapshot, size=(60, 15)) as panel:
            await go(panel, where)
            words = set[str]()
            # As long as nothing changes, the same panel does.
            while waiting and not words:
                id, key = waiting.pop()  # noqa: A001
                before = seen(panel)
                await panel.press(key)
                wanted = set(expected(place, id, key).split())
                words = await came_of(panel, before, wanted)
                if wanted == {"types"} and "types" in words:
                    words.discard("filter")  # as you type
                if "filter" in words or wanted == {"types"}:
                    words.discard("cursor")  # where it was is no longer shown
                if place in ("search", "level"):
                    words.discard("cursor")  # it goes to what is found, or shown
                assert words == wanted, f"{key} in {place}"


@pytest.mark.parametrize("place", LEVELS)
async def test_help_shows_exactly_the_keys_that_work(open_panel: Open, place: str) -> None:
    where = PLACES[place]
    async with open_panel(where.snapshot, size=(240, 120)) as panel:
        await go(panel, where)
        await panel.press("question_mark")
        shown = {half.strip() for line in panel.lines for half in (line[:120], line[120:])}
        for one in COMMANDS:
            label = f"{key_labels(one.keys):<8} "
            lines = {
                line for line in shown if line.startswith(label) and line[len(label) :].startswith(help_of(one, {}))
            }
            lines |= {line for line in shown if line.startswith(f"{label}{one.words}: ")}
            assert len(lines) == (place in EFFECTS[one.id]), (one.id, lines)

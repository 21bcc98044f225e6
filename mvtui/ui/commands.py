"""Every command of the panel, declared once."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mvtui.model.source_plan import missing_sources
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitVerb
from mvtui.ui import refusals
from mvtui.ui.command import Command, Place, Situation, Tier
from mvtui.ui.keys import ALWAYS, Keys, key_label, key_labels

if TYPE_CHECKING:
    from textual.binding import Binding

TABS = ("overview", "shares", "volumes", "processes", "logs", "timeline")
# Keys of tabs beside their numbers.
_TAB_LETTERS = {"logs": "l"}


def _move(id: str, keys: tuple[str, ...], words: str) -> Command:  # noqa: A002
    return Command(id, keys, words, words, Place.MOVE, "Move", in_palette=False)


def _act(
    verb: UnitVerb,
    key: str,
    help: str,  # noqa: A002
    refusal: Callable[[Situation], str],
    tier: Tier,
    mends: tuple[StateWord, ...] = (),
) -> Command:
    """The command of a verb; the footer has those that are no last resort."""
    in_footer = verb is not UnitVerb.KILL
    return Command(
        verb.value, (key,), verb.value, help, Place.PANEL, "Act", tier, verb, refusal, frozenset(mends), in_footer
    )


def _overlay(
    id: str,  # noqa: A002
    key: str,
    words: str,
    help: str,  # noqa: A002
    tier: Tier,
    *,
    in_footer: bool = False,
) -> Command:
    return Command(id, (key,), words, help, group="Act", tier=tier, refusal=refusals.overlay, in_footer=in_footer)


def _panel(
    id: str,  # noqa: A002
    keys: tuple[str, ...],
    words: str,
    help: str = "",  # noqa: A002
    refusal: Callable[[Situation], str] = refusals.nothing,
    *,
    in_footer: bool = False,
    in_palette: bool = True,
) -> Command:
    return Command(id, keys, words, help or words, refusal=refusal, in_footer=in_footer, in_palette=in_palette)


def _list(
    id: str,  # noqa: A002
    keys: tuple[str, ...],
    words: str,
    help: str,  # noqa: A002
    refusal: Callable[[Situation], str] = refusals.nothing,
    *,
    in_footer: bool = False,
) -> Command:
    return Command(id, keys, words, help, Place.LIST, "List", refusal=refusal, in_footer=in_footer)


def _page(id: str, keys: tuple[str, ...], words: str, help: str, place: Place) -> Command:  # noqa: A002
    return Command(id, keys, words, help, place, "Page", refusal=refusals.selected)


def _definition(id: str, key: str, words: str, help: str) -> Command:  # noqa: A002
    return Command(id, (key,), words, help, Place.PANEL, "Page", Tier.FACTS, refusal=refusals.change)


def _logs(id: str, key: str, words: str, help: str, *, in_footer: bool = False) -> Command:  # noqa: A002
    return Command(id, (key,), words, help, Place.LOGS, "Logs", in_footer=in_footer)


def _tab(number: int, tab: str) -> Command:
    letters = (_TAB_LETTERS[tab],) if tab in _TAB_LETTERS else ()
    return _page(f"tab_{tab}", (str(number), *letters), tab, f"its {tab}", Place.PANEL)


def _draft(id: str, keys: tuple[str, ...], words: str) -> Command:  # noqa: A002
    return Command(id, keys, words, words, Place.DEFINITION, "Definition", in_palette=False)


# Stands for the keys of all that acts on what is marked.
_ACTING_KEYS = "KEYS"

COMMANDS = (
    _move("cursor_down", ("j", "down"), "down"),
    _move("cursor_up", ("k", "up"), "up"),
    _move("page_down", ("pagedown",), "a page down"),
    _move("page_up", ("pageup",), "a page up"),
    _move("half_down", ("ctrl+d",), "half a page down"),
    _move("half_up", ("ctrl+u",), "half a page up"),
    _move("first", ("g", "home"), "to the first"),
    _move("last", ("G", "end"), "to the last"),
    _list("open", ("enter", "d"), "open", "open its page", refusals.selected, in_footer=True),
    _list("filter", ("slash",), "filter", "filter by name, state, note", in_footer=True),
    _list("filter_state", ("f",), "by state", "show one state alone"),
    _list("mark", ("space",), "mark", f"mark, for {_ACTING_KEYS}"),
    _list("mark_all", ("asterisk",), "mark all", "mark all shown, or none"),
    _list("sort_left", ("less_than_sign",), "sort left", "sort by the column left"),
    _list("sort_right", ("greater_than_sign",), "sort right", "sort by the column right"),
    _list("sort_reverse", ("I",), "reverse", "reverse the order"),
    _act(UnitVerb.START, "S", "start", refusals.start, Tier.FREE, (StateWord.STOPPED, StateWord.FAILED)),
    _act(UnitVerb.STOP, "T", "stop; asks", refusals.stop, Tier.ASK, (StateWord.LOOPING, StateWord.STOPPING)),
    _act(UnitVerb.RESTART, "r", "restart; asks", refusals.restart, Tier.ASK, (StateWord.LOOPING, StateWord.DEGRADED)),
    _act(UnitVerb.KILL, "K", "kill; type its name", refusals.kill, Tier.TYPE),
    Command("cancel", ("C",), "cancel", "what is under way; asks", group="Act", tier=Tier.ASK, refusal=refusals.cancel),
    _overlay("reset", "O", "reset", "reset its overlay; asks", Tier.FACTS, in_footer=True),
    Command("undo", ("u",), "undo", "mvtui's last change; asks", group="Act", tier=Tier.FACTS, refusal=refusals.change),
    _overlay("free", "x", "free old overlay", "free old overlay; asks", Tier.FACTS),
    _overlay("arm", "A", "arm", "reset it by itself; asks", Tier.ASK),
    *[_tab(number, tab) for number, tab in enumerate(TABS, 1)],
    _page("edit", ("e",), "edit", "shares, volumes, overlay", Place.PANEL),
    Command(
        "rebuild", ("B",), "rebuild", "rebuild it; asks", Place.PANEL, "Page", Tier.FACTS, refusal=refusals.rebuild
    ),
    _definition("edit_file", "E", "edit the file", "its file, in $EDITOR"),
    _definition("adopt", "a", "adopt", "its file from what is built"),
    Command(
        "grow", ("Z",), "grow a volume", "a larger image; asks", group="Page", tier=Tier.FACTS, refusal=refusals.grow
    ),
    Command(
        "make_source",
        ("M",),
        "create the directory",
        "a missing source; asks",
        group="Page",
        tier=Tier.FACTS,
        refusal=refusals.make_source,
    ),
    _definition("make_writable", "V", "make its store writable", "its store writable; asks"),
    _definition("share_store", "H", "share the host's store", "the host's store; asks"),
    Command("ssh", ("s",), "ssh", "log in to its guest", Place.PANEL, "Page", refusal=refusals.ssh),
    Command("bundle", ("b",), "bundle", "an archive for who helps", Place.PANEL, "Page", refusal=refusals.selected),
    Command("copy", ("y",), "copy", "its name, path, error …", Place.PANEL, "Page", refusal=refusals.selected),
    _page("drift", ("equals_sign",), "drift", "defined, built, booted", Place.PANEL),
    _page("tab_previous", ("left_square_bracket",), "tab left", "the tab left", Place.PAGE),
    _page("tab_next", ("right_square_bracket",), "tab right", "the tab right", Place.PAGE),
    Command(
        "unfold",
        ("enter",),
        "unfold",
        "a process's command line",
        Place.PROCESSES,
        "Page",
        refusal=refusals.unfold,
        in_footer=True,
    ),
    _logs("search", "slash", "search", "search; Enter goes up to it", in_footer=True),
    _logs("search_next", "n", "next match", "the next match below"),
    _logs("search_previous", "N", "match above", "the next match above"),
    _logs("log_level", "v", "level", "this level and worse"),
    _logs("log_source", "f", "source", "what one source says"),
    _logs("log_wrap", "w", "wrap", "long lines cut, or whole"),
    _logs("log_times", "t", "times", "time, date, or none"),
    Command("event_group", ("f",), "events", "failures, findings … alone", Place.TIMELINE, "Page"),
    _panel("palette", ("colon", "ctrl+p"), "palette", "actions, microVMs by name", in_footer=True, in_palette=False),
    _panel("toggle_read_only", ("W",), "read-only", "read-only on and off", refusals.read_only, in_footer=True),
    _panel("help", ("question_mark", "f1"), "help", "the keys that work here", in_footer=True),
    _panel("doctor", ("D",), "check", "check this host"),
    _panel("calls", ("at",), "calls", "what mvtui called"),
    _panel("toggle_pause", ("p",), "pause", "the picture stands still"),
    _panel("look", ("ctrl+r",), "refresh", "look again now"),
    _panel("toggle_mouse", ("m",), "mouse", "mouse on and off"),
    _panel("suspend", ("ctrl+z",), "suspend", "to the shell; fg comes back"),
    _panel("back", ("q",), "back", "back; quits from the list", in_footer=True),
    _panel("leave", ("escape",), "leave", "leave filter, marks, page", in_palette=False),
    _panel("quit", ("Q", "ctrl+c"), "quit"),
)

# What changes the draft of a definition, in its panel.
DEFINITION_COMMANDS = (
    _draft("edit_item", ("e", "enter"), "edit what the cursor is on"),
    _draft("add_share", ("s",), "add a share"),
    _draft("add_volume", ("v",), "add a volume"),
    _draft("copy_item", ("c",), "copy what the cursor is on"),
    _draft("delete_item", ("x",), "delete what the cursor is on"),
    _draft("move_item_down", ("J",), "move it down"),
    _draft("move_item_up", ("K",), "move it up"),
    _draft("edit_overlay", ("o",), "edit the writable store overlay"),
    _draft("undo_edit", ("u",), "undo the last edit"),
    _draft("review", ("r",), "review what is changed; saves it"),
    _draft("begin_empty", ("n",), "begin an empty file, where there is none"),
)

# The commands that mend what has these notes.
_MENDERS = {"≠ rebuild": "rebuild", "≠ restart": "restart", "≠ size": "grow", "definition": "edit_file"}

ALL_COMMANDS = (*COMMANDS, *DEFINITION_COMMANDS)
_BY_ID = {one.id: one for one in ALL_COMMANDS}


def command(id: str) -> Command:  # noqa: A002
    """The command of that id."""
    return _BY_ID[id]


def bindings(place: Place) -> "Iterator[Binding]":
    """The bindings of the commands of `place`, by their ids, for a keymap. `^c` works over every dialog, whatever the
    keymap."""
    from textual.binding import Binding  # noqa: PLC0415  (the command line reads commands without Textual)

    for one in COMMANDS:
        if one.place is place:
            for key in one.keys:
                always = key == "ctrl+c"
                id = f"{ALWAYS}{one.id}" if always else one.id  # noqa: A001
                yield Binding(key, one.id, one.words, show=False, id=id, priority=always)


def moves(key: str, keys: Keys) -> bool:
    """Whether it moves a cursor. `keys` are those that work."""
    return any(key in keys.get(one.id, ()) for one in COMMANDS if one.place is Place.MOVE)


def hint(id: str, keys: Keys) -> str:  # noqa: A002
    """How that command is reached, in the midst of a sentence: its first key, as people write it; where it has none,
    what the palette finds it by. `keys` are those that work."""
    own = keys.get(id, command(id).keys)
    if own:
        return key_label(own[0])
    label, words = hint_key(id, keys), command(id).words
    return f":{words}" if label == ":" else f"{label} {words}".strip()


def hint_key(id: str, keys: Keys) -> str:  # noqa: A002
    """The key that leads to it, where its words stand behind it: its first one, or the palette's; "" where there is
    neither."""
    own = keys.get(id, command(id).keys) or keys.get("palette", command("palette").keys)
    return key_label(own[0]) if own else ""


def help_of(one: Command, keys: Keys) -> str:
    """What it does, for the help; `keys` are those that work."""
    acting = [keys.get(other.id, other.keys)[:1] for other in COMMANDS if other.group == "Act"]
    return one.help.replace(_ACTING_KEYS, " ".join(map(key_labels, filter(None, acting))))


def menders(situation: Situation) -> Iterator[Command]:
    """The commands that may help the microVM in its state, and can be used now; where its stages differ, those that
    show how and bring them together."""
    microvm = situation.microvm
    if microvm is None:
        return
    notes = {finding.note for finding in microvm.findings}
    wanted = {mender for note, mender in _MENDERS.items() if note in notes} | ({"drift"} if microvm.drift else set())
    # Without it no start helps.
    if missing_sources(microvm) and not (first := command("make_source")).refusal(situation):
        yield first
    for one in COMMANDS:
        if (microvm.state.word in one.mends or one.id in wanted) and not one.refusal(situation):
            yield one

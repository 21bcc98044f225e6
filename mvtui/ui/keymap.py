"""Keys that a person has chosen for commands: checked as a whole, before the panel opens. Without Textual."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from mvtui.errors import MvtuiError
from mvtui.host.configuration import ConfigurationError, Problem
from mvtui.model.nearest import did_you_mean
from mvtui.model.settings import BY_NAME
from mvtui.model.text import clean
from mvtui.ui.command import Command, Place
from mvtui.ui.commands import ALL_COMMANDS, command
from mvtui.ui.key_names import key_label, key_of
from mvtui.ui.keys import Keys, no_key

# These work over every dialog, so that nothing else can be on them.
QUIT_KEY = "ctrl+c"
_TAKEN = {QUIT_KEY: "quit", "escape": "leave"}
# The place of what no file is known for.
_NOWHERE = "keys"
# Without these there is a place that nothing leads out of.
_NEEDED = ("leave", "back", "quit")
_OF_TABS = (Place.PROCESSES, Place.LOGS, Place.TIMELINE)
# The keys of these do not work at once: the list and a page are never both open, nor are two tabs.
_APART = (
    *({Place.LIST, page} for page in (Place.PAGE, *_OF_TABS)),
    *map(set, combinations(_OF_TABS, 2)),
)
# What works over the draft of a definition, beside what moves the cursor.
_OVER_DRAFT = ("edit_file", "grow", "adopt", "look", "leave", "back", "quit")


def declared_keys() -> Keys:
    """The keys that the commands come with, by their ids."""
    return {one.id: one.keys for one in ALL_COMMANDS}


def keys_with(
    chosen: Mapping[str, Sequence[str]], place: Callable[[str], str] = lambda _: _NOWHERE
) -> tuple[Keys, tuple[Problem, ...]]:
    """The keys of every command, in Textual's names, where `chosen` has those of some commands by their ids, as people
    write them, and `place` says where it has those of one (file and line); and what is wrong with that. What is wrong
    counts as not chosen; of a key of two commands, both are named, with their places."""
    keys, problems = dict(declared_keys()), list[Problem]()
    for id, texts in chosen.items():  # noqa: A001
        if id not in keys:
            problems.append(_unknown(id, place(id)))
            continue
        try:
            own = tuple(dict.fromkeys(map(key_of, texts)))
        except MvtuiError as wrong:
            problems.append(Problem(place(id), f"{id}: {clean(wrong.message)}", wrong.hint))
            continue
        if id == "quit":
            own = tuple(dict.fromkeys((*own, QUIT_KEY))) if own else own
        if taken := [key for key in own if _TAKEN.get(key, id) != id]:
            told = f"{id} can't have {key_label(taken[0])}, which is always {_TAKEN[taken[0]]}"
            problems.append(Problem(place(id), told, "choose another key"))
            continue
        if id in _NEEDED and not own:
            problems.append(Problem(place(id), f"{id} has no key: nothing else would lead out", f"give {id} a key"))
            continue
        keys[id] = own
    return keys, (*problems, *_clashes(keys, chosen, place))


def checked_keys(chosen: Mapping[str, Sequence[str]], place: Callable[[str], str] = lambda _: _NOWHERE) -> Keys:
    """The same keys. Raises ConfigurationError where anything is wrong with them."""
    keys, problems = keys_with(chosen, place)
    if problems:
        raise ConfigurationError(problems)
    return keys


def textual_keymap(keys: Keys) -> dict[str, str]:
    """What Textual's `set_keymap` takes: those of the commands that have other keys than they come with."""
    found = {}
    for id, own in keys.items():  # noqa: A001
        if own != command(id).keys and command(id).place is not Place.DEFINITION:
            found[id] = ",".join(key for key in own if (id, key) != ("quit", QUIT_KEY)) or no_key(id)
    return found


def meet(one: Command, other: Command) -> bool:
    """Whether the keys of both work at once: all do, but for those of the list and of a page, of two tabs, and of a
    definition, which stands over all of them."""
    if Place.DEFINITION in (one.place, other.place):
        return all(each.place in (Place.DEFINITION, Place.MOVE) or each.id in _OVER_DRAFT for each in (one, other))
    return {one.place, other.place} not in _APART


def _unknown(id: str, place: str) -> Problem:  # noqa: A002
    fix = did_you_mean(id, declared_keys()) or "mvtui config --print shows all commands"
    if id in BY_NAME:
        fix = f"{id} is an option, which stands above [keys]"
    return Problem(place, f"there is no command {clean(id)!r}", fix)


def _clashes(keys: Keys, chosen: Mapping[str, Sequence[str]], place: Callable[[str], str]) -> Iterator[Problem]:
    for pair in combinations(ALL_COMMANDS, 2):
        if not meet(*pair):
            continue
        # The one that was chosen comes first: its place is that of the problem.
        one, other = sorted(pair, key=lambda each: each.id not in chosen)
        other_place = place(other.id) if other.id in chosen else "as it comes"
        beside = f" ({other_place})" if other_place != place(one.id) else ""
        for key in keys[one.id]:
            if key in keys[other.id]:
                what = f"{key_label(key)} is the key of {one.id} and of {other.id}{beside}"
                yield Problem(place(one.id), what, _apart(one, other))


def _apart(one: Command, other: Command) -> str:
    free = [each.id for each in (other, one) if each.id not in _NEEDED and each.in_palette]
    return "choose another key for one of them" + (f"; {free[0]} = [] leaves {free[0]} to the palette" if free else "")

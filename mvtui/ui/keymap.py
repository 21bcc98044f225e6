"""Keys that a person has chosen for commands: checked as a whole, before the panel opens. Without Textual."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.text import clean
from mvtui.ui.command import Command, Place
from mvtui.ui.commands import COMMANDS, command
from mvtui.ui.key_names import key_label, key_of
from mvtui.ui.keys import Keys, no_key

# These work over every dialog, so that nothing else can be on them.
QUIT_KEY = "ctrl+c"
_TAKEN = {QUIT_KEY: "quit", "escape": "leave"}
# Without these there is a place that nothing leads out of.
_NEEDED = ("leave", "back", "quit")
# Where the keys of the list do not work.
_PAGES = (Place.PAGE, Place.LOGS)


class KeyProblem(NamedTuple):
    """What is wrong with the keys of these commands (as the configuration names them), and what would mend it."""

    ids: tuple[str, ...]
    what: str
    fix: str


def declared_keys() -> Keys:
    """The keys that the commands come with, by their ids."""
    return {one.id: one.keys for one in COMMANDS}


def keys_with(chosen: Mapping[str, Sequence[str]]) -> tuple[Keys, tuple[KeyProblem, ...]]:
    """The keys of every command, in Textual's names, where `chosen` has those of some commands by their ids, as people
    write them; and what is wrong with that. What is wrong counts as not chosen."""
    keys, problems = dict(declared_keys()), list[KeyProblem]()
    for id, texts in chosen.items():  # noqa: A001
        if id not in keys:
            problems.append(_unknown(id))
            continue
        try:
            own = tuple(dict.fromkeys(map(key_of, texts)))
        except MvtuiError as wrong:
            problems.append(KeyProblem((id,), f"{id}: {clean(wrong.message)}", wrong.hint))
            continue
        if id == "quit":
            own = tuple(dict.fromkeys((*own, QUIT_KEY))) if own else own
        if taken := [key for key in own if _TAKEN.get(key, id) != id]:
            told = f"{id} can't have {key_label(taken[0])}, which is always {_TAKEN[taken[0]]}"
            problems.append(KeyProblem((id,), told, "choose another key"))
            continue
        if id in _NEEDED and not own:
            problems.append(KeyProblem((id,), f"{id} has no key: nothing else would lead out", f"give {id} a key"))
            continue
        keys[id] = own
    return keys, (*problems, *_clashes(keys, chosen))


def checked_keys(chosen: Mapping[str, Sequence[str]], where: Callable[[str], str] = lambda _: "") -> Keys:
    """The same keys. `where`: the file that has chosen those of a command, "" where none is known. Raises MvtuiError,
    which names everything that is wrong, both commands of a key that has two, and the files."""
    keys, problems = keys_with(chosen)
    if not problems:
        return keys
    lines = [f"{_places(problem, where)}{problem.what} ({problem.fix})" for problem in problems[:-1]]
    last = problems[-1]
    raise MvtuiError("\n".join((*lines, f"{_places(last, where)}{last.what}")), last.fix, ExitCode.USAGE)


def textual_keymap(keys: Keys) -> dict[str, str]:
    """What Textual's `set_keymap` takes: those of the commands that have other keys than they come with."""
    found = {}
    for id, own in keys.items():  # noqa: A001
        if own != command(id).keys:
            found[id] = ",".join(key for key in own if (id, key) != ("quit", QUIT_KEY)) or no_key(id)
    return found


def meet(one: Place, other: Place) -> bool:
    """Whether keys of both places work at once: all do, but for those of the list and of a page."""
    return not any(first is Place.LIST and page in _PAGES for first, page in ((one, other), (other, one)))


def _unknown(id: str) -> KeyProblem:  # noqa: A002
    near = difflib.get_close_matches(id, [one.id for one in COMMANDS], n=1, cutoff=0.5)
    fix = f"did you mean {near[0]}?" if near else "mvtui config --init writes a file with all commands"
    return KeyProblem((id,), f"there is no command {clean(id)!r}", fix)


def _clashes(keys: Keys, chosen: Mapping[str, Sequence[str]]) -> Iterator[KeyProblem]:
    for one, other in combinations(COMMANDS, 2):
        if not meet(one.place, other.place):
            continue
        for key in keys[one.id]:
            if key in keys[other.id]:
                yield KeyProblem((one.id, other.id), _two(key, one, other, chosen), _apart(one, other, chosen))


def _two(key: str, one: Command, other: Command, chosen: Mapping[str, Sequence[str]]) -> str:
    told = [f"{each.id}{'' if each.id in chosen else ' (as it comes)'}" for each in (one, other)]
    return f"{key_label(key)} is the key of {told[0]} and of {told[1]}"


def _apart(one: Command, other: Command, chosen: Mapping[str, Sequence[str]]) -> str:
    free = [each.id for each in (other, one) if each.id not in _NEEDED and each.in_palette]
    least = next((each for each in free if each not in chosen), free[0] if free else "")
    return "choose another key for one of them" + (f"; {least} = [] leaves {least} to the palette" if least else "")


def _places(problem: KeyProblem, where: Callable[[str], str]) -> str:
    files = dict.fromkeys(filter(None, map(where, problem.ids)))
    return f"{', '.join(files)}: keys: " if files else "keys: "

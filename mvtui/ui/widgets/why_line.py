"""Why the selected microVM is in its state, since when, and what mends it."""

import re
from dataclasses import dataclass
from datetime import datetime

from textual.geometry import Size

from mvtui.model.format import age, duration
from mvtui.model.microvm import MicroVM
from mvtui.model.overlay_words import armed_words
from mvtui.model.own_command import own_command
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind
from mvtui.ui.command import Command, ShareVerb
from mvtui.ui.commands import hint_key
from mvtui.ui.key_words import with_keys
from mvtui.ui.keys import Keys, key_labels
from mvtui.ui.lines import Line, Lines, clipped, ruled, wrapped
from mvtui.ui.moment import moment
from mvtui.ui.roles import SEVERITY_ROLES

# In these states it is not the state that is wrong, or a finding says it better.
_QUIET = (StateWord.RUNNING, StateWord.STOPPED, StateWord.DEGRADED)
_SENTENCES = re.compile(r"(?<=\.) ")


@dataclass(frozen=True, slots=True)
class Why:
    """`position`: which of how many it is in the list; `menders`: the commands that may help it and can be used;
    `keys`: those that work."""

    microvm: MicroVM
    position: str
    menders: tuple[Command, ...]
    keys: Keys
    now: datetime


def why_lines(why: Why, width: int, height: int) -> list[Line]:
    """`height` lines: the title, the cause in all lines that are left, since when, what mends it. Where there is no
    room for all, the cause stays."""
    lines = [_title(why, width)]
    tail = [_since(why.microvm, why.now), _mends(why)]
    causes = max(1, height - 1 - len(tail))
    lines += [((line, _role(why.microvm)),) for line in wrapped(cause(why.microvm), width, causes)]
    shown = [line for line in tail if line]
    if height < 4:
        shown = shown[-1:]
    return [clipped(line, width) for line in (*lines, *shown)][:height]


def _title(why: Why, width: int) -> Line:
    return ruled(clean(why.microvm.name), width, f" {why.position} ─")


def _role(microvm: MicroVM) -> str:
    if microvm.state.word not in _QUIET or not microvm.findings:
        return "text"
    return SEVERITY_ROLES[microvm.findings[0].severity]


def cause(microvm: MicroVM) -> str:
    """The worst finding; where the state itself is wrong, the state's own why and what the finding adds to it."""
    state = microvm.state
    if not microvm.findings:
        return clean(state.why)
    worst = microvm.findings[0]
    finding = f"{worst.what} {worst.why}".strip()
    if state.word in _QUIET:
        return clean(finding)
    said = state.why.casefold()
    added = [sentence for sentence in _SENTENCES.split(finding) if sentence.rstrip(".").casefold() not in said]
    return clean(" ".join((state.why, *added)))


def _since(microvm: MicroVM, now: datetime) -> Line:
    state = microvm.state
    parts = []
    found = microvm.findings[0].since if microvm.findings else None
    # While it runs or is stopped, its state began with something else than what is found.
    other = bool(microvm.findings) and state.word in (StateWord.RUNNING, StateWord.STOPPED)
    since = found or state.since if other else state.since or found
    if since is not None:
        began = f"{state.word} since" if other and found is None else "since"
        parts.append(f"{began} {moment(since, now)} ({age(since, now)})")
    if state.deadline is not None:
        parts.append(f"killed in {duration((state.deadline - now).total_seconds())}")
    if state.restarts:
        parts.append(f"{state.restarts} restarts")
    if microvm.armed is not None and armed_words(microvm.armed) not in cause(microvm):
        parts.append(armed_words(microvm.armed))
    unit = microvm.unit(UnitKind.HYPERVISOR)
    if unit is not None and unit.name not in cause(microvm):
        parts.append(clean(f"{unit.name} {unit.active_state}"))
    return (("   ".join(parts), "dim"),) if parts else ()


def _mends(why: Why) -> Line:
    """The keys, then what else there is to do: a fix that one of the keys does is not said again."""
    pieces: list[tuple[str, str]] = []
    fix = why.microvm.findings[0].fix if why.microvm.findings else ""
    if all(_is_on_a_key(step, why) for step in fix.split(", then ")):
        fix = ""
    for command in why.menders:
        label = key_labels(why.keys.get(command.id, command.keys)) or hint_key(command.id, why.keys)
        pieces += [(label, "key"), (f" {command.words}  ", "text")]
    if fix:
        pieces += [(f"→ {clean(with_keys(fix, why.keys))}", "text")]
    return tuple(pieces)


def _is_on_a_key(step: str, why: Why) -> bool:
    """Whether one of the keys does what that command of a fix does."""
    commands = {own_command(command.id, why.microvm.name) for command in why.menders}
    makes = any(command.id == ShareVerb.MAKE_SOURCE for command in why.menders)
    return step in commands or (makes and step.startswith(("mkdir -p ", "install -d ")))


class WhyLine(Lines):
    """A title and a few lines; empty where nothing is selected."""

    def __init__(self) -> None:
        super().__init__()
        self._why: Why | None = None

    def present(self, why: Why | None) -> None:
        """Show this from now on."""
        self._why = why
        self.update()

    def fitted(self, size: Size) -> list[Line]:
        """The lines for this size."""
        return why_lines(self._why, size.width, size.height) if self._why is not None else []

"""Judges what a panel does by what stood on its screen before: nothing here asks the panel itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size

from mvtui.model.text import clean
from tests.ui import judge_definitions, judge_overlays

HOST = "hv01"
DEAF_SECONDS = 0.3
# In fewer columns, the palette and the selected name can't be read.
LEGIBLE = 40

_ACCESS = re.compile(r"  (R[OW])  \d\d:\d?\d?$")
_TYPED = re.compile(r"^Type (its name|how many|the host's name), then")
_ANSWERED = re.compile(r"\b(?:(?P<key>y) (?:starts|stops|restarts|cancels|kills)|(?P<kill>K) kills it), Esc leaves$")
_WHY_TITLE = re.compile(r"^─ (?P<name>.+?) ─+ \d+/\d+ ─(?: *│.*)?$")
_COUNTED = re.compile(r"^  [✓·] and (\d+) more$")


@dataclass(frozen=True, slots=True)
class Deed:
    """What the host was asked for: a verb, `cancel`, or `sudo VERB`, on a microVM."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """What was done to the panel: keys one right after the other, a click on a cell, or something else in words."""

    words: str
    keys: tuple[str, ...] = ()
    click: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """`lines` of the screen, `width` cells wide, at `seconds`; `cursor`: the lines that stand on the cursor's
    background."""

    lines: tuple[str, ...]
    width: int
    cursor: frozenset[int]
    seconds: float

    @property
    def question(self) -> "Asked | None":
        """The question at the foot."""
        if not self.lines:
            return None
        for y in (-2, -3):
            if len(self.lines) >= -y and _TYPED.match(self.lines[y]):
                return self._panel(len(self.lines) + y, "enter", self.lines[-1].strip())
        if self.lines[-1].endswith("Esc leaves"):
            is_panel = self.lines[-1].startswith("  ")
            asked = self._panel(len(self.lines) - 1, "", "") if is_panel else Asked((self.lines[-1],), "")
            if asked is not None and (keys := _keys_of(asked.lines)):
                return replace(asked, keys=keys)
        answers = _ANSWERED.search(self.lines[-1])
        if answers is None or answers["kill"]:
            return None
        if not self.lines[-1].startswith("  "):
            return Asked((self.lines[-1],), "y")
        return self._panel(len(self.lines) - 1, "y", "")

    def _panel(self, foot: int, key: str, typed: str) -> "Asked | None":
        top = next((y for y in range(foot - 1, -1, -1) if self.lines[y].startswith("─ ")), None)
        return Asked(self.lines[top : foot + 1], key, typed) if top is not None else None

    def key_at(self, x: int, y: int) -> str | None:
        """The key that a click on the cell presses, of those that matter here."""
        line = self.lines[y] if y < len(self.lines) else ""
        x = len(set_cell_size(line, x)) if cell_len(line) > x else x  # of cells, the character
        spans = {"S": r"S start\s*", "y": r"y (?:starts|stops|restarts|cancels|kills),? ?", "enter": r"Enter; "}
        for key, span in spans.items():
            if any(found.start() <= x < found.end() for found in re.finditer(span, line)):
                return key
        return next(judge_overlays.key_at(line, x), judge_definitions.key_at(line, x))

    @property
    def selected(self) -> str | None:
        """The name (or its start, before an ellipsis) of the microVM that a command means; None where it can't be
        told."""
        if self.lines[0].startswith(f"{HOST} > "):
            return self.lines[0].removeprefix(f"{HOST} > ").split("  ")[0]
        for line in self.lines:
            if (title := _WHY_TITLE.match(line)) is not None:
                return title["name"]
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it reads: its lines, the key that acts, and what stands in its field; about an overlay, it is
    `keys` that do (one of them, or `key` is `enter`)."""

    lines: tuple[str, ...]
    key: str
    typed: str = ""
    keys: str = ""

    @property
    def identity(self) -> str:
        """What tells it from another question, at whatever width."""
        lines = (judge_definitions.head(self.lines[0]), *self.lines[1:])
        return _solid("".join(lines)).partition(f"on{HOST}")[0]

    def asks(self, words: str) -> bool:
        """Whether it asks exactly this, over as many lines as it takes."""
        return _solid("".join(self.lines)).startswith(_solid(words))

    def covers(self, name: str) -> bool:
        """Whether one of its facts names the microVM, or its others are counted."""
        facts: list[str] = []
        for line in self.lines:
            if line.startswith("  ✓ "):
                facts.append(line[4:])
            elif line.startswith("    ") and facts:
                facts[-1] += line[4:]  # a name that is longer than a line
        return any(_names(_solid(fact), _solid(clean(name)), whole=False) for fact in facts) or self.counted > 0

    @property
    def counted(self) -> int:
        """How many stand behind `and N more`."""
        return sum(int(found[1]) for line in self.lines if (found := _COUNTED.match(line)))


class Judge:
    """Looks at the screen after every event, and judges what was done by the last look before it."""

    def __init__(self, *, locked: bool) -> None:
        self.locked = locked
        self.read_only = locked
        self.seen: Seen | None = None
        self._asked_since = 0.0
        # Of several, one is begun when another has ended: what may still come, its question, how many.
        self._promised: list[tuple[str, Asked, int]] = []

    def look(self, seen: Seen) -> None:
        """This stands on the screen now."""
        before = self.seen.question if self.seen is not None else None
        question = seen.question
        if question is not None and (before is None or before.identity != question.identity):
            self._asked_since = seen.seconds
        self.seen = seen
        access = _ACCESS.search(seen.lines[0]) if seen.lines else None
        if access is not None:
            assert not (self.locked and access[1] == "RW"), "the locked read-only mode is off"
            self.read_only = access[1] == "RO"
        elif seen.lines and len(seen.lines) < 2:
            self.read_only = self.locked  # nobody could see it being switched
        for line in seen.lines:
            assert line.isprintable(), f"not printable: {line!r}"

    def judge(self, event: Event, deeds: Sequence[Deed], seconds: float) -> None:
        """Raises AssertionError where one of `deeds`, which followed on `event`, should not have been done."""
        if not deeds:
            return
        assert self.seen is not None
        assert not self.read_only, f"read-only mode: {deeds}"
        deeds = [deed for deed in deeds if not self._was_promised(deed) and not self._is_edited(event, deed)]
        if not deeds or self._starts_at_once(event, deeds):
            return
        question = self.seen.question
        assert question is not None, f"nothing was asked before {deeds}"
        pressed = {*self._pressed(event)}
        assert {question.key, *question.keys} & pressed, f"{deeds} is answered with {question.key} {question.keys}"
        waited = seconds - self._asked_since
        assert waited >= DEAF_SECONDS - 1e-6, f"{deeds} was answered after {waited:.3f} s"
        what, name, typed = deeds[0].what, deeds[0].name, question.typed
        if len(deeds) == 1 and judge_definitions.allows(what, name, question.lines, typed, pressed):
            return
        kinds = {deed.what for deed in deeds}
        assert len(kinds) == 1 or kinds == {"sudo stop", "sudo start --fresh"}, deeds
        wanted = {*_wanted(deeds, question), *self._wanted_of_overlays(deeds, question, pressed)}
        assert any(question.asks(words) for words in wanted), f"{question} does not ask for {deeds}"
        if question.key == "enter":
            self._judge_typed(question, deeds)

    def _wanted_of_overlays(self, deeds: Sequence[Deed], question: "Asked", pressed: set[str]) -> Iterator[str]:
        what, name = deeds[-1].what, clean(deeds[-1].name)
        if question.key == "enter" and question.typed.isdecimal() and what in judge_overlays.SEVERAL:
            count = int(question.typed)
            yield f"{judge_overlays.SEVERAL[what]} {count} microVM{'' if count == 1 else 's'} on {HOST}?"
        if len({deed.name for deed in deeds}) > 1:
            return
        for words, key in judge_overlays.ALLOWED.get(what, ()):
            if key in pressed or (key == "digit" and pressed & {*"123456789"}):
                yield words.format(name)

    def _was_promised(self, deed: Deed) -> bool:
        for number, (what, question, left) in enumerate(self._promised):
            if what == deed.what and left and question.covers(deed.name):
                self._promised[number] = (what, question, left - 1)
                return True
        return False

    def _is_edited(self, event: Event, deed: Deed) -> bool:
        """The editor asks nothing: its key, the same in the palette, or a click on either."""
        return deed.what == "edit" and (event.click is not None or bool({"E", "enter"} & {*event.keys}))

    def _pressed(self, event: Event) -> Iterator[str]:
        yield from event.keys
        if event.click is not None and self.seen is not None:
            key = self.seen.key_at(*event.click)
            if key is not None:
                yield key

    def _starts_at_once(self, event: Event, deeds: Sequence[Deed]) -> bool:
        """A start of one microVM asks nothing: S, the same in the palette, or a click on either."""
        assert self.seen is not None
        if any(deed.what != "start" for deed in deeds):
            return False
        pressed = list(self._pressed(event))
        if "S" in pressed:
            assert len(deeds) <= pressed.count("S"), f"{deeds} without a question"
            selected = self.seen.selected
            if len(event.keys) <= 1 and selected is not None:
                assert _names(selected, deeds[0].name), f"{selected} is selected, started was {deeds}"
            return True
        if self.seen.width < LEGIBLE:
            return True  # a start asks nothing, and nobody could read what it was
        offered = [self.seen.lines[y] for y in self.seen.cursor if re.search(r"(?:^| )start ", self.seen.lines[y])]
        if not offered or not any("Type an action or a name" in line for line in self.seen.lines):
            return False
        assert len(deeds) == 1
        assert "enter" in event.keys or (event.click is not None and event.click[1] in self.seen.cursor)
        name = re.split(r"(?:^| )start ", offered[0])[1].split("  ")[0]
        assert _names(name, deeds[0].name), f"offered was {offered[0]!r}, started was {deeds}"
        return True

    def _judge_typed(self, question: Asked, deeds: Sequence[Deed]) -> None:
        name = clean(deeds[0].name)
        asked = (f"kill {name} on {HOST}?", f"stop, reset, start {name} on {HOST}?")
        if len({deed.name for deed in deeds}) == 1 and any(question.asks(words) for words in asked):
            wanted = clean(deeds[0].name)
            assert question.typed == wanted or (len(question.typed) > 3 and wanted.endswith(question.typed)), question
            return
        assert question.typed.isdecimal(), question
        assert 0 < len(deeds) <= int(question.typed), f"{deeds} after {question}"
        assert len({deed.name for deed in deeds}) == len(deeds)
        assert all(question.covers(deed.name) for deed in deeds), f"{question} does not name {deeds}"
        if deeds[0].what in judge_overlays.SEVERAL:
            self._promised.append((deeds[0].what, question, int(question.typed) - len(deeds)))


def _wanted(deeds: Sequence[Deed], question: Asked) -> Iterator[str]:
    """The questions that allow the deeds."""
    what, name = deeds[0].what, clean(deeds[0].name)
    if question.key == "enter" and question.typed.isdecimal():
        count = int(question.typed)
        yield f"{what} {count} microVM{'' if count == 1 else 's'} on {HOST}?"
    if len(deeds) > 1:
        return
    if what == "grow":
        yield from ["grow"] * judge_overlays.may_grow(question.lines, name)
    elif what == "cancel":
        yield f"cancel what is under way on {name} on {HOST}?"
    elif what.startswith("sudo "):
        yield f"{what.removeprefix('sudo ')} {name} on {HOST} with sudo?"
    elif (what == "kill") is (question.key == "enter"):
        yield f"{what} {name} on {HOST}?"


def _keys_of(lines: tuple[str, ...]) -> str:
    return judge_overlays.keys_of(lines) or judge_definitions.keys_of(lines)


def _solid(text: str) -> str:
    """Without the blanks and the rule, which depend on the width."""
    return "".join(char for char in text if not char.isspace() and char != "─")


def _names(shown: str, name: str, *, whole: bool = True) -> bool:
    """Whether what is shown is the microVM's name, or as much of it as there is room for; unless `whole`, begins with
    it and a colon."""
    if not whole:
        return shown.startswith(f"{name}:") or ("…" in shown and name.startswith(shown.partition("…")[0]))
    shown, name = shown.rstrip(), clean(name).rstrip()
    if "…" in shown:
        start = shown.partition("…")[0]
        return name.startswith(start)
    return re.sub(" +", " ", shown) == re.sub(" +", " ", name)

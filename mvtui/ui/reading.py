"""What has to be read before it is answered: facts, and texts that may be longer than the screen. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mvtui.model.text import clean
from mvtui.ui.lines import Line, folded
from mvtui.ui.questions import Answer, Fact

# A line of a file that is longer than so many lines of the screen is cut.
_MOST_LINES = 20
_DIFF_ROLES = {"+": "good", "-": "error", "@": "dim"}


@dataclass(frozen=True, slots=True)
class Part:
    """A text with a title above it, "" for none. Each line is shown whole, in its role, over as many as it takes."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """`question` is what is asked, always shown whole; below it, what scrolls: the facts, then the parts. Esc leaves
    and does `left`; every key but the answers' and those that move does nothing. `harmless` as in Question."""

    question: str
    facts: tuple[Fact, ...] = ()
    parts: tuple[Part, ...] = ()
    answers: tuple[Answer, ...] = ()
    harmless: bool = False
    left: Callable[[], None] | None = None


def part_lines(parts: Sequence[Part], width: int) -> list[Line]:
    """All of them, a blank line before each."""
    lines: list[Line] = []
    for part in parts:
        lines.append(())
        if part.title:
            lines.append((("  ", "text"), (part.title, "strong")))
        for text, role in part.lines:
            lines += [(("  ", "text"), (line, role)) for line in _folded_as_is(text, max(10, width - 2))]
    return lines


def _folded_as_is(text: str, width: int) -> list[str]:
    """As `folded`, but a line's indentation stays."""
    inner = text.lstrip(" ")
    indent = min(len(text) - len(inner), width // 2)
    return [" " * indent + line for line in folded(inner, width - indent, _MOST_LINES)]


def diff_part(title: str, diff: Sequence[str]) -> Part:
    """The lines of a unified diff; its first two, the names, are left out."""
    return Part(title, tuple((clean(line), _DIFF_ROLES.get(line[:1], "text")) for line in diff[2:]))


def text_part(title: str, text: str) -> Part:
    """All lines of a text."""
    return Part(title, tuple((clean(line), "text") for line in text.removesuffix("\n").split("\n")))

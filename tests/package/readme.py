"""The README's tables, from the code, and its contents: each stands between `<!-- NAME -->` and
`<!-- end of NAME -->`."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from mvtui.cli.arguments import VERBS
from mvtui.errors import ExitCode
from mvtui.model.settings import OPTIONS, Option
from mvtui.model.settings_text import toml_value
from mvtui.model.state import StateWord
from mvtui.ui.key_table import key_rows
from mvtui.ui.keys import key_label

README = Path(__file__).parents[2] / "README.md"


def tables(text: str) -> dict[str, list[str]]:
    """The lines of each table, by its name; the contents are those of the README's `text`."""
    return {
        "contents": list(_contents(text)),
        "states": list(_states()),
        "keys": list(_keys()),
        "options": list(_options()),
        "exit codes": list(_exit_codes()),
    }


def renewed(text: str) -> str:
    """The README's `text` with its tables as they are now. Raises ValueError where a table has no place."""
    for name, lines in tables(text).items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{begin}\n.*?{end}", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the README has no place for its table of {name}, or more than one")
        table = "\n".join((begin, *lines, end))
        text = pattern.sub(lambda _, table=table: table, text)  # type: ignore[misc]
    return text


def named_verbs(text: str) -> set[str]:
    """The verbs that the README's `text` shows in use."""
    return set(re.findall(r"\bmvtui ([a-z-]+)", text)) & VERBS.keys()


def anchor(heading: str) -> str:
    """What leads to a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _contents(text: str) -> Iterator[str]:
    parts: list[list[str]] = []
    for level, heading in re.findall(r"^(##|###) (.+)$", text, re.MULTILINE):
        link = f"[{heading}](#{anchor(heading)})"
        if level == "##":
            parts.append([link])
        else:
            parts[-1].append(link)
    for first, *others in parts:
        words = f"- {first}{': ' if others else ''}{', '.join(others)}"
        yield from textwrap.wrap(words, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield f"|{'---|' * len(titles)}"


def _states() -> Iterator[str]:
    yield from _head("state", "glyph (ASCII)", "when")
    for word in StateWord:
        yield _row(f"{word}{_EXAMPLES.get(word, '')}", f"{word.glyph} ({word.ascii_glyph})", word.meaning)


_EXAMPLES = {
    StateWord.STARTING: " 12s",
    StateWord.STOPPING: " 40s",
    StateWord.LOOPING: " ×12",
    StateWord.FAILED: " exit 1",
}


def _keys() -> Iterator[str]:
    yield from _head("key", "does", "command")
    group = ""
    for row in key_rows():
        if row.group != group:
            group = row.group
            yield _row("", f"**{group}**", "")
        yield _row(" ".join(_code(key_label(key)) for key in row.keys), row.does, f"`{row.id}`")


def _code(label: str) -> str:
    return f"`{label}`" if "`" not in label else f"`` {label} ``"


def _options() -> Iterator[str]:
    yield from _head("key", "what it is", "takes", "default", "variable", "flag")
    for option in OPTIONS:
        yield _row(*_option(option))


def _option(option: Option) -> Iterator[str]:
    yield f"`{option.name}`"
    yield option.words[0].lower() + option.words[1:].removesuffix(".")
    yield option.expected
    yield f"`{toml_value(option.default)}`" if isinstance(option.default, str | bool | float) else ""
    for way in (option.variable, option.flag):
        yield f"`{way}`" if way else ""


def _exit_codes() -> Iterator[str]:
    yield from _head("exit code", "means")
    for code in ExitCode:
        yield _row(str(int(code)), code.meaning)

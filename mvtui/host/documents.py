"""Definition files, `DEFINITIONS/NAME.toml`: people write them, Nix and mvtui read them."""

import errno
import os
import re
import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.host.rooted_files import RootedFiles
from mvtui.model.definition import Definition
from mvtui.model.document import WrongTypeError, definition_of
from mvtui.model.own_command import own_command

# A definition has a few KiB.
LIMIT = 1 << 20

# A key of half a million parts takes tomllib minutes; the parts of one stand on a line.
_MOST_DOTS = 500
_LARGEST = 1 << 63
TOO_LARGE = ("a number that is too large", f"a number of TOML is at most {_LARGEST - 1}")

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

# What mends what tomllib complains of, by how its message begins.
_HINTS = {
    "Cannot overwrite a value": "a key stands once in its table; remove one of the two",
    "Cannot declare": "a table stands once; [[shares]] and [[volumes]], with two brackets, may stand again",
    "Cannot mutate": "a table that is written in {} ends with its }",
    "Unescaped '\\' in a string": "a backslash is written \\\\, or the string in single quotes",
    "Illegal character": "a line feed or a control character is written as an escape (\\n), or the quote is missing",
    'Expected "\'"': "the quote that ends the string is missing",
    "Unterminated string": "the quote that ends the string is missing",
    "Expected newline or end of document": "one line holds one key; a string with quotes in it stands in '…'",
    "Invalid value": 'a value is a "string", a number, true or false, […] or {…}',
    "Invalid initial character for a key part": "a key has letters, digits, _ and -; others stand in quotes",
    "Expected '=' after a key": "a key is followed by = and its value",
}


class DocumentError(MvtuiError):
    """A definition file is no TOML, or holds what is no definition. `line` and `column` count from 1 and are None where
    the whole file is meant; `expected` is what the place lacks, without the place."""

    def __init__(
        self, path: Path, expected: str, hint: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        place = f"{path}:{line}:{column}" if line is not None else str(path)
        super().__init__(f"{place}: {expected}", hint)
        self.path = path
        self.line = line
        self.column = column
        self.expected = expected


def read_definition(path: Path) -> Definition | None:
    """What the file at `path` defines; None where there is none. Raises DocumentError: it can't be read, is no TOML, or
    something in it is of a wrong type."""
    text = read_text(path)
    if text is None:
        return None
    try:
        return definition_of(parse(path, text))
    except WrongTypeError as error:
        from mvtui.model.positions import position_of, positions  # noqa: PLC0415  (most files are right)

        line, column = position_of(error.subject, positions(text)) or (None, None)
        raise DocumentError(
            path, str(error), f"{own_command('validate', str(path))} names all that is wrong", line, column
        ) from None


def read_text(path: Path, owners: Container[int] | None = None) -> str | None:
    """The text of a definition file, without a byte order mark; None where there is none. Links are followed: the
    directory belongs to people. With `owners` (uids) it must be the file of one of them. Raises DocumentError."""
    try:
        # What is no UTF-8 comes as surrogates, and the same rooms read no fifo and no device.
        content = RootedFiles().read(os.fspath(path), LIMIT, owners).encode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        words = error.strerror or "can't be read"
        raise DocumentError(path, words[0].lower() + words[1:], _reading_hint(error)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, start = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8", "replace")) + 1
        raise DocumentError(path, "a byte that is no UTF-8", "save the file as UTF-8", line, column) from None


def parse(path: Path, text: str) -> dict[str, Any]:
    """The tables of a definition's `text`; `path` is for messages alone. Raises DocumentError."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS:
            raise DocumentError(path, f"a line with more than {_MOST_DOTS} dots", "no definition needs that", number, 1)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from None
    except RecursionError:
        raise DocumentError(path, "lists or tables in lists, too deep to read", "no definition needs that") from None
    except ValueError:  # Python reads and writes no number of more than 4,300 digits
        raise DocumentError(path, *TOO_LARGE) from None
    if _has_too_large(tables):
        raise DocumentError(path, *TOO_LARGE)
    return tables


def _has_too_large(tables: dict[str, Any]) -> bool:
    """Whether a number is none of 64 bits, which is all that TOML asks for (and Nix has)."""
    todo: list[Any] = [tables]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
        elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            return True
    return False


def _syntax_error(path: Path, text: str, message: str) -> DocumentError:
    found = _AT.search(message)
    words = message[: found.start()] if found else message
    hint = next((hint for start, hint in _HINTS.items() if words.startswith(start)), "")
    if found and found[1]:
        return DocumentError(path, words, hint, int(found[1]), int(found[2]))
    lines = text.split("\n")
    return DocumentError(path, f"{words} (the file ends here)", hint, len(lines), len(lines[-1]) + 1)


def _reading_hint(error: OSError) -> str:
    if error.errno == errno.EPERM:
        return "chown it to you or root and chmod o-w it, or remove it"
    if error.errno == errno.EACCES:
        return "ask whoever owns it for the right to read it, or run mvtui as root"
    if error.errno == errno.EFBIG:
        return "such a file has a few KiB; is it another one?"
    return "it must be a file, or a link to one"

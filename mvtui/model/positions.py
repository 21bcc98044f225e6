"""Where in a TOML text its keys stand. The text is one that tomllib has read: nothing here looks for mistakes. Pure."""

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from mvtui.model.place import joined

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LITERAL = re.compile(r"'([^']*)'")
# What ends a text in three quotes is the last three of up to five.
_MULTI_LINE = re.compile(r'"""(?:[^\\]|\\.)*?"""(?!")|' + r"'''.*?'''(?!')", re.DOTALL)
_OTHER = re.compile(r"[^,\]}\n#]*")
_ESCAPE = re.compile(r'\\(?:u(.{4})|U(.{8})|(["\\bfnrt]))')
_ESCAPED = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Position(NamedTuple):
    """A line and a column of a text, both from 1, in characters."""

    line: int
    column: int


def positions(text: str) -> dict[str, Position]:
    """Every place of `text` (`shares[1].tag`; `shares[1]` is the header of that table) and where its key begins."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.scan()
    starts = [0, *accumulate(len(line) + 1 for line in scanner.text.split("\n"))]
    found: dict[str, Position] = {}
    for place, offset in scanner.offsets.items():
        line = bisect_right(starts, offset)
        found[place] = Position(line, offset - starts[line - 1] + 1)
    return found


class Entry(NamedTuple):
    """One thing that stands on lines of its own: a table's header (`keys` are its name), or a key with its value
    (`keys` are that key's parts, in the table above it). `start` and `end` are offsets into the text; `value` is where
    the value begins, None for a header. `array`: the header has two brackets."""

    keys: tuple[str, ...]
    start: int
    end: int
    value: int | None = None
    array: bool = False


def outline(text: str) -> list[Entry]:
    """What `text`, which tomllib has read, is made of, in order; between them stand only spaces, line ends and
    comments."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.entries


def position_of(place: str, known: dict[str, Position]) -> Position | None:
    """Where `place` stands; where it does not (a key that is missing), the table or list that it belongs to. None for
    the whole document."""
    while place:
        if place in known:
            return known[place]
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return None


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.offsets: dict[str, int] = {}
        self.entries: list[Entry] = []
        self._at = 0
        self._tables: dict[str, int] = {}

    def scan(self) -> None:
        table = ""
        self._skip(_SPACE)
        while self._at < len(self.text):
            start = self._at
            if self.text.startswith("[[", start):
                self._at += 2
                table = self._header(start, array=True)
            elif self.text[start] == "[":
                self._at += 1
                table = self._header(start, array=False)
            else:
                keys, value = self._pair(table)
                self.entries.append(Entry(keys, start, self._at, value))
            self._skip(_SPACE)

    def _header(self, start: int, *, array: bool) -> str:
        place = ""
        keys = self._keys()
        for number, (key, _) in enumerate(keys):
            place = joined(place, key)
            if array and number == len(keys) - 1:
                self._tables[place] = self._tables.get(place, -1) + 1
            self.offsets.setdefault(place, start)
            if place in self._tables:
                place = f"{place}[{self._tables[place]}]"
        self.offsets.setdefault(place, start)
        self._at += 2 if array else 1  # the brackets
        self.entries.append(Entry(tuple(key for key, _ in keys), start, self._at, array=array))
        return place

    def _pair(self, table: str) -> tuple[tuple[str, ...], int]:
        """The key's parts, and where the value begins; ends behind it."""
        place = table
        keys = self._keys()
        for key, offset in keys:
            place = joined(place, key)
            self.offsets.setdefault(place, offset)
        self._at += 1  # =
        self._skip(_BLANK)
        value = self._at
        self._value(place)
        return tuple(key for key, _ in keys), value

    def _keys(self) -> list[tuple[str, int]]:
        """A dotted key and where each part begins; ends behind it and the spaces that follow."""
        keys: list[tuple[str, int]] = []
        while True:
            self._skip(_BLANK)
            start = self._at
            if basic := _BASIC.match(self.text, start):
                keys.append((_unescaped(basic[1]), start))
                self._at = basic.end()
            elif literal := _LITERAL.match(self.text, start):
                keys.append((literal[1], start))
                self._at = literal.end()
            else:
                self._skip(_BARE)
                keys.append((self.text[start : self._at], start))
            self._skip(_BLANK)
            if not self.text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, place: str) -> None:
        first = self.text[self._at]
        if first == "[":
            self._list(place)
        elif first == "{":
            self._inline_table(place)
        else:
            for pattern in (_MULTI_LINE, _BASIC, _LITERAL, _OTHER):
                if found := pattern.match(self.text, self._at):
                    self._at = found.end()
                    return

    def _list(self, place: str) -> None:
        index = 0
        self._at += 1
        self._skip(_SPACE)
        while self.text[self._at] != "]":
            self.offsets[f"{place}[{index}]"] = self._at
            self._value(f"{place}[{index}]")
            self._comma()
            index += 1
        self._at += 1

    def _inline_table(self, place: str) -> None:
        self._at += 1
        self._skip(_SPACE)
        while self.text[self._at] != "}":
            self._pair(place)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._skip(_SPACE)
        if self.text[self._at] == ",":
            self._at += 1
            self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self._at)
        self._at = found.end() if found else self._at


def _unescaped(text: str) -> str:
    def char(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _ESCAPED[match[3]]

    return _ESCAPE.sub(char, text)

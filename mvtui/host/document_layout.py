"""Where in a definition file's text its parts begin and end, so that one can be changed and the rest left alone."""

from collections.abc import Sequence
from typing import NamedTuple

from mvtui.model.edit import ItemKind
from mvtui.model.positions import Entry, outline

_BLANK = " \t\r\n"


class Piece(NamedTuple):
    """One `[[shares]]` or `[[volumes]]`: from the comment right above its header to the last line that is its own.
    `pairs` are its keys, those of tables in it aside; `pairs_end` is where another one may stand."""

    start: int
    end: int
    pairs: tuple[Entry, ...]
    pairs_end: int


class Layout(NamedTuple):
    """`text` and what it is made of. `top` are the keys before the first table, `top_end` where one more may stand.
    `newline` is how its lines end."""

    text: str
    entries: tuple[Entry, ...]
    top: tuple[Entry, ...]
    top_end: int
    newline: str

    def top_pair(self, key: str) -> Entry | None:
        """The key of that name before the first table."""
        return next((pair for pair in self.top if pair.keys == (key,)), None)

    def items(self, kind: ItemKind) -> list[Piece]:
        """The tables of that kind, in order."""
        heads = [
            n for n, entry in enumerate(self.entries) if entry.value is None and entry.array and entry.keys == (kind,)
        ]
        return [self._piece(head, kind) for head in heads]

    def _piece(self, head: int, kind: ItemKind) -> Piece:
        own = [self.entries[head]]
        pairs: list[Entry] = []
        nested = False
        for entry in self.entries[head + 1 :]:
            if entry.value is None and (entry.keys[0] != kind or entry.keys == (kind,)):
                break
            nested = nested or entry.value is None
            own.append(entry)
            if not nested:
                pairs.append(entry)
        last = (pairs or own[:1])[-1]
        return Piece(self._lead(head), self._tail(own[-1]), tuple(pairs), self.line_end(last.end))

    def _lead(self, head: int) -> int:
        """Where the comment begins that stands right above entry `head`; the header's own line where there is none."""
        lowest = self.line_end(self.entries[head - 1].end) if head else 0
        start = self.line_start(self.entries[head].start)
        while start > lowest:
            above = self.line_start(start - 1)
            if above < lowest or not self.text[above:start].lstrip(_BLANK).startswith("#"):
                break
            start = above
        return start

    def _tail(self, last: Entry) -> int:
        """The end of the line of `last` and of the comments right below it, but for those right above what follows."""
        end = self.line_end(last.end)
        number = self.entries.index(last)
        highest = self._lead(number + 1) if number + 1 < len(self.entries) else len(self.text)
        while end < highest and self.text[end : self.line_end(end)].lstrip(_BLANK).startswith("#"):
            end = self.line_end(end)
        return end

    def line_start(self, offset: int) -> int:
        """Where the line of `offset` begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Where the line behind that of `offset` begins, or the text ends."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found + 1

    def indent(self, pairs: Sequence[Entry]) -> str:
        """How far the lines of `pairs` are indented."""
        if not pairs:
            return ""
        start = pairs[-1].start
        return self.text[self.line_start(start) : start]

    def lines(self, made: str) -> str:
        """What tomlkit made of some lines, with the line ends of the text."""
        return made.replace("\r\n", "\n").replace("\n", self.newline)

    def insert(self, at: int, lines: str) -> str:
        """The text with whole `lines` at `at`, where a line begins."""
        before, after = self.text[:at], self.text[at:]
        if before and not before.endswith("\n"):
            before += self.newline
        return before + lines + after

    def insert_table(self, at: int, block: str) -> str:
        """The text with a table's lines behind what stands before `at`, a blank line before and behind it."""
        before, after = self.text[:at], self.text[at:]
        if at == len(self.text):
            before = before.rstrip(_BLANK)
            return f"{before}{self.newline * 2}{block}" if before else block
        if before and not before.endswith("\n"):
            before += self.newline
        gap = self.newline if after[:1] not in ("\n", "\r") else ""
        return f"{before}{self.newline}{block}{gap}{after}"


def layout(text: str) -> Layout:
    """What `text`, which tomllib has read, is made of."""
    entries = tuple(outline(text))
    heads = [n for n, entry in enumerate(entries) if entry.value is None]
    top = entries[: heads[0]] if heads else entries
    newline = "\r\n" if "\r\n" in text and "\n" not in text.replace("\r\n", "") else "\n"
    draft = Layout(text, entries, top, 0, newline)
    if top:
        return draft._replace(top_end=draft.line_end(top[-1].end))
    return draft._replace(top_end=draft._lead(heads[0]) if heads else len(text))

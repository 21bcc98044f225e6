"""A line of text that is being typed: what each key makes of it, and which part of it is seen. Pure."""

from typing import NamedTuple

from rich.cells import cell_len

from mvtui.model.text import clean

# Whoever holds a key down, or pastes a file, gets no further.
MOST = 4096


class LineEdit(NamedTuple):
    """`text` with the cursor before its character `at`."""

    text: str = ""
    at: int = 0

    def insert(self, text: str) -> "LineEdit":
        """With `text` at the cursor, as it can be seen: control characters become escapes."""
        new = clean(text)[: max(0, MOST - len(self.text))]
        return LineEdit(self.text[: self.at] + new + self.text[self.at :], self.at + len(new))

    def pressed(self, key: str, character: str | None) -> "LineEdit | None":
        """After this key (Textual's name), None where it is none of a line's."""
        before, after = self.text[: self.at], self.text[self.at :]
        match key:
            case "left" | "ctrl+b":
                return LineEdit(self.text, max(0, self.at - 1))
            case "right":
                return LineEdit(self.text, min(len(self.text), self.at + 1))
            case "home" | "ctrl+a":
                return LineEdit(self.text, 0)
            case "end" | "ctrl+e":
                return LineEdit(self.text, len(self.text))
            case "backspace" | "ctrl+h":
                return LineEdit(before[:-1] + after, max(0, self.at - 1))
            case "delete" | "ctrl+d":
                return LineEdit(before + after[1:], self.at)
            case "ctrl+u":
                return LineEdit(after, 0)
            case "ctrl+k":
                return LineEdit(before, self.at)
            case "ctrl+w":
                kept = _without_last_word(before)
                return LineEdit(kept + after, len(kept))
        if character is not None and character.isprintable() and len(character) == 1:
            return self.insert(character)
        return None

    def seen(self, width: int) -> tuple[str, int]:
        """What of the text is seen in `width` cells, one of them for the cursor behind its end; and which character of
        that the cursor is on (one behind the last: on the cell behind it)."""
        start = 0
        while start < self.at and cell_len(self.text[start : self.at + 1]) >= width:
            start += 1
        end = start
        used = 0
        while end < len(self.text) and used + (cells := cell_len(self.text[end])) <= width:
            used += cells
            end += 1
        return self.text[start:end], self.at - start


def begin(text: str) -> LineEdit:
    """The cursor behind the end of `text`."""
    return LineEdit(text, len(text))


def _without_last_word(text: str) -> str:
    """Without its last word, or the last part of a path."""
    kept = text.rstrip(" /")
    cut = max(kept.rfind(" "), kept.rfind("/")) + 1
    return kept[:cut]

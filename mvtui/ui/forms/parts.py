"""The lines around a form: its title, what is said at the foot, the keys."""

from collections.abc import Callable, Sequence

from textual.geometry import Size

from mvtui.ui.lines import Line, Lines, clipped, ruled, width_of

Make = Callable[[Size], Sequence[Line]]


class Title(Lines):
    """What is open, and whether something is changed."""

    def __init__(self) -> None:
        super().__init__()
        self._text = self._end = ""

    def say(self, text: str, end: str = "") -> None:
        """This, with `end` at its end."""
        self._text, self._end = text, end
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        return (ruled(self._text, size.width, f" {self._end} ─" if self._end else ""),)


class Made(Lines):
    """What `make` makes for its size."""

    def __init__(self, make: Make) -> None:
        super().__init__()
        self._make = make

    def fitted(self, size: Size) -> Sequence[Line]:
        """As it is now."""
        return self._make(size)


class Detail(Made):
    """What is said of one field or item; as high whatever that is."""


class Keys(Made):
    """The keys that work, or a question."""


def keys_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """The keys, each with what it does; of those in the middle as many as there is room for."""
    told = [((key, "key"), (f" {words}  ", "dim")) for key, words in keys]
    while len(told) > 1 and width_of(tuple(piece for pair in told for piece in pair)) - 2 > width:
        told.pop(-2)
    line = tuple(piece for pair in told for piece in pair)
    last, role = line[-1]
    return clipped((*line[:-1], (last.rstrip(), role)), width)

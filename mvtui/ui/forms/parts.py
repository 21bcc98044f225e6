"""The lines around a form: its title, what is said at the foot, the keys."""

from collections.abc import Callable, Sequence

from textual.geometry import Size

from mvtui.model.text import clean
from mvtui.ui.forms.editing import Editing
from mvtui.ui.lines import Line, Lines, clipped, ruled, width_of
from mvtui.ui.widgets.question import DEAF_SECONDS

# What a key does.
Answers = dict[str, Callable[[], None]]
Make = Callable[[Size], Sequence[Line]]


class Title(Lines):
    """What is open, and whether something is changed."""

    def __init__(self) -> None:
        super().__init__()
        self._text = self._end = ""

    def show(self, microvm: str, editing: Editing | None) -> None:
        """The form that is open, or the whole definition."""
        form = editing.form if editing is not None else None
        if form is not None:
            self._text, self._end = f"{clean(microvm)} > {form.name}{' (new)' if form.is_new else ''}", ""
        else:
            self._text = f"{clean(microvm)}: what its definition file says"
            self._end = "not saved" if editing is not None and editing.draft.changed else ""
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
    """The keys that work, or a question and its answers."""

    def __init__(self, make: Make) -> None:
        super().__init__(make)
        self._question, self._answers, self._asked_at = "", Answers(), 0.0

    @property
    def asks(self) -> bool:
        """Whether there is a question."""
        return bool(self._answers)

    def ask(self, question: str, answers: Answers, now: float) -> None:
        """Ask this, at that second."""
        self._question, self._answers, self._asked_at = question, answers, now
        self.add_class("-asks")

    def answer(self, key: str, now: float) -> Callable[[], None] | None:
        """What the key does; one that is no answer leaves the question. None in its first moments, where a key was on
        its way to something else."""
        if now - self._asked_at < DEAF_SECONDS:
            return None
        answers, self._answers = self._answers, Answers()
        self.remove_class("-asks")
        return answers.get(key)

    def fitted(self, size: Size) -> Sequence[Line]:
        """One line."""
        return (((self._question, "strong"),),) if self.asks else super().fitted(size)


def keys_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """The keys, each with what it does; of those in the middle as many as there is room for."""
    told = [((key, "key"), (f" {words}  ", "dim")) for key, words in keys]
    while len(told) > 1 and width_of(tuple(piece for pair in told for piece in pair)) - 2 > width:
        told.pop(-2)
    line = tuple(piece for pair in told for piece in pair)
    last, role = line[-1]
    return clipped((*line[:-1], (last.rstrip(), role)), width)

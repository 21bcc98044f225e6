"""What asks before something happens: a bar of one line, or a panel with facts, or one that wants something typed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.events import DescendantBlur, Key
from textual.geometry import Size

from mvtui.ui.keys import key_label
from mvtui.ui.lines import Line, Lines, clipped, cut, in_ascii, ruled, width_of
from mvtui.ui.questions import Fact, Question
from mvtui.ui.widgets.dialog import DialogClosed

if TYPE_CHECKING:
    from textual.widgets import Input

    from mvtui.ui.widgets.field import Field

# A key that was on its way to something else does not answer.
DEAF_SECONDS = 0.3

# What a bar has room for beside its answers, or it is none.
_LEAST_TEXT = 8

_FACT_SIGNS = {True: ("✓", "v", "good"), False: ("×", "x", "error"), None: ("·", ".", "dim")}


def question_lines(question: Question, width: int, most: int, ascii_only: bool) -> list[Line]:
    """At most `most` lines; in a bar the answers always have room, or it becomes a panel. Where not all facts have
    room, the last line of them says how many are left out."""
    answers = _answers(question)
    if not question.facts and not question.typed:
        tail: Line = ((" — ", "dim"), *[piece for answer in answers for piece in answer])
        if width_of(tail) + _LEAST_TEXT <= width:
            return [((cut(question.text, width - width_of(tail)), "strong"), *tail)]
    if question.typed:
        wanted: Line = ((f"Type {question.typed_is}, then ", "text"), ("Enter", "key"), ("; ", "text"))
        tail_lines = [clipped((*wanted, ("Esc", "key"), (" leaves.", "text")), width)]
    else:
        tail_lines = _flowed(answers, width)
    facts, room = question.facts, max(1, most - 1 - len(tail_lines))
    if len(facts) > room:
        facts = (*facts[: room - 1], Fact(f"and {len(facts) - room + 1} more"))
    return [ruled(question.text, width), *[clipped(_fact(fact, ascii_only), width) for fact in facts], *tail_lines]


def _answers(question: Question) -> list[Line]:
    """Each with its key; Esc is the last."""
    told = [((key_label(one.key), "key"), (f" {one.words}, ", "text")) for one in question.answers]
    return [*told, (("Esc", "key"), (" leaves", "text"))]


def _flowed(answers: list[Line], width: int) -> list[Line]:
    """Over as many lines as it takes."""
    lines: list[Line] = [(("  ", "text"),)]
    for answer in answers:
        if width_of((*lines[-1], *answer)) > width and len(lines[-1]) > 1:
            lines.append((("  ", "text"),))
        lines[-1] = (*lines[-1], *answer)
    return [clipped(line, width) for line in lines]


def _fact(fact: Fact, ascii_only: bool) -> Line:
    sign, twin, role = _FACT_SIGNS[fact.ok]
    return ((f"  {twin if ascii_only else sign} ", role), (fact.words, "text"))


class QuestionText(Lines, can_focus=True):
    """The question's lines; they have the focus where nothing has to be typed."""

    question: Question | None = None

    def fitted(self, size: Size) -> list[Line]:
        """The question for this width."""
        if self.question is None:
            return []
        # A field takes a line of its own.
        most = self.screen.size.height - bool(self.question.typed)
        return question_lines(self.question, size.width, most, in_ascii(self.app))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class QuestionPanel(Vertical):
    """Docked over the foot while there is a question; it has the focus, and acts on no key without it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._asked_at = 0.0
        self._text = QuestionText()
        self._input: Field | None = None
        self.question: Question | None = None
        self.display = False

    def on_mount(self) -> None:
        """The text is there from the start."""
        self.mount(self._text)

    def ask(self, question: Question) -> None:
        """Ask this; what was asked before is left."""
        self._remove_input()
        self.question = self._text.question = question
        self._asked_at = self._monotonic()
        is_bar = len(self._text.fitted(self.screen.size)) == 1
        self.set_class(is_bar, "-bar")
        self._text.emphasis = "question" if is_bar else ""
        self.display = True
        self._text.can_focus = not question.typed  # a click on it takes nothing from the field
        if question.typed:
            from mvtui.ui.widgets.field import Field  # noqa: PLC0415  (Input takes long to import)

            self._input = Field(lambda: self._is_deaf)
            self.mount(self._input)
            self.screen.set_focus(self._input)
        else:
            self.screen.set_focus(self._text)
        self._text.update()
        self._text.refresh(layout=True)

    @property
    def _is_deaf(self) -> bool:
        question = self.question
        return question is None or (not question.harmless and self._monotonic() - self._asked_at < DEAF_SECONDS)

    def on_key(self, event: Key) -> None:
        """Answer, leave, or nothing: no key goes on to anything else, but for the field's own, which are bindings and
        looked up at the very top."""
        if self._input is None or event.key == "escape":
            event.stop()
            event.prevent_default()
        if self._is_deaf or self.question is None:
            return
        if event.key == "escape":
            self.leave()
            return
        for answer in self.question.answers:
            if answer.key == event.key:
                self.leave()
                answer.act()
                return

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Act if it is what was wanted; a wrong one stays to be mended."""
        event.stop()
        question = self.question
        if question is None or question.act is None or self._is_deaf:
            return
        if event.value == question.typed:
            self.leave()
            question.act()

    def on_descendant_blur(self, _event: DescendantBlur) -> None:
        """A question that has lost the focus is left: its keys would go elsewhere."""
        focused = self.screen.focused
        if focused is None or self not in focused.ancestors:
            self.leave()

    def leave(self) -> None:
        """Ask no more."""
        if self.question is not None:
            self.question = self._text.question = None
            self.display = False
            self._remove_input()
            self.post_message(DialogClosed(self))

    def _remove_input(self) -> None:
        if self._input is not None:
            self._input.remove()
            self._input = None

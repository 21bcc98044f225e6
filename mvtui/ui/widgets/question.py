"""The bar that asks before something happens."""

from collections.abc import Callable

from textual.events import Blur, Key
from textual.geometry import Size

from mvtui.ui.lines import Line, Lines, Piece, cut, width_of
from mvtui.ui.questions import Question
from mvtui.ui.widgets.dialog import DialogClosed

# A key that was on its way to something else does not answer.
DEAF_SECONDS = 0.3


def question_line(question: Question, width: int) -> Line:
    """The line; the answers always have room."""
    answers: list[Piece] = []
    for answer in question.answers:
        answers += [(answer.key, "key"), (f" {answer.words}, ", "text")]
    tail: Line = ((" — ", "dim"), *answers, ("Esc", "key"), (" leaves", "text"))
    return ((cut(question.text, width - width_of(tail)), "strong"), *tail)


class QuestionBar(Lines, can_focus=True):
    """One line, shown while there is a question; it has the focus, and acts on no key without it."""

    emphasis = "question"

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._asked_at = 0.0
        self.question: Question | None = None
        self.display = False

    def ask(self, question: Question) -> None:
        """Ask this; what was asked before is left."""
        self.question = question
        self._asked_at = self._monotonic()
        self.display = True
        self.screen.set_focus(self)
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The question for this width."""
        return (question_line(self.question, size.width),) if self.question is not None else ()

    def on_key(self, event: Key) -> None:
        """Answer, leave, or nothing: no key goes on to anything else."""
        event.stop()
        event.prevent_default()
        if self.question is None or self._monotonic() - self._asked_at < DEAF_SECONDS:
            return
        if event.key == "escape":
            self.leave()
            return
        for answer in self.question.answers:
            if answer.key == event.key:
                self.leave()
                answer.act()
                return

    def on_blur(self, _event: Blur) -> None:
        """A question that has lost the focus is left: its keys would go elsewhere."""
        self.leave()

    def leave(self) -> None:
        """Ask no more."""
        if self.question is not None:
            self.question = None
            self.display = False
            self.post_message(DialogClosed(self))

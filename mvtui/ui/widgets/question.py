"""What asks before something happens: a bar of one line, or a panel with facts, or one that wants something typed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.containers import Vertical
from textual.events import DescendantBlur, Key
from textual.geometry import Size

from mvtui.ui.charset import fit
from mvtui.ui.keys import all_keys, key_label, leave_label, leaves
from mvtui.ui.lines import Line, Lines, clipped, cut, folded, in_ascii, ruled, width_of
from mvtui.ui.questions import Answer, Fact, Question
from mvtui.ui.widgets.dialog import DialogClosed

if TYPE_CHECKING:
    from textual.widgets import Input

    from mvtui.ui.widgets.field import Field

# A key that was on its way to something else does not answer.
DEAF_SECONDS = 0.3

_FACT_SIGNS = {True: ("✓", "v", "good"), False: ("×", "x", "error"), None: ("·", ".", "dim")}


def question_lines(question: Question, width: int, most: int, ascii_only: bool, leave: str = "Esc") -> list[Line]:
    """At most `most` lines; none where these do not hold all of what is asked and every answer. A bar where that has
    room on one line; `leave` is the key that leaves it. Where not all facts
    have room, the last line of them says how many are left out."""
    answers = answer_pieces(question.answers, leave)
    facts = question.facts
    if question.typed:
        wanted: Line = ((f"Type {question.typed_is}, then ", "text"), ("Enter", "key"), ("; ", "text"))
        tail_lines = flowed([wanted, ((leave, "key"), (" leaves.", "text"))], width, "")
    else:
        if not facts and (bar := _bar(question, answers, width)):
            return [bar]
        tail_lines = flowed(answers, width, "  ")
    if question.more:
        facts = (Fact(question.more), *facts)
    head = _head(question.text, width)
    room = most - len(head) - len(tail_lines)
    if room < bool(facts):
        return []
    if len(facts) > room:
        facts = (*facts[: room - 1], Fact(f"and {len(facts) - room + 1} more"))
    return [*head, *fact_lines(facts, width, room, ascii_only), *tail_lines]


def _bar(question: Question, answers: list[Line], width: int) -> Line:
    """All on one line, () where that is too long; what is told beside the question may be cut."""
    tail: Line = ((" — ", "dim"), *[piece for answer in answers for piece in answer])
    room = width - width_of(tail) - cell_len(question.text)
    if room < 0:
        return ()
    more = f" {cut(question.more, room - 1)}" if question.more and room > 2 else ""
    return ((question.text + more, "strong"), *tail)


def _head(text: str, width: int) -> list[Line]:
    """What is asked, over as many lines as it takes, with a rule to the end of the first."""
    first, *more = folded(text, max(1, width - 8), len(text))
    return [ruled(first, width), *[((f"  {line}", "strong"),) for line in more]]


def answer_pieces(answers: Sequence[Answer], leave: str = "Esc") -> list[Line]:
    """Each with its key; the last is `leave`, which leaves."""
    told = [((key_label(one.key), "key"), (f" {one.words}, ", "text")) for one in answers]
    return [*told, ((leave, "key"), (" leaves", "text"))]


def flowed(answers: list[Line], width: int, indent: str) -> list[Line]:
    """Over as many lines as it takes."""
    lines: list[Line] = [((indent, "text"),)]
    for answer in answers:
        if width_of((*lines[-1], *answer)) > width and len(lines[-1]) > 1:
            lines.append(((indent, "text"),))
        lines[-1] = (*lines[-1], *answer)
    return [clipped(line, width) for line in lines]


def fact_lines(facts: Sequence[Fact], width: int, room: int, ascii_only: bool) -> list[Line]:
    """Each in a line, and those that are longer in as many as there is room for, from the first on."""
    titles = max((cell_len(fact.title) for fact in facts), default=0)
    indent = 4 + (titles + 1 if titles else 0)
    lines: list[Line] = []
    for number, fact in enumerate(facts):
        left = room - len(lines) - (len(facts) - number - 1)
        wide = max(10, width - indent)
        first, *more = folded(fact.words, wide, left) if left > 1 else [cut(fact.words, wide)]
        lines.append((*_sign(fact, titles, ascii_only), (first, "text")))
        lines += [((" " * indent, "text"), (line, "text")) for line in more]
    return [clipped(line, width) for line in lines]


def _sign(fact: Fact, titles: int, ascii_only: bool) -> Line:
    sign, twin, role = _FACT_SIGNS[fact.ok]
    if not titles:
        return ((f"  {twin if ascii_only else sign} ", role),)
    mark = " " if fact.ok is None else twin if ascii_only else sign
    return ((f"  {mark} ", role), (fit(fact.title, titles) + " ", "dim"))


class QuestionText(Lines, can_focus=True):
    """The question's lines; they have the focus where nothing has to be typed."""

    question: Question | None = None

    def lines(self, width: int) -> list[Line]:
        """The question for this width; none where it has no room on this screen."""
        if self.question is None:
            return []
        # A field takes a line of its own.
        most = self.screen.size.height - bool(self.question.typed)
        return question_lines(self.question, width, most, in_ascii(self.app), self._leave)

    @property
    def _leave(self) -> str:
        """The key that leaves it: none of an answer's."""
        question = self.question
        taken = {one.key for one in question.answers} if question is not None else set()
        return leave_label(all_keys(self.app), typing=question is not None and bool(question.typed), taken=taken)

    def fitted(self, size: Size) -> list[Line]:
        """The same, or why it can't be answered."""
        lines = self.lines(size.width)
        if lines or self.question is None:
            return lines
        return [(("Too small a terminal for this question; ", "warning"), (self._leave, "key"), (" leaves", "text"))]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """How many lines there are."""
        return len(self.fitted(Size(width, 0)))


class QuestionPanel(Vertical):
    """Docked over the foot while there is a question; it has the focus, and acts on no key without it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._asked_at = 0.0
        self._was_whole = True
        self._text = QuestionText()
        self.field: Field | None = None
        self.question: Question | None = None
        self.display = False

    def on_mount(self) -> None:
        """The text is there from the start."""
        self.mount(self._text)

    def ask(self, question: Question) -> None:
        """Ask this; what was asked before is left."""
        self._remove_field()
        self.question = self._text.question = question
        self._asked_at = self._monotonic()
        self._was_whole = self._is_whole
        self._show_as_bar_or_panel()
        self.display = True
        self._text.can_focus = not question.typed  # a click on it takes nothing from the field
        if question.typed:
            from mvtui.ui.widgets.field import Field  # noqa: PLC0415  (Input takes long to import)

            self.field = Field(lambda: self._is_deaf)
            self.mount(self.field)
            self.screen.set_focus(self.field)
        else:
            self.screen.set_focus(self._text)
        self._text.update()
        self._text.refresh(layout=True)

    def on_resize(self) -> None:
        """A bar may have become a panel, or what had no room can be read."""
        self._show_as_bar_or_panel()
        if self._is_whole and not self._was_whole:
            self._asked_at = self._monotonic()
        self._was_whole = self._is_whole

    def _show_as_bar_or_panel(self) -> None:
        is_bar = len(self._text.fitted(self.screen.size)) == 1
        self.set_class(is_bar, "-bar")
        self._text.emphasis = "question" if is_bar else ""

    @property
    def _is_deaf(self) -> bool:
        """True for its first moments, and where not all of it can be read."""
        question = self.question
        if question is None or not self._is_whole:
            return True
        return not question.harmless and self._is_new

    @property
    def _is_whole(self) -> bool:
        return bool(self._text.lines(self.screen.size.width))

    @property
    def _is_new(self) -> bool:
        return self._monotonic() - self._asked_at < DEAF_SECONDS

    def on_key(self, event: Key) -> None:
        """Answer, leave, or nothing: no key goes on to anything else, but for the field's own, which are bindings and
        looked up at the very top."""
        may_leave = leaves(event.key, all_keys(self.app)) and not (self.field and event.is_printable)
        if self.field is None or may_leave:
            event.stop()
            event.prevent_default()
        if self.question is None:
            return
        if may_leave and event.key not in {one.key for one in self.question.answers}:
            if self.question.harmless or not self._is_new:
                self.leave()
            return
        if self._is_deaf:
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
            self._remove_field()
            self.post_message(DialogClosed(self))

    def _remove_field(self) -> None:
        if self.field is not None:
            self.field.remove()
            self.field = None

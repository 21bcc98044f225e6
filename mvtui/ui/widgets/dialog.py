"""What all dialogs have in common."""

from collections.abc import Callable

from textual.message import Message
from textual.widget import Widget


class DialogClosed(Message):
    """A question has been answered or left, a panel is done: the keys are the level's again. `then` comes after."""

    def __init__(self, dialog: Widget, then: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.dialog = dialog
        self.then = then


class Dialog(Widget):
    """A panel over the foot. It is left when another widget takes the focus: its keys would go elsewhere.

    It is the last base of a class: Textual takes the style sheets of the first one alone. `field` is where something
    can be typed, in those that have one.
    """

    field: Widget | None = None

    @property
    def is_changed(self) -> bool:
        """Whether something would be lost with it; then it stays until its own keys leave it."""
        return False

    @property
    def asks_to_end(self) -> bool:
        """Whether it asks whether the panel may end with what is changed in it."""
        return False

    def ask_to_end(self, end: Callable[[], None]) -> None:
        """Ask that; `end` does it. Only where something is changed."""
        raise NotImplementedError

    def keep_changes(self) -> None:
        """Give what is changed in it to whoever keeps it: the panel ends. Only where something is changed."""
        raise NotImplementedError

    def take_focus(self) -> None:
        """The keys are its own again."""
        self.screen.set_focus(self)

    def on_descendant_blur(self) -> None:
        """Something in it has lost the focus."""
        self._leave_without_focus()

    def on_blur(self) -> None:
        """It has lost the focus itself."""
        self._leave_without_focus()

    def _leave_without_focus(self) -> None:
        focused = self.screen.focused
        # None: the terminal has lost its own focus, and gives it back.
        if focused is not None and focused is not self and self not in focused.ancestors:
            self.post_message(DialogClosed(self))

"""What all dialogs have in common."""

from textual.message import Message
from textual.widget import Widget


class DialogClosed(Message):
    """A question has been answered or left, a panel is done: the keys are the list's again."""

    def __init__(self, dialog: Widget) -> None:
        super().__init__()
        self.dialog = dialog

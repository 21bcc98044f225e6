"""The tabs of a page, with their keys."""

from textual.events import Click
from textual.geometry import Size
from textual.message import Message

from mvtui.ui.keys import Keys, key_label
from mvtui.ui.lines import Line, Lines, clipped, in_ascii


def tab_line(tabs: tuple[str, ...], chosen: str, keys: Keys, width: int, ascii_only: bool) -> Line:
    """One line; the tab that is open is bright, and marked where there are no colours."""
    pieces = []
    for tab in tabs:
        label = key_label(keys.get(f"tab_{tab}", ("",))[0])
        words = f" {tab.capitalize()}"
        if tab == chosen:
            left, right = ("[", "]") if ascii_only else ("▌", "▐")
            pieces += [(left, "key"), (f"{label}{words}", "strong"), (f"{right} ", "key")]
        else:
            pieces += [(" ", "text"), (label, "dim"), (f"{words}  ", "dim")]
    return clipped(tuple(pieces), width)


class TabBar(Lines):
    """A click opens a tab."""

    class Chosen(Message):
        """That tab is wanted."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: tuple[str, ...]) -> None:
        super().__init__()
        self._tabs = tabs
        self._keys: Keys = {}
        self.chosen = tabs[0]

    def choose(self, tab: str) -> None:
        """That one is open."""
        self.chosen = tab
        self.update()

    def show_keys(self, keys: Keys) -> None:
        """These work from now on."""
        self._keys = keys
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The line for this width."""
        return (tab_line(self._tabs, self.chosen, self._keys, size.width, in_ascii(self.app)),)

    def on_click(self, event: Click) -> None:
        """The tab whose words are there."""
        x = 0
        for tab in self._tabs:
            x += len(tab) + 5
            if event.x < x:
                self.post_message(self.Chosen(tab))
                return

"""The tabs of a page, with their keys."""

from textual.events import Click
from textual.geometry import Size
from textual.message import Message

from mvtui.ui.keys import Keys, key_labels
from mvtui.ui.lines import Line, Lines, clipped, in_ascii, width_of

# As many letters has a tab that is not open where there is no room for more.
_SHORT = 4


def tab_pieces(tab: str, chosen: str, keys: Keys, ascii_only: bool, name: str) -> Line:
    """A tab with its key and `name`; the one that is open is bright, and marked where there are no colours."""
    words = f"{key_labels(keys.get(f'tab_{tab}', ())[:1])} {name.capitalize()}".strip()
    if tab != chosen:
        return ((f" {words}  ", "dim"),)
    left, right = ("[", "]") if ascii_only else ("▌", "▐")
    return ((left, "key"), (words, "strong"), (f"{right} ", "key"))


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
        self._short = False
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
        """The line for this width; where it has no room for all, what is not open is named shorter."""
        self._short = False
        self._short = width_of(self._line()) > size.width
        return (clipped(self._line(), size.width),)

    def _line(self) -> Line:
        return tuple(piece for tab in self._tabs for piece in self._pieces(tab))

    def _pieces(self, tab: str) -> Line:
        name = tab[:_SHORT] if self._short and tab != self.chosen else tab
        return tab_pieces(tab, self.chosen, self._keys, in_ascii(self.app), name)

    def on_click(self, event: Click) -> None:
        """The tab whose words are there. What stands round the open one is no key, though in ASCII it reads as one."""
        event.prevent_default()
        x = 0
        for tab in self._tabs:
            x += width_of(self._pieces(tab))
            if event.x < x:
                self.post_message(self.Chosen(tab))
                return

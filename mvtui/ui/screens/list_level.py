"""The first level: every microVM of the host, and why the selected one is in its state."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Key

from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.ui.command import Place
from mvtui.ui.commands import bindings, menders
from mvtui.ui.keys import Keys
from mvtui.ui.listing import Listing, is_wrong, state_counts
from mvtui.ui.picture import Picture
from mvtui.ui.questions import Answer, Question
from mvtui.ui.trends import Trends
from mvtui.ui.widgets.microvm_list import Heads, MicroVMList
from mvtui.ui.widgets.side import Side
from mvtui.ui.widgets.why_line import Why, WhyLine

# The key of each state in the question which one to show.
_STATE_KEYS = {
    StateWord.RUNNING: "r",
    StateWord.STARTING: "g",
    StateWord.STOPPING: "p",
    StateWord.DEGRADED: "d",
    StateWord.LOOPING: "l",
    StateWord.FAILED: "f",
    StateWord.STOPPED: "s",
    StateWord.ORPHAN: "o",
    StateWord.UNKNOWN: "u",
}


class Opener(Protocol):
    """What opens above the list, at once: the next key may be on its way already."""

    def ask_for_list(self, question: Question) -> None:
        """A question that the list has."""

    def type_filter(self) -> None:
        """A filter is to be typed."""

    def open_selected(self) -> None:
        """The page of the selected one is wanted."""

    def passes(self, event: Key) -> None:
        """A key is on its way to the bindings."""


class ListLevel(Vertical):
    """Titles, list, why-line; in a wide terminal the overview of the selected one at the right."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.LIST))

    def __init__(self, names: Sequence[str], trends: Trends, opener: Opener) -> None:
        super().__init__()
        self._opener = opener
        self._heads = Heads()
        self.list = MicroVMList(names)
        self._why = WhyLine()
        self._side = Side(trends)
        self._picture: Picture | None = None
        self._keys: Keys = {}

    def on_key(self, event: Key) -> None:
        """What is opened until it reaches the bindings gets it instead of them."""
        self._opener.passes(event)

    def compose(self) -> ComposeResult:
        """From top to bottom; the side is docked."""
        yield from (self._side, self._heads, self.list, self._why)

    @property
    def targets(self) -> tuple[MicroVM, ...]:
        """What commands mean: the marked ones, else the selected one."""
        return self.list.marked or ((self.list.selected,) if self.list.selected is not None else ())

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self._picture = picture
        self.list.present(picture)
        self._present_selected()

    def show_keys(self, keys: Keys) -> None:
        """These work from now on."""
        self._keys = keys
        self._present_selected()

    @on(MicroVMList.Moved)
    @on(MicroVMList.Arranged)
    def _present_selected(self) -> None:
        picture, microvm = self._picture, self.list.selected
        self._heads.present(self.list.listing)
        if picture is None or microvm is None:
            self._why.present(None)
            self._side.present(None, None)
            return
        # With marks, the keys mean the marked ones.
        helping = tuple(menders(picture.situation(microvm, self._keys))) if self.targets == (microvm,) else ()
        self._why.present(Why(microvm, self.list.position, helping, self._keys, picture.now))
        self._side.present(microvm, picture.now)

    @on(Heads.Sorted)
    def _sort_by(self, event: Heads.Sorted) -> None:
        listing = self.list.listing
        reverse = not listing.reverse if listing.sort == event.column else False
        self.list.list_as(replace(listing, sort=event.column, reverse=reverse))

    def take_focus(self) -> None:
        """The keys are the list's."""
        self.screen.set_focus(self.list)

    def show_all(self) -> bool:
        """Drop the filter; False where there is none."""
        listing = self.list.listing
        self.list.list_as(replace(listing, text="", state=None, wrong=False))
        return listing.filters

    def unmark(self) -> bool:
        """Drop the marks; False where there are none."""
        had = bool(self.list.marks)
        self.list.mark(frozenset())
        return had

    # The keys

    @on(MicroVMList.Chosen)
    def action_open(self) -> None:
        """Open the page of the selected one."""
        self._opener.open_selected()

    def action_filter(self) -> None:
        """Type a filter."""
        self._opener.type_filter()

    def action_filter_state(self) -> None:
        """Ask for the state that is to be shown alone."""
        microvms = self._picture.snapshot.microvms if self._picture and self._picture.snapshot else ()
        plain = replace(self.list.listing, state=None, wrong=False)
        answers = [self._shows("a", f"all {len(microvms)}", plain)]
        wrong = sum(is_wrong(microvm) for microvm in microvms)
        answers.append(self._shows("x", f"{wrong} wrong", replace(plain, wrong=True)))
        for word, count in state_counts(microvms).items():
            answers.append(self._shows(_STATE_KEYS[word], f"{count} {word}", replace(plain, state=word)))
        self._opener.ask_for_list(Question("show", tuple(answers), harmless=True))

    def _shows(self, key: str, words: str, listing: Listing) -> Answer:
        return Answer(key, words, partial(self.list.list_as, listing))

    def action_mark(self) -> None:
        """Mark the selected one, or no longer; the cursor goes on."""
        if self.list.selected is not None:
            self.list.mark(self.list.marks ^ {self.list.selected.name})
            self.list.action_cursor_down()

    def action_mark_all(self) -> None:
        """Mark all that are shown; none where all are."""
        shown, marks = frozenset(microvm.name for microvm in self.list.shown), self.list.marks
        self.list.mark(marks - shown if shown <= marks else marks | shown)

    def action_sort_left(self) -> None:
        """Sort by the column at the left of the present one."""
        self.list.list_as(self.list.listing.sorted_by(-1))

    def action_sort_right(self) -> None:
        """Sort by the column at the right of the present one."""
        self.list.list_as(self.list.listing.sorted_by(1))

    def action_sort_reverse(self) -> None:
        """The other way round."""
        self.list.list_as(replace(self.list.listing, reverse=not self.list.listing.reverse))

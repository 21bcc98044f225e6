"""The tab of the timeline: a sheet on which a key chooses what is shown."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from mvtui.model.timeline import EventGroup
from mvtui.ui.command import Place
from mvtui.ui.commands import bindings
from mvtui.ui.questions import Answer, Question
from mvtui.ui.widgets.sheet import Sheet

_KEYS = dict(zip(EventGroup, "sfidoc", strict=True))


class TimelineSheet(Sheet):
    """`choose` is called with what is to be shown, None for all."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Place.TIMELINE))

    def __init__(self, ask: Callable[[Question], None], choose: Callable[[EventGroup | None], None]) -> None:
        super().__init__()
        self._ask, self._choose = ask, choose

    def action_event_group(self) -> None:
        """Ask for the events to show."""
        answers = [Answer("a", "all", partial(self._choose, None))]
        answers += [Answer(_KEYS[group], str(group), partial(self._choose, group)) for group in EventGroup]
        self._ask(Question("show", tuple(answers), harmless=True))

"""What is said of a draft while it is typed: by rules at once, by the host a moment later."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from mvtui.model.finding import Finding
from mvtui.operations.draft import Checked, check, still_told
from mvtui.ui.forms.desk import check_beside
from mvtui.ui.forms.latest import Latest

if TYPE_CHECKING:
    from mvtui.model.definition import Definition
    from mvtui.operations.definitions_save import Document

# So long after the last key the host is asked, and rules where they take long.
PAUSE_SECONDS = 0.25
# Rules that take longer (seconds of this thread) are not asked between two keys.
LONG_SECONDS = 0.008

Values = Mapping[str, Any]


class Findings:
    """`told` is called when there is something else to be said of the values that were asked about last."""

    def __init__(
        self,
        owner: Widget,
        check_fields: Callable[["Definition"], Awaitable[tuple[Finding, ...]]],
        told: Callable[[], None],
    ) -> None:
        self._told = told
        self._check_fields = check_fields
        self._values: Values = {}
        self._checked = Checked((), None)
        self._host: tuple[Finding, ...] = ()
        self._host_values: Values = {}
        self._is_long = False
        self.rules = Latest[tuple["Document", Values]](owner, "rules", PAUSE_SECONDS, self._check_beside)
        self.host = Latest[tuple[Values, "Definition"]](owner, "fields", PAUSE_SECONDS, self._check_host)

    @property
    def all(self) -> tuple[Finding, ...]:
        """Of the rules and of the host, in this order."""
        host = still_told(self._host, self._host_values, self._values)
        return (*self._checked.findings, *[each for each in host if each.subject not in self._checked.missing])

    def take(self, values: Values, checked: Checked) -> None:
        """These values, of which the rules have been asked already."""
        self._values = values
        self._take(values, checked)

    def ask(self, document: "Document", values: Values) -> None:
        """About these values."""
        self._values = values
        if self._is_long:
            self.rules.ask((document, values))
            return
        began = time.thread_time()
        checked = check(document, values)
        self._is_long = time.thread_time() - began > LONG_SECONDS
        self._take(values, checked)

    def _take(self, values: Values, checked: Checked) -> None:
        self._checked = checked
        if checked.definition is not None:
            self.host.ask((values, checked.definition))

    async def _check_beside(self, wanted: tuple["Document", Values]) -> None:
        checked = await check_beside(*wanted)
        if wanted[1] is self._values:
            self._take(wanted[1], checked)
            self._told()

    async def _check_host(self, wanted: tuple[Values, "Definition"]) -> None:
        values, definition = wanted
        self._host = await self._check_fields(definition)
        self._host_values = values
        self._told()

"""From a key to the clipboard: what can be copied is shown, the text is looked for where it must be, and how it
was copied is said."""

from functools import partial
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError
from mvtui.model.log import ERROR, LogFilter
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.commands import command
from mvtui.ui.into_readings import no_way
from mvtui.ui.source_acting import SourceApp

if TYPE_CHECKING:
    from mvtui.ui.copyables import Copyable


class CopyApp(SourceApp, inherit_bindings=False):
    """The part of the panel that copies."""

    def action_copy(self) -> None:
        """Show what can be copied of what is selected or marked."""
        from mvtui.ui.copyables import copyables  # noqa: PLC0415  (at the first time)

        if self.panel.asks:
            return
        targets = self.panel.targets
        if not targets:
            self.say(command("copy").refusal(self.panel.situation(None)), "warning")
            return
        with_units = self.host.units.manager == "systemd"
        found = copyables(targets, self.panel.under_cursor, self.seams.now(), with_units=with_units)
        whose = clean(targets[0].name) if len(targets) == 1 else f"{len(targets)} microVMs"
        self.panel.open_copy(f"Copy what of {whose}?", found, partial(self._begin_copy, targets[0]))

    def _begin_copy(self, microvm: MicroVM, one: "Copyable") -> None:
        if one.refusal:
            self.say(f"{clean(microvm.name)}: no {one.title}: {one.refusal}", "warning")
        else:
            self.run_worker(self._copy(microvm, one), name=f"copy {one.key}", group="copy", exclusive=True)

    async def _copy(self, microvm: MicroVM, one: "Copyable") -> None:
        try:
            text = one.text if one.later is None else await self._look_for(microvm, one)
        except MvtuiError as error:
            from mvtui.operations.into import NoWayError  # noqa: PLC0415

            self.say(error.message, "warning")
            if isinstance(error, NoWayError) and not self.panel.asks:
                self.panel.read(no_way(error))
            return
        copied = await self.seams.in_thread(self.seams.copy, text, self.host.calls)
        if copied.to_terminal and self._driver is not None and not self.lent:
            self._driver.write(copied.to_terminal)
        self.say(copied.words(f"the {one.title}"), "good" if copied.ok else "error")

    async def _look_for(self, microvm: MicroVM, one: "Copyable") -> str:
        """What is copied later than it was chosen. Raises MvtuiError."""
        from mvtui.ui.copyables import Later  # noqa: PLC0415

        name = clean(microvm.name)
        if one.later is Later.LOGIN:
            self.say(f"looking for a way into {name} …", "text")
            return clean((await self.seams.find_login(self.host, microvm)).words)
        logs = self.seams.logs(self.host, microvm.name)
        found = await self.seams.in_thread(logs.page, LogFilter(level=ERROR), 1)
        if not found:
            raise MvtuiError(f"{name} has logged no error")
        return clean(logs.entry(found[-1]).message.strip())

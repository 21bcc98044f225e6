"""From a key into the guest: the way there is looked for, ssh gets the terminal, the panel comes back. And from a key
to an archive for somebody who has no way there."""

from functools import partial

from mvtui.errors import MvtuiError
from mvtui.model.text import clean
from mvtui.ui.commands import command
from mvtui.ui.grow_acting import GrowApp
from mvtui.ui.into_readings import is_written, no_way
from mvtui.ui.questions import Answer, Fact, Question


class IntoApp(GrowApp, inherit_bindings=False):
    """The part of the panel that leads into guests."""

    def action_ssh(self) -> None:
        """Log in to the guest of the microVM that is selected."""
        if self.panel.asks:
            return
        microvm = self.panel.selected
        refusal = command("ssh").refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
        else:
            self.run_worker(self._log_in(microvm.name), name=f"ssh {microvm.name}", group="ssh", exclusive=True)

    def action_bundle(self) -> None:
        """Ask whether to write a support bundle of the microVM that is selected."""
        if self.panel.asks:
            return
        microvm = self.panel.selected
        if microvm is None:
            self.say(command("bundle").refusal(self.panel.situation(None)), "warning")
            return
        write = Answer("y", "writes it", partial(self._begin_bundle, microvm.name))
        text = f"write a support bundle of {clean(microvm.name)} on {clean(self.host.name)} to a file here?"
        self.panel.ask(Question(text, (write,), (Fact("no credentials, no environment"),)))

    def _begin_bundle(self, name: str) -> None:
        self.run_worker(self._write_bundle(name), name=f"bundle {name}", group="bundle")

    async def _write_bundle(self, name: str) -> None:
        snapshot, microvm = self.shown.snapshot, self.shown.find(name)
        if snapshot is None or microvm is None:
            self.say(f"{name} is gone", "warning")
            return
        self.say(f"collecting what is known of {name} …", "text")
        try:
            written = await self.seams.in_thread(self.seams.bundle, self.host, snapshot, microvm)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        self.say(f"written: {written.path}", "good")
        if not self.panel.asks:
            self.panel.read(is_written(written))

    async def _log_in(self, name: str) -> None:
        from mvtui.operations.into import NoWayError  # noqa: PLC0415
        from mvtui.ui import ssh  # noqa: PLC0415

        microvm, selected = self.shown.find(name), self.panel.selected
        if microvm is None:
            self.say(f"{name} is gone", "warning")
            return
        try:
            with self._announced(f"looking for a way into {clean(name)} …"):
                login = await self.seams.find_login(self.host, microvm)
            here = self.panel.selected
            # Whoever went elsewhere meanwhile is not taken away from there.
            if self.panel.asks or self.lent or here is None or selected is None or here.name != selected.name:
                self.say(f"{login.words} leads into {name}", "text")
                return
            connected, words = await ssh.run(login, self.terminal_lent, self.host.calls)
        except MvtuiError as error:
            self.say(error.message, "warning")
            if isinstance(error, NoWayError) and not self.panel.asks:
                self.panel.read(no_way(error))  # which no line has room for
            return
        self.say(words, "good" if connected else "error")
        self.look_soon()

"""From a key into the guest: the way there is looked for, ssh gets the terminal, the panel comes back."""

from functools import partial

from mvtui.errors import MvtuiError
from mvtui.model.text import clean
from mvtui.ui.commands import command
from mvtui.ui.grow_acting import GrowApp
from mvtui.ui.overlay_acting import MOMENT_SECONDS


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

    async def _log_in(self, name: str) -> None:
        from mvtui.ui import ssh  # noqa: PLC0415

        microvm, selected = self.shown.find(name), self.panel.selected
        if microvm is None:
            self.say(f"{name} is gone", "warning")
            return
        announced = self.set_timer(MOMENT_SECONDS, partial(self.say, f"looking for a way into {clean(name)} …", "text"))
        try:
            login = await self.seams.find_login(self.host, microvm)
            here = self.panel.selected
            # Whoever went elsewhere meanwhile is not taken away from there.
            if self.panel.asks or self.lent or here is None or selected is None or here.name != selected.name:
                self.say(f"{login.words} leads into {name}", "text")
                return
            connected, words = await ssh.run(login, self.terminal_lent, self.host.calls)
        except MvtuiError as error:
            self.say(str(error), "warning")
            return
        finally:
            announced.stop()
        self.say(words, "good" if connected else "error")
        self.look_soon()

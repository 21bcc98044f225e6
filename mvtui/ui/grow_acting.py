"""From a key to a larger image: planned beside the event loop, asked with the plan, done, told."""

from functools import partial

from mvtui.errors import MvtuiError
from mvtui.model.growth import GrowPlan, GrowWay, images_of, out_of_step
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui import grow_questions, jobs
from mvtui.ui.command import VolumeVerb
from mvtui.ui.commands import command
from mvtui.ui.store_acting import StoreApp

_VOLUMES = "volumes"


class GrowApp(StoreApp, inherit_bindings=False):
    """The part of the panel that grows the images of volumes."""

    def action_grow(self) -> None:
        """Grow the volume under the cursor, or the one that needs it."""
        if self.panel.asks:
            return
        microvm = self.panel.selected
        refusal = command("grow").refusal(self.panel.situation(microvm))
        if refusal or microvm is None:
            self.say(refusal, "warning")
            return
        image = self._meant_volume(microvm)
        if image is None:
            self.panel.open_page(microvm.name, _VOLUMES)
            key = self.panel.situation(microvm).key("grow")
            self.say(f"choose a volume, then {key} once more", "text")
        else:
            self._begin_planning(partial(self._plan_growth, microvm.name, image))

    def grow_volume(self, name: str, image: str) -> None:
        """Grow that one."""
        refusal = self._refusal(command("grow"), name)
        if refusal:
            self.say(refusal, "warning")
        elif not self.panel.asks:
            self._begin_planning(partial(self._plan_growth, name, image))

    def _meant_volume(self, microvm: MicroVM) -> str | None:
        """The image under the cursor; else the one whose size is not as defined; else the only one."""
        tab, key = self.panel.under_cursor
        if tab == _VOLUMES and key is not None:
            return key
        seen = [(one.volume, one.image) for one in microvm.volumes if one.image is not None]
        needy = [volume.image for volume, image in seen if (out_of_step(microvm, volume, image) or ("", False))[1]]
        images = needy if len(needy) == 1 else images_of(microvm, microvm.defined)
        return images[0] if len(images) == 1 else None

    async def _plan_growth(self, name: str, image: str) -> None:
        meant = self._meant
        try:
            with self._announced(f"looking at {clean(image)} …"):
                plan, mounted = await self.seams.plan_growth(self.host, name, image), None
                if (plan.ok or plan.nothing) and GrowWay.MOUNT in plan.ways:
                    mounted = await self.seams.plan_growth(self.host, name, image, way=GrowWay.MOUNT)
        except MvtuiError as error:
            self.say(str(error), "error")
            return
        if plan.nothing and mounted is not None:
            plan, mounted = mounted, None
        # Whoever went elsewhere meanwhile wants no question about it.
        if not self.panel.asks and self._meant == meant:
            self.update(message=())
            self._ask_to_grow(plan, mounted)

    def _ask_to_grow(self, plan: GrowPlan, mounted: GrowPlan | None) -> None:
        host, now = self.host.name, self.seams.now()
        if plan.nothing:
            self.say(f"{plan.microvm}: {plan.nothing}", "warning")
        elif plan.rights_missing:
            self.panel.ask(grow_questions.may_grow_with_sudo(plan, host, partial(self._begin_with_sudo_growth, plan)))
        else:
            self.panel.ask(grow_questions.may_grow(plan, mounted, host, now, self._begin_growth, self.action_reset))

    def _begin_growth(self, plan: GrowPlan) -> None:
        """Begin, if it may still be: the host may have changed since the question."""
        refusal = self._refusal(command("grow"), plan.microvm)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._run_growth(plan), VolumeVerb.GROW, plan.microvm)

    async def _run_growth(self, plan: GrowPlan) -> None:
        on_step = partial(self._on_step, VolumeVerb.GROW, plan.microvm)
        end = await jobs.run_growth(self.host, plan, on_step, self.seams.run_growth)
        self._end(VolumeVerb.GROW, plan.microvm, end)
        if end.lacks_rights and not self.panel.asks:
            act = partial(self._begin_with_sudo_growth, plan)
            self.panel.ask(grow_questions.may_grow_with_sudo(plan, self.host.name, act))

    def _begin_with_sudo_growth(self, plan: GrowPlan) -> None:
        refusal = self._refusal(command("grow"), plan.microvm)
        if refusal:
            self.say(refusal, "warning")
        else:
            self._work(self._grow_with_sudo(plan), VolumeVerb.GROW, plan.microvm)

    async def _grow_with_sudo(self, plan: GrowPlan) -> None:
        end = await jobs.grow_with_sudo(self.host, plan, self.terminal_lent)
        self._end(VolumeVerb.GROW, plan.microvm, end)

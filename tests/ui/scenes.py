"""What is looked at as a picture: a host, and the keys that lead there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textual.pilot import Pilot

from mvtui.host.themes import Fault, Themes
from mvtui.model.finding import Finding
from mvtui.model.microvm import Snapshot
from mvtui.model.overlay import Armed, ResetPlan
from mvtui.model.unit import Job, UnitKind, UnitStatus, UnitVerb
from mvtui.ui.app import MvtuiApp
from mvtui.ui.commands import TABS
from mvtui.ui.forms.definition_panel import DefinitionPanel
from mvtui.ui.trends import SLOT_SECONDS
from mvtui.ui.widgets.log_view import LogView
from tests.ui.fake_definitions import IMAGE_FINDINGS, PLAIN_TOML, WEB_TOML, WRONG_TOML
from tests.ui.fake_host import SHIPPED, FakeHost
from tests.ui.full_samples import DEGRADED, DRIFTED, HEALTHY, LIFE, STARTING
from tests.ui.growth_samples import GROWABLE, growable
from tests.ui.guest_samples import BOOTED, EMERGENCY, UNTOLD
from tests.ui.history_samples import past
from tests.ui.overlay_samples import KEEPING, KEPT, LINKED, OLDER, RUNNING, UNKNOWN, UNSEEN, with_kept
from tests.ui.samples import (
    EMPTY,
    GIT,
    HOSTILE,
    LAB,
    LACKING,
    NO_BUS,
    PRODUCT,
    STATES,
    STOPPING,
    UNREADABLE,
    WEB,
    snapshot,
)
from tests.ui.save_scenes import OPENS, Opens

# The themes that are looked at beside dark.
THEMES = ("light", "contrast", "colour-blind", "terminal", "terminal-light")
_MINE = Path("/home/ann/.config/mvtui/themes/mine.toml")
BROKEN = Themes(SHIPPED.found, (Fault(_MINE, "colours.runing", 7, "there is no such key", 'did you mean "running"?'),))

SIZES = ((80, 24), (120, 36), (60, 15))


@dataclass(frozen=True)
class Scene:
    """`quiet`: seconds without a look; `then`: how the host looks after the keys; `plans`: of overlays, by microVM;
    `step`: a reset has come so far; `definition`: its file; `fields`: what the host says of that; `asks`: what is asked
    comes from a thread; `opens`: what it leads to then."""

    snapshot: Snapshot
    keys: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    quiet: float = 0
    progress: bool = False
    then: Snapshot | None = None
    plans: Mapping[str, ResetPlan] = field(default_factory=dict)
    step: str = ""
    definition: str | None = WEB_TOML
    fields: tuple[Finding, ...] = ()
    asks: bool = False
    opens: Opens | None = None


# One with two overlays set aside that is reset at its next start.
ARMED = with_kept(HEALTHY, KEPT, OLDER)._replace(armed=Armed.ONCE)
WEB_ALONE = snapshot(HEALTHY)
OVERLAYS = snapshot(GIT, KEEPING, with_kept(LAB._replace(name="old")), RUNNING)
RESETS = {
    "reset": Scene(OVERLAYS, "j O"),
    "reset-refused": Scene(OVERLAYS, "j O", plans={"lab": LINKED}),
    "reset-running": Scene(OVERLAYS, "G O"),
    "reset-typed": Scene(OVERLAYS, "G O f w e"),
    "reset-which": Scene(OVERLAYS, "j O", plans={"lab": UNKNOWN}),
    "reset-sudo": Scene(OVERLAYS, "j O", plans={"lab": UNSEEN}),
    "reset-several": Scene(OVERLAYS, "asterisk O"),
    "reset-progress": Scene(OVERLAYS, "j O o", step="Making the new image: mkfs.ext4."),
    "reset-undo": Scene(OVERLAYS, "j u"),
    "reset-free": Scene(OVERLAYS, "j x"),
    "reset-arm": Scene(OVERLAYS, "j A"),
    "grow": Scene(snapshot(GROWABLE), "3 j Z"),
    "grow-mounted": Scene(snapshot(GROWABLE), "3 j j Z"),
    "grow-refused": Scene(snapshot(growable(WEB)), "3 Z"),
    "source": Scene(snapshot(LACKING), "M"),
    "grow-volumes": Scene(snapshot(GROWABLE), "3"),
    "armed-overview": Scene(snapshot(ARMED), "1"),
    "armed-volumes": Scene(snapshot(ARMED), "3"),
}
# Forms: empty, as the file has it, with all that can be said of a field.
FORMS = {
    "definition": Scene(WEB_ALONE, "e j j J"),
    "definition-absent": Scene(WEB_ALONE, "e", definition=None),
    "definition-findings": Scene(WEB_ALONE, "e j", definition=WRONG_TOML),
    "share-empty": Scene(WEB_ALONE, "e s"),
    "share": Scene(WEB_ALONE, "e j enter down down"),
    "share-errors": Scene(WEB_ALONE, "e j enter", definition=WRONG_TOML),
    "share-9p": Scene(WEB_ALONE, "e s down down down space"),
    "volume-empty": Scene(WEB_ALONE, "e v"),
    "volume": Scene(WEB_ALONE, "e j j j enter down down", fields=IMAGE_FINDINGS),
    "volume-errors": Scene(WEB_ALONE, "e j j j enter down down down down down", definition=WRONG_TOML),
    "overlay-empty": Scene(WEB_ALONE, "e o ctrl+u"),
    "overlay": Scene(WEB_ALONE, "e o"),
    "overlay-errors": Scene(WEB_ALONE, "e o /"),
    "form-left": Scene(WEB_ALONE, "e j enter x escape"),
}
STORES = {
    "store-writable": Scene(snapshot(WEB), "V", definition=PLAIN_TOML, asks=True),
    "store-shared": Scene(snapshot(WEB), "H", definition=PLAIN_TOML, asks=True),
    "store-refused": Scene(snapshot(WEB), "H"),
}
# The page of one microVM in every state of its life, on every tab.
PAGES = {
    f"{life}-{tab}": Scene(snapshot(one), str(number))
    for life, one in LIFE.items()
    for number, tab in enumerate(TABS, 1)
}
LOGS = {
    "logs-above": Scene(snapshot(DEGRADED), "5 ctrl+u k"),
    "logs-wrapped": Scene(snapshot(DEGRADED), "5 w t"),
    "logs-found": Scene(snapshot(DEGRADED), "5 slash k e r n e l enter"),
    "logs-search": Scene(snapshot(DEGRADED), "5 slash h o m e"),
    "logs-level": Scene(snapshot(DEGRADED), "5 v"),
    "logs-errors": Scene(snapshot(DEGRADED), "5 v e"),
    "logs-source": Scene(snapshot(DEGRADED), "5 f"),
    "logs-help": Scene(snapshot(DEGRADED), "5 question_mark"),
}
GUESTS = {
    "guest-booted": Scene(snapshot(BOOTED), "1"),
    "guest-untold": Scene(snapshot(UNTOLD), "1"),
    "guest-emergency": Scene(snapshot(EMERGENCY), "1"),
    "guest-emergency-list": Scene(snapshot(EMERGENCY, WEB), "G"),
}
SAVES = {name: Scene(PRODUCT, "G", opens=opens) for name, opens in OPENS.items()}
SCENES = {
    "list": Scene(PRODUCT, "j j"),
    "states": Scene(STATES, "j j j"),
    "question": Scene(PRODUCT, "G T"),
    "kill": Scene(snapshot(STOPPING, *PRODUCT.microvms), "T K b e t"),
    "help": Scene(PRODUCT, "question_mark"),
    "read-only": Scene(PRODUCT, "S", {"read_only": True}),
    "empty": Scene(EMPTY),
    "unreadable": Scene(UNREADABLE),
    "no-bus": Scene(NO_BUS),
    "stale": Scene(PRODUCT, quiet=20),
    "hostile": Scene(HOSTILE, "j"),
    "progress": Scene(snapshot(LAB, WEB), "S", progress=True),
    **{name: Scene(STATES, "j j j", {"theme": name}) for name in THEMES},
    **{f"{name}-page": Scene(snapshot(DEGRADED), "1", {"theme": name}) for name in THEMES},
    **{f"{name}-form": Scene(WEB_ALONE, "e j enter", {"theme": name}, definition=WRONG_TOML) for name in THEMES},
    "palette-theme": Scene(PRODUCT, "colon t h e m e", {"automatic": "light"}),
    "theme-broken": Scene(PRODUCT, "", {"theme": "mine", "themes": lambda: BROKEN}),
    "theme-doctor": Scene(PRODUCT, "D", {"theme": "mine", "themes": lambda: BROKEN}),
    "terminal-question": Scene(PRODUCT, "G T", {"theme": "terminal"}),
    "ascii": Scene(STATES, "j j j", {"theme": "terminal", "ascii_only": True}),
    "filter-typed": Scene(PRODUCT, "slash f s d"),
    "filter-kept": Scene(PRODUCT, "slash f s d enter"),
    "filter-none": Scene(PRODUCT, "slash x x enter"),
    "sorted-marked": Scene(PRODUCT, "greater_than_sign greater_than_sign greater_than_sign space space j space"),
    "palette": Scene(PRODUCT, "j j j colon"),
    "palette-found": Scene(PRODUCT, "j colon w e b"),
    "palette-refused": Scene(PRODUCT, "colon s t a r t space c i"),
    "doctor": Scene(PRODUCT, "D j"),
    "calls": Scene(PRODUCT, "at j j j"),
    "copy": Scene(PRODUCT, "j j y j"),
    "several": Scene(PRODUCT, "asterisk S"),
    "state-question": Scene(STATES, "f"),
    "cancel": Scene(snapshot(STARTING, WEB), "G C"),
    "help-page": Scene(snapshot(HEALTHY), "2 question_mark"),
    "gone": Scene(snapshot(HEALTHY, WEB), "G 2", then=snapshot(WEB)),
    **PAGES,
    "drift": Scene(snapshot(DRIFTED), "equals_sign"),
    "drift-list": Scene(snapshot(DRIFTED)),
    "drift-shares": Scene(snapshot(DRIFTED), "2 j j j"),
    "drift-volumes": Scene(snapshot(DRIFTED), "3"),
    **RESETS,
    **LOGS,
    **GUESTS,
    "timeline-event": Scene(snapshot(DEGRADED), "6 j j j"),
    "ascii-timeline": Scene(snapshot(DEGRADED), "6 j j", {"theme": "terminal", "ascii_only": True}),
    "ascii-logs": Scene(snapshot(DEGRADED), "5", {"theme": "terminal", "ascii_only": True}),
    "light-logs": Scene(snapshot(DEGRADED), "5", {"theme": "light"}),
    **FORMS,
    **STORES,
    **SAVES,
    "ascii-form": Scene(WEB_ALONE, "e j enter down", {"theme": "terminal", "ascii_only": True}, definition=WRONG_TOML),
    "ascii-page": Scene(snapshot(DEGRADED), "4", {"theme": "terminal", "ascii_only": True}),
}


def open_scene(scene: Scene) -> tuple[MvtuiApp, "Play"]:
    """The panel of the scene, and what plays it once the panel runs."""
    host = host_of(scene)
    app = host.app(**scene.options)
    have_pasts(app, host, scene)
    return app, Play(host, scene)


def host_of(scene: Scene) -> FakeHost:
    """Its host."""
    host = FakeHost(scene.snapshot)
    host.plans.update(scene.plans)
    host.definitions.text, host.definitions.fields = scene.definition, scene.fields
    return host


def have_pasts(app: MvtuiApp, host: FakeHost, scene: Scene) -> None:
    """Some minutes of every microVM that has one."""
    for one in scene.snapshot.microvms:
        if one.built is not None:
            past(app._trends, one, int(host.seconds // SLOT_SECONDS))


class Play:
    """Leads a panel into its scene."""

    def __init__(self, host: FakeHost, scene: Scene) -> None:
        self.host, self.scene = host, scene

    async def __call__(self, pilot: Pilot[None]) -> None:
        while self.host.looks == 0:
            await pilot.pause()
        for key in self.scene.keys.split():
            self.host.seconds += 1
            await pilot.press(key)
            await pilot.pause()
            await read(pilot)
        assert isinstance(pilot.app, MvtuiApp)
        await looked(pilot)
        while self.scene.asks and not pilot.app.panel.asks:
            await pilot.pause()
        if self.scene.quiet:
            self.host.passes(seconds=self.scene.quiet)
            pilot.app._tick()
        if self.scene.then is not None:
            self.host.tell(self.scene.then)
            await pilot.pause()
        if self.scene.opens is not None:
            self.scene.opens(pilot.app)
            await pilot.pause()
        if self.scene.step:
            self.host.steps["lab"](self.scene.step)
        if self.scene.progress:
            self.host.progress[UnitVerb.START, "lab"](progress())
        await pilot.pause()


async def read(pilot: Pilot[None]) -> None:
    """Until the log that is open has been read, and is painted."""
    logs = [log for log in pilot.app.screen.query(LogView) if log.display]
    while any(log.walk.is_busy or log._paints for log in logs):
        await pilot.pause()
    await pilot.pause()


async def looked(pilot: Pilot[None]) -> None:
    """The host has said all that it has to say of a definition."""
    for panel in pilot.app.screen.query(DefinitionPanel):
        while not (panel.findings.host.is_idle and panel.findings.rules.is_idle):
            await pilot.pause()


def progress() -> tuple[UnitStatus, ...]:
    """The units of a start that has come half of its way."""
    waits = Job(7, "start", "waiting")
    return (
        UnitStatus("microvm-set-booted@lab.service", UnitKind.SET_BOOTED, "lab", "loaded", "active", "exited"),
        UnitStatus("microvm-virtiofsd@lab.service", UnitKind.VIRTIOFSD, "lab", "loaded", "activating", "start"),
        UnitStatus("microvm@lab.service", UnitKind.HYPERVISOR, "lab", "loaded", "inactive", "dead", job=waits),
    )

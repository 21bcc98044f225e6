"""M makes the missing source of a share: asked with owner, mode and parents, made, and then the restart is offered."""

import asyncio

import pytest

from mvtui.errors import RightsMissingError
from mvtui.model.checks import sources
from mvtui.model.definition import Share, ShareProto
from mvtui.model.facts import SourceFacts, SourceKind
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.model.source_plan import SourcePlan, missing_sources
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitVerb
from mvtui.operations.overlay_outcome import ResetOutcome
from mvtui.ui import sudo
from mvtui.ui.command import Situation
from mvtui.ui.commands import menders
from mvtui.ui.forms.definition_panel import DefinitionPanel
from tests.model.test_checks import FOUND, share
from tests.ui.conftest import Open, Panel
from tests.ui.samples import GIT, LACKING, WEB, ago, snapshot

HOME = "/srv/git-home"
MADE = ResetOutcome("git", "make source", True, f"git: {HOME} is there now, root:root 0755")
PLAN = SourcePlan("git", "home", HOME, (HOME,), owner="root:root", serves="virtiofsd, which serves it, runs as root")


def with_source(exists: bool, kind: SourceKind | None = None, source: str = HOME) -> ShareStatus:
    share = Share("home", ShareProto.VIRTIOFS, source, "/home")
    return ShareStatus(share, ShareHealth.DOWN, source=SourceFacts(source, exists, kind))


def test_the_why_line_has_it_first() -> None:
    assert [one.id for one in menders(Situation(LACKING))] == ["make_source", "restart"]
    assert "make_source" not in [one.id for one in menders(Situation(GIT))], "nobody has looked yet"
    assert "make_source" not in [one.id for one in menders(Situation(LACKING, read_only=True))]


@pytest.mark.parametrize(
    ("status", "is_missing"),
    [
        (with_source(False), True),
        (with_source(False, SourceKind.NOTHING), True),
        (with_source(False, SourceKind.DANGLING), False),
        (with_source(True, SourceKind.FILE), False),
        (with_source(False, source="relative"), False),
        (with_source(False, source="~/home"), False),
        (with_source(False, source="/nix//store/gone-files"), False),
        (with_source(False, source="/nix/storefront"), True),
    ],
)
def test_what_is_missing(status: ShareStatus, is_missing: bool) -> None:
    assert bool(missing_sources(GIT._replace(shares=(status,)))) is is_missing


async def test_it_is_made_and_the_restart_is_offered(open_panel: Open) -> None:
    async with open_panel(snapshot(LACKING)) as panel:
        (keys,) = [line for line in panel.lines if line.startswith("M create the directory")]
        assert keys == "M create the directory  r restart"  # which is all that mends it
        panel.host.source_plans[HOME] = PLAN._replace(makes=("/srv", HOME), mount_point="/", fs_type="ext4")
        await panel.press("M")
        assert "create /srv/git-home for share home of git on hv01?" in panel.text
        assert "Owner   root:root 0755: virtiofsd, which serves it, runs as root" in panel.text
        assert "Parents /srv  0755" in panel.text
        assert "Lies    on the ext4 at /" in panel.text
        assert "m creates it, Esc leaves" in panel.text
        await panel.press("m")
        assert [one.path for one in panel.host.made] == [HOME]
        assert "making a directory for git" in panel.text
        panel.host.finish_source(MADE)
        await panel.pilot.pause()
        assert "restart git on hv01?" in panel.text
        await panel.press("y")
        assert panel.host.asked == [], "too early for a person"
        await panel.press("y")
        assert panel.host.asked == [(UnitVerb.RESTART, "git")]


async def test_no_restart_while_another_source_is_missing(open_panel: Open) -> None:
    data = with_source(False, source="/srv/data")
    data = data._replace(share=data.share._replace(tag="data"))
    async with open_panel(snapshot(LACKING._replace(shares=(*LACKING.shares, data)))) as panel:
        await panel.press("M")
        await panel.press("m")
        panel.host.finish_source(MADE)
        await panel.pilot.pause()
        assert not panel.app.panel.asks
        assert "git: /srv/git-home is there now, root:root 0755" in panel.text


async def test_of_one_that_is_stopped_no_restart_is_offered(open_panel: Open) -> None:
    share = with_source(False)._replace(health=ShareHealth.OFF)
    stopped = LACKING._replace(shares=(share,), state=State(StateWord.STOPPED, ago(hours=1), ""))
    async with open_panel(snapshot(stopped)) as panel:
        await panel.press("M")
        assert "restart" not in panel.text.partition("create /srv/git-home for")[2].partition("m creates")[0]
        await panel.press("m")
        panel.host.finish_source(MADE)
        await panel.pilot.pause()
        assert not panel.app.panel.asks


async def test_on_the_tab_the_cursor_says_which(open_panel: Open) -> None:
    async with open_panel(snapshot(LACKING)) as panel:
        await panel.press("2", "M")
        assert "the source of share ro-store is not missing, but that of home" in panel.text
        await panel.press("j", "M")
        assert "create /srv/git-home for share home of git on hv01?" in panel.text


async def test_what_is_refused_has_no_key(open_panel: Open) -> None:
    why = "/srv belongs to user microvm, who decides what stands there"
    async with open_panel(snapshot(LACKING)) as panel:
        panel.host.source_plans[HOME] = PLAN._replace(refusal=why, fix="sudo -u microvm mkdir -p /srv/git-home")
        await panel.press("M")
        assert "on hv01? Not now" in panel.text
        assert f"× Refused {why}" in panel.text
        assert "Instead sudo -u microvm mkdir -p /srv/git-home" in panel.text
        await panel.press("m")
        assert panel.host.made == []


async def test_without_rights_it_is_sudo(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    async def run(argv: list[str], *_: object) -> tuple[bool, str]:
        ran.append(argv)
        await asyncio.sleep(0)
        return True, ""

    monkeypatch.setattr(sudo, "run", run)
    async with open_panel(snapshot(LACKING)) as panel:
        panel.host.source_plans[HOME] = PLAN._replace(needs_root=True)
        await panel.press("M")
        command = "install -d -o root -g root -m 0755 -- /srv/git-home"
        assert f"With sudo {command}" in panel.text
        assert "m creates it with sudo" in panel.text
        await panel.press("m")
        await panel.pilot.pause()
        assert ran == [command.split()]
        assert panel.host.made == []
        assert "restart git on hv01?" in panel.text


async def test_what_fails_is_told(open_panel: Open) -> None:
    async with open_panel(snapshot(LACKING)) as panel:
        await panel.press("M")
        await panel.press("m")
        panel.host.finish_source(RightsMissingError("/srv/git-home can't be made: no right", "root can do that"))
        await panel.pilot.pause()
        assert "/srv/git-home can't be made: no right" in panel.text
        assert not panel.app.panel.asks


async def test_in_a_form_the_fix_makes_it(open_panel: Open) -> None:
    async with open_panel(snapshot(LACKING)) as panel:
        (finding,) = sources.source_missing(share(FOUND._replace(path=HOME, kind=SourceKind.NOTHING)))
        panel.host.definitions.fields = (finding._replace(subject="shares[1].source"),)
        await panel.press("2", "j", "e", "down")
        await asked(panel)
        assert "^f creates it: mkdir -p /srv/git-home" in panel.text
        await panel.press("ctrl+f")
        assert "root:root 0755: virtiofsd, which serves it, runs as root" in panel.text
        assert "m creates it, Esc stays" in panel.foot
        await panel.press("m")
        assert [one.path for one in panel.host.made] == [HOME]
        panel.host.definitions.fields = ()
        panel.host.finish_source(MADE)
        await panel.pilot.pause()
        assert "git: /srv/git-home is there now, root:root 0755" in panel.text
        assert panel.app.panel.asks, "the form is still there"
        await asked(panel)
        assert "^f" not in panel.foot


async def asked(panel: Panel) -> None:
    """Until the host has been asked about what stands in the form."""
    form = panel.app.screen.query_one(DefinitionPanel)
    while not form.findings.host.is_idle:
        await panel.pilot.pause()
    await panel.pilot.pause()


@pytest.mark.parametrize("read_only", [False, True])
async def test_where_none_is_missing_it_says_so(open_panel: Open, read_only: bool) -> None:
    async with open_panel(snapshot(WEB), read_only=read_only) as panel:
        await panel.press("M")
        said = "read-only" if read_only else "web: no missing source of its shares is known that could be made"
        assert said in panel.text
        assert not panel.app.panel.asks


async def test_names_of_the_host_are_no_markup(open_panel: Open) -> None:
    path = "/srv/[red]x[/red]"
    share = with_source(False, source=path)
    async with open_panel(snapshot(LACKING._replace(shares=(share,)))) as panel:
        await panel.press("M")
        assert f"create {path} for share home" in panel.text

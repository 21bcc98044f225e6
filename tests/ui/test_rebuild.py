"""B: a rebuild asked for, followed in its panel, left and returned to, cancelled, told, and the restart after it."""

from collections.abc import Iterator

import pytest

from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitVerb
from mvtui.operations import rebuild
from mvtui.operations.rebuild import plan_rebuild
from mvtui.ui import sudo
from tests.operations.rebuildable import Rebuildable, rebuildable
from tests.ui.conftest import Open, Panel
from tests.ui.samples import PROXY, microvm, snapshot
from tests.ui.test_definitions import settled, shows


def web(word: StateWord = StateWord.RUNNING, *, toplevel: str | None = None) -> MicroVM:
    made = microvm("web", word)
    assert made.entry is not None
    return made._replace(entry=made.entry._replace(flake="git+file:///etc/nixos", toplevel=toplevel))


@pytest.fixture
def made() -> Iterator[Rebuildable]:
    with rebuildable() as one:
        yield one


def on(panel: Panel, made: Rebuildable) -> None:
    """The panel's host is that one."""
    host = panel.app.host
    host.state_dir, host.records, host.programs = made.host.state_dir, made.host.records, made.host.programs


async def begin(panel: Panel, made: Rebuildable) -> None:
    """Its output is shown."""
    on(panel, made)
    await panel.press("B")
    await shows(panel, "rebuild web on hv01?")
    assert "Command microvm -u web" in panel.text
    assert "git+file:///etc/nixos" in panel.text
    await panel.press("y")
    await shows(panel, "─ microvm -u web on hv01, 0s; it goes on when this is")
    await settled(panel, lambda: any(line == "microvm -u web" for line in panel.lines))


async def test_a_rebuild_is_left_returned_to_and_told(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web(StateWord.STOPPED))) as panel:
        await begin(panel, made)
        assert panel.foot == "  c cancels, Esc leaves"
        await panel.press("escape")
        assert "rebuilding web 0s" in panel.text
        await panel.press("S")  # it stops nothing else
        assert panel.host.asked == [(UnitVerb.START, "web")]
        await panel.press("B")
        await shows(panel, "it goes on when this is left")
        made.go("new")
        await shows(panel, "s): web is built anew ─")
        assert "built" in panel.lines
        await panel.press("B")
        await shows(panel, "rebuild of web is done")
        assert "rebuilding" not in panel.text
        await panel.press("B")
        await shows(panel, "l what the last one said")
        await panel.press("l")
        await shows(panel, "b rebuild again")


async def test_a_restart_is_offered(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        made.go("new")
        await shows(panel, "r restart web")
        await panel.press("r")
        assert panel.foot.startswith("restart web on hv01?")
        await panel.press("y")
        assert panel.host.asked == [(UnitVerb.RESTART, "web")]


async def test_a_restart_is_offered_where_the_panel_was_left(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        await panel.press("escape")
        made.go("new")
        await shows(panel, "restart web on hv01?")
        assert "web is built anew" in panel.text


async def test_nothing_is_asked_of_another(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(PROXY, web())) as panel:
        await panel.press("j")
        await begin(panel, made)
        await panel.press("escape", "k")
        made.go("new")
        await shows(panel, "web is built anew")
        assert "restart web" not in panel.foot


async def test_one_that_fails_says_why(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web()), size=(120, 36)) as panel:
        await begin(panel, made)
        await panel.press("escape")
        made.go("7")
        await shows(panel, "rebuild of web failed (")
        await shows(panel, "s): exit 7: error: it says 7  B shows what it said")
        await panel.press("B")
        await settled(panel, lambda: "error: it says 7" in panel.lines)
        assert "restart" not in panel.foot


async def test_cancel_asks(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        await panel.press("c")
        assert panel.foot == "cancel the rebuild of web on hv01? — y cancels, Esc leaves"
        await panel.press("y")
        await shows(panel, "─ rebuild of web was cancelled (")


async def test_the_whole_host_wants_its_name(open_panel: Open, made: Rebuildable) -> None:
    git = microvm("git")
    assert git.entry is not None
    git = git._replace(entry=git.entry._replace(toplevel="/t"))
    async with open_panel(snapshot(git, web(toplevel="/t"))) as panel:
        on(panel, made)
        await panel.press("G", "B")
        await shows(panel, "rebuild all of hv01, for web?")
        assert "may be restarted by the switch itself" in panel.text
        assert "With it git" in panel.text
        await panel.press("y", "enter")
        assert "rebuild all of" in panel.text
        await panel.press("backspace", *"hv01", "enter")
        await shows(panel, "nixos-rebuild switch on hv01")
        await panel.press("escape", "k", "B")  # the same one, for git too
        await shows(panel, "nixos-rebuild switch on hv01")
        made.go("ok")
        await shows(panel, "web is what was built before")


async def test_read_only_refuses_it(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web()), read_only=True) as panel:
        on(panel, made)
        await panel.press("B")
        assert "read-only from the start" in panel.text


async def test_where_the_program_is_not_there(
    open_panel: Open, made: Rebuildable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (made.folder / "bin/microvm").unlink()
    async with open_panel(snapshot(web()), size=(120, 36)) as panel:
        on(panel, made)
        await panel.press("B")
        await shows(panel, "there is no microvm here (microvm.nix's host module installs it")


@pytest.mark.parametrize("key", ["Q", "q", "ctrl+c"])
async def test_quitting_asks_and_it_goes_on(open_panel: Open, made: Rebuildable, key: str) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        if key != "ctrl+c":
            await panel.press("escape")
        await panel.press(key)
        assert "─ quit? a rebuild is under way on hv01 ─" in panel.text
        assert "microvm -u web goes on without mvtui" in panel.text
        await panel.press("escape")
        assert panel.app.is_running
        await panel.press(key, "y")
        assert panel.app._exit
        assert panel.app.last_words() == [f"microvm -u web goes on; what it says: {made.folder}/records/rebuilds/web"]
    made.go("ok")


async def test_quitting_may_cancel_it_first(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        await panel.press("escape", "Q", "c")
        await settled(panel, lambda: panel.app._exit)
        assert panel.app.last_words() == []


async def test_who_asks_twice_means_it(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web())) as panel:
        await begin(panel, made)
        await panel.press("ctrl+c", "ctrl+c")
        assert panel.app._exit
    made.go("ok")


async def test_the_why_line_offers_it(open_panel: Open) -> None:
    rebuild = Finding(Severity.INFO, "defined", "≠ rebuild", "What is defined differs.", "", "rebuild it")
    async with open_panel(snapshot(web()._replace(findings=(rebuild,)))) as panel:
        assert "B rebuild" in panel.text


async def test_much_output_scrolls(open_panel: Open, made: Rebuildable) -> None:
    async with open_panel(snapshot(web()), size=(60, 15)) as panel:
        await begin(panel, made)
        made.go("flood")
        await shows(panel, "is done")
        assert "x" * 50 in panel.text
        await panel.press("g")
        top = panel.lines
        await panel.press("G")
        assert panel.lines == top or "x" * 50 in panel.text


async def test_without_root_it_is_done_with_sudo(
    open_panel: Open, made: Rebuildable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    async def behind_sudo(argv: tuple[str, ...], *_: object) -> tuple[bool, str]:
        asked.append(tuple(argv))
        return True, "rebuild of web is done (9s): web is built anew"

    plan = plan_rebuild(made.host, web())._replace(needs_root=True)
    monkeypatch.setattr(rebuild, "plan_rebuild", lambda *_: plan)
    monkeypatch.setattr(sudo, "run", behind_sudo)
    async with open_panel(snapshot(web())) as panel:
        on(panel, made)
        await panel.press("B")
        await shows(panel, "rebuild web on hv01 with sudo?")
        await panel.press("y")
        await shows(panel, "web is built anew")
        (argv,) = asked
        assert argv[-6:-2] == ("--state-dir", str(made.host.state_dir), "--manager", "systemd")
        assert argv[-2:] == ("--", "web")
        assert "rebuild" in argv
        assert "--yes" in argv

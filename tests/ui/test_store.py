"""The guest's store, from the panel: made writable, shared; what that means is read before it is saved."""

import asyncio

import pytest

from mvtui.errors import MvtuiError
from mvtui.model.finding import Severity
from mvtui.model.rules.finding import warning
from tests.ui.conftest import Open, Panel
from tests.ui.fake_definitions import PLAIN_TOML, ROOM
from tests.ui.places import LEVELS, PLACES, changed, go, seen
from tests.ui.samples import WEB, snapshot
from tests.ui.test_definitions import settled


def told(panel: Panel) -> str:
    """What is on the screen, as one line."""
    return " ".join(panel.text.split())


async def test_a_store_becomes_writable(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), size=(120, 50)) as panel:
        panel.host.definitions.text = PLAIN_TOML
        await panel.press("V")
        await settled(panel, lambda: panel.app.panel.asks)
        text = told(panel)
        assert "the store of web becomes writable: save web.toml on hv01?" in text
        assert f"Means {ROOM}" in text
        assert "a share of the host's store is not needed" in text
        assert '+writableStoreOverlay = "/nix/.rw-store"' in text
        assert "s saves" in text
        await panel.press("escape")
        assert not panel.app.panel.asks


async def test_the_host_s_store_is_shared(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), size=(120, 50)) as panel:
        panel.host.definitions.text = PLAIN_TOML
        panel.host.definitions.fields = (
            warning("shares[0].source", "/nix/store does not exist.", "A start fails."),
            warning("x", "not this")._replace(severity=Severity.INFO),
        )
        await panel.press("H")
        await settled(panel, lambda: panel.app.panel.asks)
        text = told(panel)
        assert "web shares the host's store: save web.toml on hv01?" in text
        assert "No store disk is built any more" in text
        assert "/nix/store does not exist. A start fails." in text
        assert "not this" not in text


@pytest.mark.parametrize(
    ("key", "file", "words"),
    [
        ("V", None, "web has no definition file (mvtui adopt web writes it)"),
        ("H", None, "web has no definition file"),
        ("V", MvtuiError("it can't be read", ""), "it can't be read"),
        ("V", "mem = true\n", "is wrong as it is"),
        ("H", 'hypervisor = "firecracker"\n', "firecracker has no shares"),
        ("V", '[[shares]]\ntag = "a"\nsource = "/a"\nmountPoint = "/nix/.rw-store"\n', "9p can't be the upper layer"),
    ],
)
async def test_what_can_not_work_is_told(open_panel: Open, key: str, file: str | MvtuiError | None, words: str) -> None:
    async with open_panel(snapshot(WEB), size=(240, 24)) as panel:
        if file is None:
            panel.host.definitions.text = None
        else:
            panel.host.definitions.texts["web"] = file
        await panel.press(key)
        assert words in told(panel)
        assert not panel.app.panel.asks


@pytest.mark.parametrize("key", ["V", "H"])
@pytest.mark.parametrize("place", LEVELS)
async def test_in_every_place(open_panel: Open, place: str, key: str) -> None:
    where = PLACES[place]
    async with open_panel(where.snapshot, size=(80, 24)) as panel:
        await go(panel, where)
        before = seen(panel)
        await panel.press(key)
        assert changed(before, seen(panel)) == {"says"}
        panel.host.definitions.text = PLAIN_TOML
        if place == "list":  # what is built of the others tells the same
            await panel.press(key)
            await settled(panel, lambda: panel.app.panel.asks)


async def test_read_only_refuses(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        panel.host.definitions.text = PLAIN_TOML
        await panel.press("W", "V")
        assert "read-only" in told(panel)
        assert panel.host.definitions.opened == 0


async def test_who_went_elsewhere_is_asked_nothing(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        panel.host.definitions.text = PLAIN_TOML
        panel.host.definitions.looking = asyncio.Event()
        await panel.press("V", "question_mark")
        panel.host.definitions.looking.set()
        await panel.press("j")
        assert "becomes writable" not in told(panel)


async def test_what_is_not_saved_comes_first(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), size=(120, 24)) as panel:
        await panel.press("V")
        panel.app.drafts["web"] = None  # type: ignore[assignment]
        await panel.press("H")
        assert "web has changes that are not saved: e leads to them" in told(panel)


async def test_from_the_palette(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB), size=(120, 30)) as panel:
        panel.host.definitions.text = PLAIN_TOML
        await panel.press("colon", *"writable", "enter")
        await settled(panel, lambda: "becomes writable" in told(panel))

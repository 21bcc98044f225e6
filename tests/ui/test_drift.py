"""The key of drift, and where the tabs show that stages differ."""

import pytest

from mvtui.model.microvm import MicroVM
from mvtui.ui.tabs import overview, shares, volumes
from mvtui.ui.tabs.drift import no_drift_words
from mvtui.ui.tabs.page import Entry, Page, Tab
from mvtui.ui.trends import Trends
from tests.ui.conftest import Open
from tests.ui.full_samples import DRIFTED, HEALTHY, STOPPED
from tests.ui.samples import NOW, WEB, snapshot


def texts(tab: Tab, one: MicroVM) -> list[tuple[str, str]]:
    """Each line, and the role of its last piece."""
    made: list[Entry] = tab(Page(one, NOW, Trends()), 120)
    return [("".join(text for text, _ in line).rstrip(), line[-1][1]) for each in made for line in each.lines if line]


@pytest.mark.parametrize("keys", ["equals_sign", "3 equals_sign", "G equals_sign", "equals_sign g equals_sign"])
@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 10)])
async def test_the_key_brings_drift_into_sight(open_panel: Open, keys: str, size: tuple[int, int]) -> None:
    async with open_panel(snapshot(DRIFTED), size=size) as panel:
        assert "mem   defined 8192 MiB" not in panel.text
        await panel.press(*keys.split())
        assert "Drift       mem   defined 8192 MiB" in panel.text


async def test_the_key_says_where_nothing_differs(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY)) as panel:
        await panel.press("equals_sign")
        assert panel.lines[-2] == "wiki: nothing differs between built and booted"
        assert "▌1 Overview▐" in panel.text


async def test_a_click_on_the_why_line_is_the_key(open_panel: Open) -> None:
    async with open_panel(snapshot(DRIFTED)) as panel:
        await panel.click("= drift")
        assert "Drift       mem   defined 8192 MiB" in panel.text


def test_what_is_compared() -> None:
    assert no_drift_words(WEB) == "web: there is nothing to compare"
    assert no_drift_words(STOPPED) == "wiki: there is nothing to compare"
    assert no_drift_words(DRIFTED) == "wiki: nothing differs between defined and built and booted"


def test_the_overview_has_each_field_and_the_file() -> None:
    lines = [text for text, _ in texts(overview.entries, DRIFTED)]
    drift = lines[lines.index("Drift       mem   defined 8192 MiB, built and booted 4096 MiB   (rebuild, restart)") :]
    assert [line[12:].partition("   ")[0] for line in drift[1:5]] == [
        "share home source",
        "share backup",
        "volume nix-rw.img size",
        "volume lost.img",
    ]
    assert "Defined     /etc/nixos/microvms/wiki.toml" in drift


def test_the_tabs_have_the_defined_stage_and_what_is_only_defined() -> None:
    told = texts(shares.entries, DRIFTED)
    assert ("    defined  /srv/wiki/new-home → /home, writable, cache auto, posixAcl", "warning") in told
    assert ("    defined  /nix/store → /nix/.ro-store, read-only, cache auto, posixAcl", "text") in told
    backup = told.index(("  backup       not booted", "warning"))
    assert told[backup + 1 :] == [
        ("    defined  /srv/backup → /backup, read-only, cache auto, posixAcl", "warning"),
        ("    built    not there", "warning"),
        ("    booted   not there", "warning"),
    ]
    assert ("    defined  size 4096 MiB, ext4, writable, autoCreate", "warning") in texts(volumes.entries, DRIFTED)


def test_a_file_that_says_nothing_of_shares_is_not_shown_for_them() -> None:
    assert DRIFTED.defined is not None
    silent = DRIFTED._replace(defined=DRIFTED.defined._replace(untold=frozenset({"shares"})), drift=())
    assert not any(text.startswith("    defined") for text, _ in texts(shares.entries, silent))
    assert any(text.startswith("    defined") for text, _ in texts(volumes.entries, silent))

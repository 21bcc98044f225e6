"""Definition files from the panel: reviewed, saved, what was changed meanwhile, git."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

from mvtui.model.definition import Definition, Runner
from mvtui.model.edit import Edit, ItemKind, RemoveItem, SetField
from mvtui.model.state import StateWord
from mvtui.operations.definitions_save import Document, apply, open_document
from tests.ui.conftest import Open, Panel
from tests.ui.samples import microvm, snapshot

SHARES, VOLUMES = ItemKind
TEXT = """\
# what lab has
[[shares]]
tag = "home"
source = "/srv/home"
mountPoint = "/home"

[[volumes]]
image = "a.img"
mountPoint = "/var"
size = 512

[[volumes]]
image = "b.img"
mountPoint = "/srv"
size = 512
"""
LAB = microvm("lab")
READ_ONLY = SetField(SHARES, 0, "readOnly", True)


def defined(panel: Panel, folder: Path, text: str | None = TEXT) -> Path:
    """The definition file of lab, in `folder`."""
    host = panel.app.host
    host.definitions, host.records = folder / "definitions", folder / "records"
    host.definitions.mkdir(parents=True, exist_ok=True)
    path = host.definitions / "lab.toml"
    if text is not None:
        path.write_text(text)
    return path


async def settled(panel: Panel, there: Callable[[], bool]) -> None:
    """Wait until it is so; threads are at work."""
    try:
        async with asyncio.timeout(10):
            while not there():
                await panel.pilot.pause()
    except TimeoutError:
        raise AssertionError(panel.text) from None
    await panel.pilot.pause()
    panel.host.passes(seconds=0.4)


def git(path: Path, *words: str) -> str:
    """In the directory of `path`."""
    return subprocess.run(["git", "-C", path.parent, *words], check=True, capture_output=True, text=True).stdout


async def shows(panel: Panel, text: str) -> None:
    await settled(panel, lambda: text in panel.text)


async def review(panel: Panel, *edits: Edit, what: str = "change it") -> Document:
    """Ask whether to save `edits`."""
    document = open_document(panel.app.host, LAB)
    panel.app.review_definition(document, apply(document, edits), what)
    await settled(panel, lambda: panel.app.panel.asks)
    return document


async def test_a_review_shows_the_diff_and_saves(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await review(panel, READ_ONLY, what="read-only share home")
        assert "read-only share home: save lab.toml on hv01?" in panel.text
        assert "+readOnly = true" in panel.text
        assert "Rebuild: microvm -u lab." in panel.text
        assert panel.foot == "  s saves, Esc leaves"
        await panel.press("j", "y", "S", "enter")
        assert path.read_text() == TEXT
        await panel.press("s")
        await shows(panel, "lab.toml is saved on hv01. What now?")
        assert "u brings the former text back" in panel.text
        assert "readOnly = true" in path.read_text()
        assert panel.host.looks == 2
        await panel.press("escape")
        assert "saved (u undoes it)" in panel.text


async def test_a_save_that_is_built_already_offers_no_rebuild(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB._replace(built=Runner("/r", Definition(vcpu=1, mem=512))))) as panel:
        path = defined(panel, tmp_path, "mem = 256\n")
        document = open_document(panel.app.host, panel.app.shown.find("lab") or LAB)
        panel.app.review_definition(document, "mem = 512\n", "as it was")
        await shows(panel, "What is built has all of this: nothing to rebuild.")
        await panel.press("s")
        await shows(panel, "saved (u undoes it)")
        assert path.read_text() == "mem = 512\n"
        assert not panel.app.panel.asks


async def test_what_is_wrong_with_a_long_path_is_said_on_a_narrow_terminal(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), size=(60, 15)) as panel:
        assert len(str(defined(panel, tmp_path / "definitions-of-this-host"))) > 60
        document = open_document(panel.app.host, LAB)
        panel.app.review_definition(document, "size = [", "it")
        await shows(panel, "…efinitions/lab.toml:1:9: Invalid value")


async def test_the_first_300_ms_of_a_review_are_deaf(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        document = open_document(panel.app.host, LAB)
        panel.app.review_definition(document, apply(document, [READ_ONLY]), "it")
        while not panel.app.panel.asks:
            await asyncio.sleep(0)
            await panel.pilot.pause()
        await panel.pilot.press("s", "escape")
        assert "save lab.toml on hv01?" in panel.text
        panel.host.passes(seconds=0.31)
        await panel.press("s")
        await shows(panel, "lab.toml is saved on hv01. What now?")
        assert path.read_text() != TEXT


async def test_esc_leaves_without_a_save(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        left: list[bool] = []
        document = open_document(panel.app.host, LAB)
        panel.app.review_definition(document, apply(document, [READ_ONLY]), "it", lambda: left.append(True))
        await settled(panel, lambda: panel.app.panel.asks)
        await panel.press("escape")
        assert left == [True]
        assert "? help" in panel.foot
        assert path.read_text() == TEXT


async def test_what_goes_is_told(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        defined(panel, tmp_path)
        await review(panel, RemoveItem(SHARES, 0), RemoveItem(VOLUMES, 0))
        assert "share home goes: the guest has no /home any more; /srv/home stays" in panel.text
        assert "volume a.img goes" in panel.text
        assert "b.img becomes vdb; it is vdc now." in panel.text


async def test_an_error_refuses_the_save(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await review(panel, SetField(VOLUMES, 1, "mountPoint", "/var"))
        assert "Not with an error" in panel.text
        assert panel.foot == "  Esc leaves"
        await panel.press("s")
        assert path.read_text() == TEXT


async def test_read_only_refuses_it_with_why(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await panel.press("W")
        await review(panel, READ_ONLY)
        assert "read-only: W switches it off" in panel.text
        assert panel.foot == "  Esc leaves"
        await panel.press("s", "escape", "W")
        await review(panel, READ_ONLY)
        panel.app.action_toggle_read_only()
        await panel.press("s")
        assert "read-only: W switches it off" in panel.text
        assert path.read_text() == TEXT


async def test_a_long_diff_scrolls(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), size=(60, 15)) as panel:
        path = defined(panel, tmp_path)
        document = open_document(panel.app.host, LAB)
        lines = "".join(f"# line {number}\n" for number in range(40))
        panel.app.review_definition(document, TEXT + lines, "many lines")
        await settled(panel, lambda: panel.app.panel.asks)
        await shows(panel, " more ─")
        await panel.press("G")
        await shows(panel, "+# line 39")
        assert " more ─" not in panel.text
        assert panel.foot == "  s saves, Esc leaves"
        await panel.press("s")
        await shows(panel, "saved (u undoes it)")
        assert path.read_text() == TEXT + lines


async def test_a_conflict_shows_both_and_merges(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await review(panel, READ_ONLY)
        theirs = TEXT.replace('"b.img"', '"c.img"')
        path.write_text(theirs)
        await panel.press("s")
        await shows(panel, "which lab.toml is to stand on hv01?")
        assert "was changed since it was opened; nothing was written" in panel.text
        await panel.press("G")
        assert "+readOnly = true" in panel.text
        await panel.press("g")
        assert '+image = "c.img"' in panel.text
        assert path.read_text() == theirs
        assert panel.foot == "  m mine, b both merged, t theirs, Esc leaves"
        await panel.press("b")
        await shows(panel, "merged with theirs: save lab.toml")
        await panel.press("s")
        await shows(panel, "lab.toml is saved on hv01. What now?")
        assert path.read_text() == theirs.replace('mountPoint = "/home"\n', 'mountPoint = "/home"\nreadOnly = true\n')


async def test_mine_or_theirs(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        mine = TEXT.replace("512", "768")
        theirs = TEXT.replace("512", "1024")
        for key, says, result in (("t", "theirs stays", theirs), ("m", "lab.toml is saved on hv01. What now?", mine)):
            path.write_text(TEXT)
            document = open_document(panel.app.host, LAB)
            panel.app.review_definition(document, mine, "larger")
            await settled(panel, lambda: panel.app.panel.asks)
            path.write_text(theirs)
            await panel.press("s")
            await shows(panel, "can't be merged")
            assert "both merged" not in panel.foot
            await panel.press(key)
            if key == "m":
                await shows(panel, "larger, not theirs: save lab.toml")
                assert "-size = 1024" in panel.text
                await panel.press("s")
            await shows(panel, says)
            assert path.read_text() == result


async def test_git_is_told_of_a_file_by_a_key(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await asyncio.to_thread(git, path, "init", "-q")
        (tmp_path / "definitions" / "flake.nix").write_text("{}")
        await review(panel, READ_ONLY)
        await panel.press("s")
        await shows(panel, "git does not track the file")
        await panel.press("a")
        await shows(panel, "git tracks")
        assert await asyncio.to_thread(git, path, "ls-files") == "lab.toml\n"


async def test_a_file_that_is_new(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(microvm("lab", StateWord.RUNNING))) as panel:
        path = defined(panel, tmp_path, None)
        document = open_document(panel.app.host, LAB)
        panel.app.review_definition(document, TEXT, "define lab")
        await settled(panel, lambda: panel.app.panel.asks)
        assert "lab.toml is made" in panel.text
        await panel.press("s")
        await shows(panel, "lab.toml is saved on hv01. What now?")
        assert path.read_text() == TEXT


async def test_what_had_no_room_is_not_answered_by_a_key_that_was_on_its_way(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), size=(10, 3)) as panel:
        path = defined(panel, tmp_path)
        document = open_document(panel.app.host, LAB)
        panel.app.review_definition(document, apply(document, [READ_ONLY]), "read-only")
        await settled(panel, lambda: panel.app.panel.asks)
        await panel.press("s")
        assert path.read_text() == TEXT
        await panel.pilot.resize_terminal(80, 24)
        await panel.pilot.pause()
        assert panel.foot == "  s saves, Esc leaves"
        await panel.press("s")
        assert path.read_text() == TEXT
        await panel.press("s")
        await settled(panel, lambda: path.read_text() != TEXT)

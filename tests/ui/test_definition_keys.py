"""Definition files by keys: u undoes, a adopts, E edits."""

import contextlib
import re
from pathlib import Path

import pytest

from mvtui.host.record_of_changes import record_change
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.operations import adopting
from mvtui.operations.definitions_save import open_document, save
from mvtui.ui.app import MvtuiApp
from tests.ui.conftest import Open, Panel
from tests.ui.overlay_samples import KEEPING
from tests.ui.samples import microvm, snapshot
from tests.ui.test_definitions import LAB, READ_ONLY, TEXT, defined, review, settled, shows

BUILT = Definition(
    Hypervisor.QEMU,
    host_name="lab",
    shares=(Share("docs", ShareProto.NINE_P, "/docs", "/docs"),),
    volumes=(Volume("a.img", mount_point="/var", size=64, auto_create=True),),
    fstab_read=True,
)
ADOPTABLE = LAB._replace(built=Runner("/r", BUILT))


# Undo


async def test_a_save_is_undone_and_that_too(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await review(panel, READ_ONLY)
        await panel.press("s")
        await shows(panel, "What now?")
        await panel.press("escape", "u")
        await shows(panel, "bring the former text back: save lab.toml on hv01?")
        assert "-readOnly = true" in panel.text
        assert "saved 0s ago by" in panel.text
        assert panel.foot == "  u brings it back, Esc leaves"
        await panel.press("u")
        await shows(panel, "What now?")
        assert path.read_text() == TEXT
        await panel.press("escape", "u")
        await shows(panel, "+readOnly = true")


async def test_what_was_changed_since_is_a_conflict(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        path = defined(panel, tmp_path)
        await review(panel, READ_ONLY)
        await panel.press("s")
        await shows(panel, "What now?")
        path.write_text(path.read_text().replace('"b.img"', '"c.img"'))
        await panel.press("escape", "u")
        await shows(panel, "which lab.toml is to stand on hv01?")
        await panel.press("b")
        await shows(panel, "merged with theirs")
        await panel.press("s")
        await shows(panel, "What now?")
        assert path.read_text() == TEXT.replace('"b.img"', '"c.img"')


async def test_the_last_of_both_is_undone(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(KEEPING)) as panel:
        path = defined(panel, tmp_path)
        host = panel.app.host
        record_change(host.records, "lab", "reset", "set aside", ok=True, seconds=1)
        await panel.press("u")
        await shows(panel, "bring back the old overlay of lab")
        save(host, open_document(host, LAB), TEXT.replace("512", "768"))
        record_change(host.records, "lab", "reset", "refused", ok=False, seconds=1)
        record_change(host.records, "web", "reset", "set aside", ok=True, seconds=1)
        await panel.press("escape", "u")
        await shows(panel, "bring the former text back")
        record_change(host.records, "lab", "reset and start", "set aside", ok=True, seconds=1)
        await panel.press("escape", "u")
        await shows(panel, "bring back the old overlay of lab")
        assert "768" in path.read_text()


async def test_a_file_that_mvtui_made_is_not_removed(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), size=(240, 24)) as panel:
        defined(panel, tmp_path, None)
        save(panel.app.host, open_document(panel.app.host, LAB), TEXT)
        await panel.press("u")
        await shows(panel, "lab.toml was made by mvtui: there is no text before it")


async def test_where_the_record_is_lost_the_text_is_still_kept(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB)) as panel:
        defined(panel, tmp_path)
        host = panel.app.host
        save(host, open_document(host, LAB), TEXT.replace("512", "768"))
        (host.records / "history.jsonl").unlink()
        await panel.press("u")
        await shows(panel, "the record of the save is lost; its former text is kept")


async def test_read_only_undoes_nothing(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), read_only=True) as panel:
        defined(panel, tmp_path)
        save(panel.app.host, open_document(panel.app.host, LAB), TEXT.replace("512", "768"))
        await panel.press("u")
        await shows(panel, "read-only from the start")


# Adopt


async def test_adopted(open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    async with open_panel(snapshot(ADOPTABLE), size=(120, 36)) as panel:
        path = defined(panel, tmp_path, None)
        await panel.press("a")
        await shows(panel, "adopt lab on hv01: write its definition from what is built?")
        assert "microvm = lib.importTOML ./lab.toml;" in panel.text
        assert 'tag = "docs"' in panel.text
        assert panel.foot == "  s writes it, Esc leaves"
        assert not path.exists()
        await panel.press("s")
        await shows(panel, "Nix reads it by: microvm = lib.importTOML ./lab.toml;")
        assert 'source = "/docs"' in path.read_text()
        written = path.read_text()
        await panel.press("escape", "a")
        await shows(panel, "there is a definition already, and it stays")
        assert panel.foot == "  Esc leaves"
        await panel.press("s")
        assert path.read_text() == written


async def test_one_that_comes_meanwhile_is_not_overwritten(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(ADOPTABLE), size=(200, 24)) as panel:
        path = defined(panel, tmp_path, None)
        await panel.press("a")
        await shows(panel, "s writes it")
        path.write_text("# theirs\n")
        await panel.press("s")
        await shows(panel, "there is a definition already")
        assert path.read_text() == "# theirs\n"


async def test_nix_is_not_asked_by_a_key_that_was_on_its_way(
    open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def ask_nix(_host: object, one: MicroVM) -> Definition:
        asked.append(one.name)
        return BUILT

    monkeypatch.setattr(adopting, "can_ask_nix", lambda _host, _one: True)
    monkeypatch.setattr(adopting, "ask_nix", ask_nix)
    async with open_panel(snapshot(ADOPTABLE), size=(120, 36)) as panel:
        defined(panel, tmp_path)
        await panel.press("a")
        await shows(panel, "there is a definition already, and it stays")
        panel.host.seconds -= 0.8
        await panel.press("n")
        assert asked == []
        await panel.press("n")
        await settled(panel, lambda: asked == ["lab"])


async def test_nothing_built_nothing_adopted(open_panel: Open, tmp_path: Path) -> None:
    async with open_panel(snapshot(LAB), size=(200, 24)) as panel:
        defined(panel, tmp_path, None)
        await panel.press("a")
        await shows(panel, "lab has no runner that can be read: there is nothing to adopt")


NIX = """#!/bin/sh
echo '{"shares": [{"tag": "docs", "source": "/docs", "mountPoint": "/asked", "proto": "9p"}], "volumes": []}'
"""


async def test_nix_is_asked_for_what_is_not_told(
    open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nix").write_text(NIX)
    (tmp_path / "nix").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    docs = BUILT.shares[0]._replace(mount_point=None)
    built = Runner("/r", BUILT._replace(shares=(docs,), volumes=()))
    assert LAB.entry is not None
    lab = ADOPTABLE._replace(built=built, entry=LAB.entry._replace(flake="git+file:///f"))
    async with open_panel(snapshot(lab), size=(120, 36)) as panel:
        path = defined(panel, tmp_path, None)
        await panel.press("a")
        await shows(panel, "what is built of lab does not tell shares[0].mountPoint")
        assert panel.foot == "  n asks Nix for the rest (minutes), Esc leaves"
        await panel.press("n")
        await shows(panel, 'mountPoint = "/asked"')
        await panel.press("s")
        await shows(panel, "What now?")
        assert 'mountPoint = "/asked"' in path.read_text()


# The editor


def edits(panel: Panel, monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    """$EDITOR does that with "$file"; how it was called stands in the file that is given."""
    monkeypatch.setattr(MvtuiApp, "terminal_lent", lambda _: contextlib.nullcontext())
    program = folder / "vim"
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/argv\nfor file; do :; done\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))
    return folder / "argv"


async def test_edited_at_the_line_of_the_error(
    open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_panel(snapshot(LAB), size=(120, 36)) as panel:
        path = defined(panel, tmp_path, TEXT.replace('tag = "home"', "tag = home"))
        argv = edits(panel, monkeypatch, tmp_path, 'sed -i \'s/= home/= "home"/\' "$file"')
        await panel.press("E")
        await shows(panel, "lab.toml on hv01: nothing is wrong")
        assert argv.read_text() == f"+3 {path}\n"
        assert path.read_text() == TEXT
        assert panel.foot == "  E edits it again, b rebuild, Esc leaves"


async def test_what_is_wrong_after_it_is_told_and_mended(
    open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_panel(snapshot(LAB), size=(120, 36)) as panel:
        defined(panel, tmp_path)
        argv = edits(panel, monkeypatch, tmp_path, "echo 'size = [' >> \"$file\"")
        await panel.press("E")
        await shows(panel, "lab.toml on hv01: 1 error")
        assert "Cannot overwrite a value" in panel.text or "Invalid value" in panel.text
        assert re.search(r"line \d+, column \d+: ", panel.text)
        assert "rebuild" not in panel.foot
        await panel.press("E")
        await shows(panel, "1 error")
        assert argv.read_text().startswith("+16 ") or argv.read_text().startswith("+17 ")


async def test_nothing_changed_nothing_said(open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_panel(snapshot(LAB), size=(240, 24)) as panel:
        defined(panel, tmp_path)
        edits(panel, monkeypatch, tmp_path, "exit 1")
        await panel.press("E")
        await shows(panel, "lab.toml is as it was")
        assert "vim ended with exit 1: " in panel.text
        assert "? help" in panel.foot


async def test_no_editor_and_no_file(open_panel: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_panel(snapshot(LAB), size=(120, 24)) as panel:
        path = defined(panel, tmp_path, None)
        await panel.press("E")
        await shows(panel, "lab has no definition file: a writes one from what is built")
        path.write_text(TEXT)
        monkeypatch.setenv("VISUAL", "no-such-editor")
        await panel.press("E")
        await shows(panel, "there is no no-such-editor here (VISUAL names another editor)")


async def test_a_broken_file_offers_the_editor(open_panel: Open) -> None:
    from mvtui.model.finding import Finding, Severity

    broken = Finding(Severity.WARNING, "definition", "definition", "Its definition file can't be read.", "x:3:7: …")
    async with open_panel(snapshot(microvm("lab")._replace(findings=(broken,)))) as panel:
        assert "E edit the file" in panel.text

"""The panel of a definition and its forms, by keys alone; what comes of it is a text for the review, and no file."""

import tomllib
from pathlib import Path

import pytest
from textual.events import Paste

from mvtui.host.documents import DocumentError, parse
from mvtui.model.finding import Finding
from mvtui.model.rules.finding import error, info, warning
from mvtui.operations.definitions_save import Document
from mvtui.ui.app import MvtuiApp
from mvtui.ui.forms.definition_panel import DefinitionPanel
from tests.ui.conftest import Open, Panel
from tests.ui.fake_definitions import WEB_TOML
from tests.ui.full_samples import HEALTHY
from tests.ui.posting import key_event
from tests.ui.quiet import quiet
from tests.ui.samples import snapshot
from tests.ui.test_definitions import settled

WIKI = snapshot(HEALTHY)
Reviewed = list[tuple[Document, str, str]]


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> Reviewed:
    """What went to the review."""
    seen: Reviewed = []

    def review(_app: MvtuiApp, document: Document, text: str, what: str, _left: object = None) -> None:
        seen.append((document, text, what))

    monkeypatch.setattr(MvtuiApp, "review_definition", review)
    return seen


def keys(text: str) -> list[str]:
    """The keys that type it."""
    return list(text)


def line_of(panel: Panel, word: str) -> str:
    return next(line for line in panel.lines if line[2:].startswith(word))


async def checked(panel: Panel) -> None:
    """The host has been looked at."""
    dialog = panel.app.screen.query_one(DefinitionPanel)
    while not (dialog.findings.host.is_idle and dialog.findings.rules.is_idle):
        await panel.pilot.pause()
    await panel.pilot.pause()


async def test_a_share_is_added_by_keys_alone(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "s", *keys("media"), "down", *keys("/srv/media"), "down", *keys("/media"), "enter", "r")
        ((document, text, what),) = reviewed
        assert document.text == WEB_TOML
        assert what == "share media added"
        assert text == WEB_TOML.replace(
            'cache = "always"\n',
            'cache = "always"\n\n[[shares]]\ntag = "media"\nsource = "/srv/media"\nmountPoint = "/media"\n'
            'proto = "virtiofs"\n',
        )
        assert not panel.app.panel.asks


async def test_keys_that_come_at_once_are_all_taken(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "s")
        for key in ("a", "down", "b", "down", "c", "down", "down", "space", "enter", "r"):
            panel.app.simulate_key(key)
        while not reviewed:
            await panel.pilot.pause()
        assert tomllib.loads(reviewed[0][1])["shares"][2] == {
            "tag": "a", "source": "b", "mountPoint": "c", "proto": "virtiofs", "readOnly": True
        }  # fmt: skip


async def test_on_a_tab_the_form_of_what_the_cursor_is_on_opens(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("3", "e")
        assert "─ wiki > volume nix-rw.img ─" in panel.text
        await panel.press("down", "down", "ctrl+u", *keys("4096"), "enter", "r")
        assert tomllib.loads(reviewed[0][1])["volumes"][0]["size"] == 4096
        assert reviewed[0][2] == "volume nix-rw.img changed"


async def test_what_is_not_in_the_file_is_told(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = "mem = 512\n"
        await panel.press("2", "e")
        assert "ro-store is not in the file" in panel.text
        assert "none; s adds one" in panel.text


async def test_findings_appear_while_typing_and_nothing_moves(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "s", *keys("hom"))
        before = panel.lines
        await panel.press("e")
        assert 'The tag "home" is that of shares[1] too. The guest finds a share by its tag.' in panel.text
        assert line_of(panel, "tag").startswith("× tag            home ")
        # Beside the field and at the foot stands something else; all that was there is where it was.
        changed = [y for y, (was, now) in enumerate(zip(before, panel.lines, strict=True)) if was != now]
        tag, socket = (y for y, line in enumerate(before) if line[2:].startswith(("tag", "socket")))
        assert [y for y in changed if y < 18] == [5, tag, socket]  # title and socket have the tag in them
        assert before[-1] == panel.foot
        await panel.press("backspace")
        assert panel.lines == before


async def test_a_key_mends_what_a_fix_says(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("2", "e", "end", *keys("x" * 40))
        assert 'a shorter one: "ro-store' in panel.text
        assert "^f mends it" in panel.foot
        await panel.press("ctrl+f")
        assert "^f mends it" not in panel.foot
        await panel.press("enter", "r")
        assert len(tomllib.loads(reviewed[0][1])["shares"][0]["tag"]) == 36


async def test_three_levels_have_three_marks(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "v", *keys("x.img"))
        assert line_of(panel, "mountPoint").startswith("i mountPoint")
        await panel.press("escape", "d", "s", "down", *keys("a"))
        assert line_of(panel, "source").startswith("! source")
        assert line_of(panel, "tag").startswith("× tag")


async def test_options_come_and_go_with_what_is_chosen(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "s", "down", "down", "down")
        assert "cache" in panel.text
        await panel.press("space")
        assert "‹ 9p ›" in panel.text
        assert "cache" not in panel.text
        await panel.press("v")
        assert "‹ virtiofs ›" in panel.text
        assert "cache" in panel.text


async def test_a_volume_that_moves_tells_its_letter(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "j", "j", "J")
        assert "nix-rw.img becomes vdb; it is vda now." in panel.text
        assert "data.img becomes vda; it is vdb now." in panel.text
        await panel.press("J")
        assert "it has no neighbour there" in panel.text
        await panel.press("K", "r")
        assert "nothing is changed" in panel.text
        await panel.press("J", "r")
        assert [one["image"] for one in tomllib.loads(reviewed[0][1])["volumes"]] == ["data.img", "nix-rw.img"]


async def test_the_last_share_that_goes_leaves_an_empty_list(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x", "x")
        assert "share home is removed" in panel.text
        await panel.press("r")
        assert tomllib.loads(reviewed[0][1])["shares"] == []
        assert reviewed[0][2] == "share ro-store removed, share home removed"


async def test_a_copy_is_another_one(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "j", "c")
        assert "─ wiki > share home-2 (new) ─" in panel.text
        assert line_of(panel, "mountPoint").startswith("× mountPoint")
        await panel.press("enter", "r")
        assert tomllib.loads(reviewed[0][1])["shares"][2] == {
            "tag": "home-2", "source": "/srv/git-home", "mountPoint": "/home", "proto": "virtiofs", "cache": "always"
        }  # fmt: skip


async def test_undo_of_what_was_changed_in_the_panel(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x")
        assert "not saved" in panel.text
        await panel.press("u")
        assert "not saved" not in panel.text
        assert "ro-store" in panel.text
        await panel.press("u")
        assert "nothing was changed here" in panel.text


async def test_the_overlay_has_a_form(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "o", *keys("/"))
        assert '"/nix/.rw-store/" ends with a slash.' in panel.text
        await panel.press("ctrl+f", "ctrl+u", "enter", "r")
        assert "writableStoreOverlay" not in tomllib.loads(reviewed[0][1])


async def test_an_overlay_that_lies_on_nothing_gets_its_volume(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = 'writableStoreOverlay = "/rw"\nshares = []\n'
        await panel.press("e")
        assert 'v adds a volume with mountPoint = "/rw"' in panel.text
        await panel.press("v", "enter", "r")
        (volume,) = tomllib.loads(reviewed[0][1])["volumes"]
        assert volume == {"image": "nix-store-overlay.img", "mountPoint": "/rw", "size": 1024}


# Leaving


async def test_esc_asks_before_it_drops_what_was_typed(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "enter", "x", "escape")
        assert panel.foot == "not taken: Esc drops it, other keys stay"
        await panel.press("y")
        assert "ro-storex" in panel.text
        await panel.press("escape")
        panel.host.seconds -= 0.4
        await panel.press("d")  # too soon: it was on its way to the field
        assert "ro-storex" in panel.text
        await panel.press("d")
        assert "ro-storex" not in panel.text
        assert "wiki: what its definition file says" in panel.text
        await panel.press("escape")
        assert not panel.app.panel.asks


async def test_what_is_not_saved_is_kept_or_dropped(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x", "escape")
        assert panel.foot == "not saved: d drops, Esc keeps for later, other keys stay"
        await panel.press("y")
        stays = panel.app.panel.asks
        await panel.press("escape", "k")
        assert (stays, panel.app.panel.asks) == (True, False)
        await panel.press("e")
        assert "not saved yet: share ro-store removed" in panel.text
        await panel.press("escape", "d", "e")
        assert "not saved" not in panel.text
        assert "ro-store" in panel.text


async def test_esc_again_and_again_leads_to_the_list_and_loses_no_draft(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x", "enter", "x", *["escape"] * 4)
        assert not panel.app.panel.asks
        await panel.press("e")
        assert "not saved yet: share ro-store removed" in panel.text
        assert "homex" not in panel.text


async def test_a_draft_that_was_saved_is_gone(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x", "r")
        panel.host.definitions.text = reviewed[0][1] + "# theirs\n"
        await panel.press("e")
        assert "not saved" not in panel.text


async def test_a_file_that_was_changed_meanwhile_is_told(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "x", "escape", "k")
        panel.host.definitions.text = WEB_TOML + "# theirs\n"
        await panel.press("e")
        assert "the file was changed since: share ro-store removed" in panel.text


async def test_a_click_beside_it_loses_nothing(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "enter", "x")
        await panel.click("wiki        running")
        await panel.press("y")
        assert "ro-storexy" in panel.text


async def test_a_click_beside_it_leaves_what_is_not_changed(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e")
        await panel.click("wiki        running")
        assert not panel.app.panel.asks


# What can't be


async def test_read_only_refuses_to_save_and_says_why(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI, read_only=True) as panel:
        await panel.press("e", "x", "r")
        assert "read-only from the start" in panel.text
        assert not reviewed


async def test_where_there_is_no_file_adopt_is_offered(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted: list[str] = []
    monkeypatch.setattr(MvtuiApp, "adopt_definition", lambda _app, name: adopted.append(name))
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = None
        await panel.press("e")
        assert "There is no definition file yet. It would be /etc/nixos/microvms/wiki.toml." in panel.text
        await panel.press("s", "x", "r")
        assert "There is no definition file yet." in panel.text
        await panel.press("a")
        assert adopted == ["wiki"]
        assert not panel.app.panel.asks


async def test_an_empty_one_can_be_begun(open_panel: Open, reviewed: Reviewed) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = None
        await panel.press("e", "n", "v", *keys("a.img"), "enter", "r")
        assert reviewed[0][1] == '[[volumes]]\nimage = "a.img"\nsize = 1024\n'
        assert not reviewed[0][0].exists


@pytest.mark.parametrize("text", ['x = "\n', "[[shares]\n"])
async def test_a_broken_file_tells_where(open_panel: Open, text: str) -> None:
    async with open_panel(WIKI) as panel:
        with pytest.raises(DocumentError) as problem:
            parse(Path("/etc/[x].toml"), text)
        panel.host.definitions.texts["wiki"] = problem.value
        await panel.press("e")
        assert "/etc/[x].toml:1:" in panel.text
        await panel.press("s", "x", "enter", "escape")
        assert not panel.app.panel.asks


async def test_a_file_that_can_not_take_a_change_says_so(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = "shares = 1\n"
        await panel.press("e", "s", *keys("a"), "enter")
        assert "shares are no tables in this file" in panel.text
        assert "─ wiki > share a (new) ─" in panel.text


async def test_keys_that_come_before_the_file_wait_for_it(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.reading.clear()
        await panel.press("e", "s", "x", "S")
        assert "reading …" in panel.text
        panel.host.definitions.reading.set()
        await panel.pilot.pause()
        assert "─ wiki > share xS (new) ─" in panel.text
        assert panel.host.asked == []


@pytest.mark.parametrize(
    "text", ["[/]", "[bold]a[/bold]", "\\", "'\"", "ü→語", "a\tb", "$(reboot)", "\x1b[31m", "a\nb"]
)
async def test_whatever_is_typed_is_text(open_panel: Open, reviewed: Reviewed, text: str) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e", "s")
        for _ in range(3):
            assert panel.app.focused is not None
            panel.app.focused.post_message(Paste(text))
            await panel.pilot.pause()
            await panel.press("down")
        await panel.press("up", "up", "up", "enter", "r")
        found = tomllib.loads(reviewed[0][1])["shares"][2]["tag"]
        assert found.isprintable()
        assert found == text.splitlines()[0].replace("\x1b", "\\x1b").replace("\t", "\\t")


# The host


def told(what: str, place: str = "shares[0].source") -> tuple[Finding, ...]:
    return (error(place, what),)


async def test_what_the_host_says_stands_beside_its_field(open_panel: Open) -> None:
    async with open_panel(WIKI, size=(120, 36)) as panel:
        panel.host.definitions.fields = told("It is [no] directory.")
        await panel.press("2", "e")
        await checked(panel)
        assert "It is [no] directory." in line_of(panel, "source")
        await panel.press("down", *keys("x"))
        assert "It is [no] directory." not in panel.text  # that was another one
        panel.host.definitions.fields = told("Nor is it.")
        await panel.press("y")
        await checked(panel)
        assert "Nor is it." in line_of(panel, "source")


async def test_the_host_is_looked_at_once_for_many_keys_and_one_look_at_a_time(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        fake = panel.host.definitions
        await panel.press("2", "e")
        await checked(panel)
        before = fake.looked
        await panel.pilot.press(*keys("abcdefghij"))
        await checked(panel)
        assert fake.looked - before == 1
        fake.looking.clear()
        await panel.press("k")
        await panel.pilot.pause(0.3)
        await panel.press("l")
        await panel.pilot.pause(0.3)
        assert sum(worker.group == "fields" for worker in panel.app.workers) == 1
        fake.looking.set()
        await checked(panel)
        assert fake.looked - before == 3


async def test_what_the_host_says_of_one_stands_in_the_list_too(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.fields = (info("volumes[1].size", "The image has 1G."),)
        await panel.press("e")
        await checked(panel)
        assert "     The image has 1G." in panel.text
        assert "i vdb  data.img" in panel.text


async def test_paths_are_completed(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        panel.host.definitions.paths = ("/srv/git-home/", "/srv/git-repos/", "/srv/[x]/")
        await panel.press("e", "s", "down", *keys("/srv/g"), "tab")
        await panel.pilot.pause()
        assert "/srv/git- " in line_of(panel, "source")
        assert "/srv/git-home/  /srv/git-repos/" in panel.text
        await panel.press("r", "tab")
        await panel.pilot.pause()
        assert "/srv/git-repos/" in line_of(panel, "source")
        await panel.press("q", "tab")
        await panel.pilot.pause()
        assert "nothing on the host begins so" in panel.text


# Sizes


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (40, 10)])
async def test_every_field_can_be_reached_and_seen(open_panel: Open, size: tuple[int, int]) -> None:
    async with open_panel(WIKI, size=size) as panel:
        await panel.press("e", "v", *keys("a"))
        for key in ("mountPoint", "size", "fsType", "autoCreate", "label", "readOnly", "direct", "serial"):
            await panel.press("down")
            assert line_of(panel, key)
        await panel.press("down")
        assert line_of(panel, "mkfsExtraArgs")
        await panel.press(*keys("-q"))
        assert "-q" in line_of(panel, "mkfsExtraArgs")
        await panel.press("down")
        assert line_of(panel, "image")


async def test_a_large_file_is_looked_at_beside_the_keys(open_panel: Open) -> None:
    shares = "".join(f'[[shares]]\ntag = "t{n}"\nsource = "/s/{n}"\nmountPoint = "/m/{n}"\n' for n in range(600))
    async with open_panel(WIKI) as panel:
        panel.host.definitions.text = shares
        await panel.press("e", "enter", "ctrl+u", *keys("t5"))
        await checked(panel)
        assert 'The tag "t5" is' not in line_of(panel, "tag")  # of the later one of the two
        await panel.press("escape", "d", "j", "enter", "ctrl+u", *keys("t0"))
        await checked(panel)
        assert 'The tag "t0" is that of' in panel.text


async def test_growing_an_image_comes_after_the_save(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    grown: list[tuple[str, str]] = []
    monkeypatch.setattr(MvtuiApp, "grow_volume", lambda _app, name, image: grown.append((name, image)))
    async with open_panel(WIKI) as panel:
        panel.host.definitions.fields = (
            warning("volumes[1].size", "size has no effect on an image that exists.", "", "mvtui grow wiki data.img"),
        )
        await panel.press("e", "Z")
        assert "Z grows the image of a volume" in panel.text
        await panel.press("j", "j", "j")
        await checked(panel)
        assert "Z grows it, once this is saved" in panel.text
        await panel.press("x", "k", "Z")
        assert "save it first" in panel.text
        assert not grown
        await panel.press("u", "j", "Z")
        assert grown == [("wiki", "data.img")]
        assert not panel.app.panel.asks


async def test_the_editor_is_one_key_away(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    edited: list[str] = []
    monkeypatch.setattr(MvtuiApp, "action_edit_file", lambda _app: edited.append("file"))
    async with open_panel(WIKI) as panel:
        await panel.press("e", "E")
        panel.host.definitions.texts["wiki"] = DocumentError(Path("/x.toml"), "no TOML", "", 1, 2)
        await panel.press("e", "E")
        assert edited == ["file", "file"]
        assert not panel.app.panel.asks


async def test_keys_that_come_before_the_panel_has_the_focus_are_its_own(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        for key in ("e", "j", "enter", "x"):
            panel.app.post_message(key_event(key))
        await settled(panel, lambda: "homex" in panel.text)


async def test_a_key_right_behind_one_that_moves_is_for_what_that_leads_to(open_panel: Open) -> None:
    async with open_panel(WIKI) as panel:
        await panel.press("e")
        await checked(panel)
        for key in ("j", "x"):
            panel.app.post_message(key_event(key))
        await quiet(panel.app)
        assert "home" not in panel.text
        assert "ro-store" in panel.text

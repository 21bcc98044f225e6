"""`y`: what can be copied, by a letter, Enter or a click; what it is, and what is said."""

import pytest

from mvtui.errors import MvtuiError
from mvtui.model.state import State, StateWord
from mvtui.operations.into import Login, NoWayError
from mvtui.ui.copyables import Copyable, Later, copyables
from tests.ui.conftest import Open
from tests.ui.full_samples import DEGRADED, HEALTHY
from tests.ui.samples import DB, EMPTY, GIT, HOSTILE, LAB, NOW, PRODUCT, WEB, snapshot
from tests.ui.test_definitions import shows


def found(*microvms: object, tab: str = "", key: str | None = None, with_units: bool = True) -> dict[str, Copyable]:
    shown = copyables(microvms, (tab, key), NOW, with_units=with_units)  # type: ignore[arg-type]
    return {one.key: one for one in shown}


def test_what_there_is_of_one() -> None:
    of_git = {one.title: one.text for one in found(GIT).values()}
    assert of_git["name"] == "git"
    assert of_git["directory"] == "/var/lib/microvms/git"
    assert of_git["unit"] == "microvm@git.service"
    assert of_git["pid"] == "4121"
    assert of_git["overlay"] == "/var/lib/microvms/git/nix-rw.img"
    began = f"{GIT.state.since.astimezone(NOW.tzinfo):%Y-%m-%d %H:%M}" if GIT.state.since else ""
    assert began
    assert of_git["why"].startswith(f'git: degraded since {began}. Share "home" is down. /srv/git-home does not exist.')


def test_what_there_is_not_is_said() -> None:
    of_lab = found(LAB)
    assert [of_lab[key].refusal for key in "spc"] == ["it does not run"] * 3
    hidden = LAB._replace(state=State(StateWord.RUNNING, None, ""))
    assert found(hidden)["s"].refusal == "it runs, but its hypervisor can't be seen"
    assert of_lab["f"].refusal == "it has no file"
    assert of_lab["e"].later is Later.LAST_ERROR
    assert "u" not in found(LAB, with_units=False)


def test_what_several_have_alike() -> None:
    assert [(one.key, one.text) for one in found(GIT, DB._replace(name="d b")).values()] == [
        ("n", "git 'd b'"),
        ("d", "/var/lib/microvms/git /var/lib/microvms/db"),
        ("u", "microvm@git.service microvm@db.service"),
    ]


@pytest.mark.parametrize(
    ("tab", "key", "text"),
    [
        ("shares", "home", "/srv/git-home"),
        ("volumes", "nix-rw.img", "/var/lib/microvms/git/nix-rw.img"),
        ("processes", "4121", "cloud-hypervisor"),
    ],
)
def test_what_is_under_the_cursor_comes_first(tab: str, key: str, text: str) -> None:
    first = next(iter(found(GIT, tab=tab, key=key).values()))
    assert (first.key, first.text) == ("t", text)
    assert "t" not in found(GIT, tab=tab, key="another")


def test_nothing_that_acts_is_copied() -> None:
    for microvm in HOSTILE.microvms:
        for one in found(microvm).values():
            assert (one.title + one.text + one.refusal).isprintable()
    for one in found(*HOSTILE.microvms).values():
        assert one.text.isprintable()


def test_no_letter_twice_and_none_that_leaves() -> None:
    keys = [one.key for one in copyables((DEGRADED,), ("shares", "home"), NOW, with_units=True)]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set("qyjkgG")


@pytest.mark.parametrize("keys", ["y n", "y enter", "y G g enter"])
async def test_a_letter_or_enter_copies(open_panel: Open, keys: str) -> None:
    async with open_panel(snapshot(WEB), size=(120, 24)) as panel:
        await panel.press(*keys.split())
        assert panel.host.copied == ["web"]
        assert "copied the name: OSC 52 (if the terminal takes it); file /run/user/1000/mvtui/copied" in panel.text
        assert "Copy what of" not in panel.text
        await panel.press("y", "d")
        assert panel.host.copied == ["web", "/var/lib/microvms/web"]


@pytest.mark.parametrize("key", ["escape", "q", "y"])
async def test_it_is_left(open_panel: Open, key: str) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        before = panel.lines
        await panel.press("y", "x", "S", "T", key)
        assert panel.host.copied == []
        assert panel.lines == before


async def test_a_click_copies(open_panel: Open) -> None:
    async with open_panel(snapshot(WEB)) as panel:
        await panel.press("y")
        await panel.click("directory")
        assert panel.host.copied == ["/var/lib/microvms/web"]


async def test_of_the_marked_ones(open_panel: Open) -> None:
    async with open_panel(snapshot(GIT, WEB)) as panel:
        await panel.press("asterisk", "y")
        assert "Copy what of 2 microVMs?" in panel.text
        await panel.press("n")
        assert panel.host.copied == ["git web"]


async def test_on_a_tab(open_panel: Open) -> None:
    async with open_panel(snapshot(DEGRADED)) as panel:
        await panel.press("2", "j", "y")
        assert "source of home" in panel.text
        await panel.press("t")
        assert panel.host.copied == ["/srv/wiki-old/home"]


async def test_the_ssh_command_is_looked_for(open_panel: Open) -> None:
    async with open_panel(snapshot(HEALTHY), size=(120, 24)) as panel:
        panel.host.login = Login(("ssh", "-l", "root", "--", "vsock/3"), "root@vsock/3")
        await panel.press("y", "s")
        assert panel.host.copied == ["ssh -l root -- vsock/3"]
        assert "copied the ssh command: OSC 52" in panel.text
        panel.host.login = NoWayError("web can't be reached", ("vsock 3: no answer",))
        await panel.press("y", "s")
        await shows(panel, "vsock 3: no answer")
        assert panel.host.copied == ["ssh -l root -- vsock/3"]


def unreadable(*_: object) -> list[bytes]:
    raise MvtuiError("the journal can't be read")


async def test_the_last_error_of_the_log(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_panel(snapshot(GIT), size=(120, 24)) as panel:
        await panel.press("y", "e")
        assert panel.host.copied == ["EXT4-fs error (device vda): ext4_lookup:1855: inode #2"]
        panel.host.logs.records = []
        await panel.press("y", "e")
        assert "git has logged no error" in panel.text
        monkeypatch.setattr(panel.host.logs, "page", unreadable)
        await panel.press("y", "e")
        assert "the journal can't be read" in panel.text


async def test_why_not(open_panel: Open) -> None:
    async with open_panel(snapshot(LAB), size=(120, 24)) as panel:
        await panel.press("y", "p")
        assert "lab: no pid: it does not run" in panel.text
    async with open_panel(EMPTY) as panel:
        await panel.press("y")
        assert "no microVM is selected" in panel.text


@pytest.mark.parametrize("size", [(20, 6), (60, 15), (80, 24), (250, 80)])
async def test_every_size(open_panel: Open, size: tuple[int, int]) -> None:
    async with open_panel(PRODUCT, size=size) as panel:
        await panel.press("G", "y", "G", "k")
        assert "Copy what" in panel.text
        await panel.pilot.resize_terminal(60, 15)
        await panel.press("n")
        assert panel.host.copied == ["web"]

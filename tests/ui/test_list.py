"""The list follows the host."""

import pytest
from rich.cells import cell_len

from mvtui.errors import MvtuiError
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from tests.ui.conftest import Open
from tests.ui.samples import (
    CI,
    DB,
    EMPTY,
    GIB,
    GIT,
    HOSTILE,
    LAB,
    MAIL,
    NO_BUS,
    PRODUCT,
    PROXY,
    STATES,
    UNREADABLE,
    WEB,
    ago,
    microvm,
    snapshot,
)


def rows(lines: list[str]) -> list[str]:
    """The names, from top to bottom."""
    return [line.split()[1] for line in lines[2:-7] if line]


async def test_the_list_reads_as_the_product_has_it(open_panel: Open) -> None:
    async with open_panel() as panel:
        assert panel.lines[0] == ("mvtui  hv01     7 VMs  4 running  1 degraded  1 looping  1 stopped     RW  12:04")
        assert panel.lines[1:9] == [
            "  NAME        STATE           AGE CPU% MEM used/max FSD  OVERLAY   NOTE",
            "● ci          running         42m  388 7.0G / 8.0G    -     -",
            "● db          running         12h 14.7 1.8G / 2.0G  2/2     -      ≠ restart",
            "▲ git         degraded        11h  0.4 300M / 1.0G  1/2  300M  14% fsd home",
            "○ lab         stopped          9d    -    - / 1.0G    -  984M  96% ov full",
            "↻ mail        looping ×12      4s    -    - / 1.0G  0/1  100M   9% fsd home",
            "● proxy       running         17w  0.0  64M / 256M    -     -",
            "● web         running          3d  3.1 512M / 1.0G  2/2     -",
        ]


async def test_every_state_has_glyph_and_word(open_panel: Open) -> None:
    async with open_panel(STATES) as panel:
        shown = {line[2:14].strip(): (line[0], line[14:29].strip()) for line in panel.lines[2:13]}
        assert shown == {
            "alpha": ("●", "starting 12s"),
            "beta": ("●", "stopping 40s"),
            "db": ("●", "running"),
            "epsilon": ("×", "failed depend."),
            "eta": ("×", "failed oom"),
            "git": ("▲", "degraded"),
            "iota": ("·", "unknown"),
            "lab": ("○", "stopped"),
            "mail": ("↻", "looping ×12"),
            "theta": ("×", "failed exit 127"),
            "zeta": ("?", "orphan"),
        }


async def test_ascii_alone(open_panel: Open) -> None:
    async with open_panel(STATES, ascii_only=True) as panel:
        assert [line[0] for line in panel.lines[2:13]] == list("~~*xx!.-@x?")
        assert panel.text.isascii()
    async with open_panel(HOSTILE, ascii_only=True) as panel:
        assert panel.text.isascii()
        assert all(len(line) <= 80 for line in panel.lines)


@pytest.mark.parametrize(
    ("then", "selected"),
    [
        ((CI, DB, GIT, LAB, MAIL), "git"),
        ((GIT, LAB), "git"),
        ((microvm("aa"), microvm("ab"), CI, DB, GIT), "git"),
        ((CI, DB, LAB, MAIL), "lab"),
        ((CI, DB), "db"),
        ((), None),
    ],
)
async def test_the_cursor_stays_on_its_microvm(
    open_panel: Open, then: tuple[MicroVM, ...], selected: str | None
) -> None:
    async with open_panel(snapshot(CI, DB, GIT, LAB)) as panel:
        await panel.press("j", "j")
        assert panel.selected == "git"
        await panel.tell(snapshot(*then))
        assert panel.selected == selected
        assert rows(panel.lines) == [one.name for one in snapshot(*then).microvms] or not then


async def test_the_cursor_stays_in_sight_when_many_rows_come(open_panel: Open) -> None:
    async with open_panel(snapshot(PROXY)) as panel:
        await panel.tell(snapshot(PROXY, *(microvm(f"a{number:03}") for number in range(60))))
        assert panel.selected == "proxy"
        assert any(line.startswith("● proxy") for line in panel.lines)
        await panel.tell(snapshot(PROXY))
        assert rows(panel.lines) == ["proxy"]


async def test_a_change_shows_in_its_cell_alone(open_panel: Open) -> None:
    async with open_panel() as panel:
        before = panel.lines
        assert WEB.hypervisor is not None
        busy = WEB.hypervisor._replace(cpu_percent=97.0)
        await panel.tell(
            PRODUCT._replace(microvms=(*PRODUCT.microvms[:-1], WEB._replace(hypervisor=busy, processes=(busy,))))
        )
        assert panel.lines[8] == before[8].replace(" 3.1", "97.0")
        assert [line for y, line in enumerate(panel.lines) if y != 8] == [
            line for y, line in enumerate(before) if y != 8
        ]


async def test_wide_characters_keep_the_columns(open_panel: Open) -> None:
    async with open_panel(HOSTILE) as panel:
        for line in panel.lines[2:10]:
            state = next(word for word in ("running", "stopped", "degraded") if word in line)
            assert cell_len(line[: line.index(state)]) == 14


async def test_names_are_shown_and_obeyed_nowhere(open_panel: Open) -> None:
    async with open_panel(HOSTILE) as panel:
        assert "[/red]" in panel.text
        assert "\\x1b[31mre…" in panel.text
        assert "two\\nlines" in panel.text
        assert "\\u202eltr" in panel.text
        assert "2 entries are no microVM: lost+found (of the file system (fsck)), no\\x1b[2Jtes" in panel.text
        await panel.press("j")
        assert "[@click=app.quit]x[/]" in panel.text
        await panel.press("r")
        assert panel.foot.startswith("restart [/red] on hv01?")


async def test_numbers_go_where_there_is_no_room(open_panel: Open) -> None:
    async with open_panel(size=(60, 15)) as panel:
        assert panel.lines[1].split() == ["NAME", "STATE", "NOTE"]
        assert panel.lines[4].split() == ["▲", "git", "degraded", "fsd", "home"]


async def test_a_resize_shows_other_columns(open_panel: Open) -> None:
    async with open_panel() as panel:
        for width, height, titles in ((60, 15, 3), (120, 36, 8), (80, 24, 8)):
            await panel.pilot.resize_terminal(width, height)
            await panel.pilot.pause()
            heads = panel.lines[1].partition("│")[0]
            assert len(heads.replace(" used/max", "").split()) == titles
            assert panel.lines[0].endswith("RW  12:04")


async def test_old_data_is_dimmed_and_says_its_age(open_panel: Open) -> None:
    async with open_panel() as panel:
        panel.host.passes(seconds=20)
        panel.app._tick()
        await panel.pilot.pause()
        assert "20s old" in panel.lines[0]
        await panel.tell(PRODUCT)
        assert "old" not in panel.lines[0]


async def test_units_that_do_not_answer_make_the_data_old(open_panel: Open) -> None:
    async with open_panel(NO_BUS) as panel:
        assert "3m old" in panel.lines[0]
        assert "systemd does not answer on D-Bus.  systemctl status dbus" in panel.text


async def test_a_message_gives_way_after_half_a_minute(open_panel: Open) -> None:
    async with open_panel() as panel:
        await panel.press("W")
        for seconds, shown in ((29, True), (2, False)):
            panel.host.passes(seconds=seconds)
            await panel.tell(PRODUCT)
            panel.app._tick()
            await panel.pilot.pause()
            assert ("read-only: nothing can be changed" in panel.text) is shown


async def test_the_clock_changes_with_the_minute(open_panel: Open) -> None:
    async with open_panel() as panel:
        panel.host.passes(seconds=1)
        panel.app._tick()
        await panel.pilot.pause()
        assert panel.lines[0].endswith("12:04")
        panel.host.passes(seconds=59)
        panel.app._tick()
        await panel.pilot.pause()
        assert panel.lines[0].endswith("12:05")


async def test_a_clock_that_is_set_back_hurts_nothing(open_panel: Open) -> None:
    async with open_panel() as panel:
        panel.host.passes(days=-400)
        await panel.tell(PRODUCT)
        assert panel.lines[2].startswith("● ci          running          0s")


async def test_an_empty_host_says_what_was_looked_at(open_panel: Open) -> None:
    async with open_panel(EMPTY) as panel:
        assert "No microVM in /var/lib/microvms." in panel.text
        assert "mvtui demo" in panel.text
        await panel.tell(snapshot(WEB))
        assert rows(panel.lines) == ["web"]
        assert "mvtui demo" not in panel.text
        await panel.tell(EMPTY)
        assert "mvtui demo" in panel.text


async def test_what_the_host_lacks_stands_in_the_place_of_the_list(open_panel: Open) -> None:
    async with open_panel(UNREADABLE) as panel:
        assert "/var/lib/microvms can't be read: permission denied." in panel.text
        assert "run mvtui as root, or in group kvm" in panel.text
        assert panel.text.count("mvtui demo") == 1
        [finding] = UNREADABLE.findings
        fix = "name another with --state-dir DIR, or see a sample host: mvtui demo"
        await panel.tell(snapshot(findings=(finding._replace(fix=fix),)))
        assert panel.text.count("mvtui demo") == 1


async def test_names_come_before_the_first_look(open_panel: Open) -> None:
    names = ["db", "git\x1b[2J", "web"]
    async with open_panel(None, names=names) as panel:
        assert panel.lines[2:6] == ["  db", "  git\\x1b[2J", "  web", ""]
        await panel.press("j", "S", "T", "G")
        assert panel.host.asked == []
        await panel.tell(snapshot(DB, WEB, microvm("zz", StateWord.STOPPED)))
        assert panel.selected == "web"


async def test_an_error_of_the_look_is_said_and_it_looks_again(open_panel: Open) -> None:
    async with open_panel(interval=0.01) as panel:
        panel.host.tell(MvtuiError("the host is away", "look after it"))
        while "the host is away (look after it)" not in panel.text:
            await panel.pilot.pause()
        await panel.tell(snapshot(microvm("new", since=ago(seconds=0), memory=GIB)))
        assert rows(panel.lines) == ["new"]

"""The parts that need no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.theme import Theme

from mvtui.errors import MvtuiError
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.ui import sudo, themes
from mvtui.ui.charset import fit, to_ascii
from mvtui.ui.commands import COMMANDS, Place, Situation, Tier, bindings, command, menders
from mvtui.ui.lines import clipped, justified, width_of, wrapped
from mvtui.ui.picture import Picture
from mvtui.ui.roles import ROLES
from mvtui.ui.rows import layout
from mvtui.ui.terminal import Terminal
from mvtui.ui.widgets.footer import footer_line
from mvtui.ui.widgets.header import header_line
from mvtui.ui.widgets.why_line import Why, moment, why_lines
from tests.ui.fake_host import FakeHost
from tests.ui.samples import DB, GIT, LAB, MAIL, NOW, ORPHAN, PRODUCT, STATES, STOPPING, WEB, ago


@pytest.mark.parametrize(
    ("environ", "terminal"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}, Terminal("dark", False, True)),
        ({"TERM": "xterm-256color", "LANG": "de_DE.utf8", "COLORFGBG": "0;15"}, Terminal("light", False, True)),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}, Terminal("dark", False, True)),
        ({"TERM": "xterm", "LANG": "C.UTF-8"}, Terminal("terminal", False, True)),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": "1"}, Terminal("terminal", False, True)),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, Terminal("terminal", True, True)),
        ({"TERM": "screen", "LANG": "C.UTF-8", "SSH_CONNECTION": "a"}, Terminal("terminal", True, False)),
        ({"TERM": "xterm-256color", "LANG": "C"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "C.UTF-8"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "POSIX"}, Terminal("dark", True, True)),
        ({"TERM": "xterm-256color", "LANG": "C", "LC_CTYPE": "en_US.UTF-8"}, Terminal("dark", False, True)),
        ({}, Terminal("terminal", True, True)),
    ],
)
def test_what_the_terminal_can(environ: dict[str, str], terminal: Terminal) -> None:
    assert Terminal.of(environ) == terminal


def test_every_theme_is_whole() -> None:
    found = themes.load()
    assert found.failed == ()
    assert {"dark", "light", "terminal"} <= found.loaded.keys()
    for theme in found.loaded.values():
        assert isinstance(theme, Theme)
        assert {f"vm-{role}" for role in ROLES} <= theme.variables.keys()
    assert not any("bright" in value for value in found.loaded["terminal"].variables.values())


def test_themes_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    whole = (themes.folder() / "dark.toml").read_text()
    (tmp_path / "whole.toml").write_text(whole)
    (tmp_path / "broken.toml").write_text("[base")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "poor.toml").write_text(whole.replace('vm-running = "#87d787"', "").replace("primary", "first"))
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "colourless.toml").write_text(whole.replace("#87d787", "greenish"))
    found = themes.load(tmp_path)
    assert list(found.loaded) == ["whole"]
    why = {failed.path.stem: failed.why for failed in found.failed}
    assert why.keys() == {"broken", "binary", "poor", "empty", "colourless"}
    assert why["poor"] == "lacks primary, vm-running"
    assert "greenish" in why["colourless"]


def test_a_theme_that_is_not_there_is_an_error_with_a_hint() -> None:
    with pytest.raises(MvtuiError, match="no usable theme 'nowhere'"):
        FakeHost().app(theme="nowhere")


def test_a_folder_without_themes_loads_none(tmp_path: Path) -> None:
    assert themes.load(tmp_path / "nowhere") == themes.Themes({})


@pytest.mark.parametrize("width", range(1, 220))
def test_columns_fill_the_width_and_do_not_overlap(width: int) -> None:
    columns = layout(width, False).columns
    for (column, x), (_, following) in pairwise(columns):
        assert x + column.width < following
    last, x = columns[-1]
    assert x + last.width == width or width < 40


@pytest.mark.parametrize("one", STATES.microvms, ids=lambda one: one.name)
def test_a_row_is_as_wide_as_its_columns(one: MicroVM) -> None:
    for width in (60, 80, 120):
        columns = layout(width, False)
        assert width_of(columns.line(columns.cells(one, NOW))) == width


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("仮想", 4, "仮想"),
        ("仮想マ", 5, "仮想…"),
        ("仮想マ", 4, "仮 …"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_fit(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted
    assert cell_len(fitted) == width


def test_ascii_has_the_same_width() -> None:
    text = "× ≠ restart … ─ 仮 é"
    assert to_ascii(text) == "x ! restart ~ - ?? ?"
    assert cell_len(to_ascii(text)) == cell_len(text)


@pytest.mark.parametrize("width", range(12))
def test_clipped_is_never_wider(width: int) -> None:
    line = (("ab", "text"), ("cd", "key"), ("efgh", "text"))
    cut = clipped(line, width)
    assert width_of(cut) == min(width, 8)
    assert width >= 8 or width == 0 or "".join(text for text, _ in cut).endswith("…")


def test_justified_leaves_whole_pieces_out() -> None:
    left = (("mvtui", "key"), ("  4 running", "text"), ("  1 failed", "text"))
    assert justified(left, (("12:04", "text"),), 25) == (
        ("mvtui", "key"),
        ("  4 running", "text"),
        ("    ", "text"),
        ("12:04", "text"),
    )


def test_wrapped_ends_in_an_ellipsis() -> None:
    assert wrapped("one two three four", 9, 2) == ["one two", "three fo…"]
    assert wrapped("one two", 9, 2) == ["one two"]
    assert wrapped("one-long-word two", 6, 3) == ["one-l…", "two"]
    assert wrapped("", 9, 2) == [""]


def texts(one: MicroVM, width: int = 80, height: int = 5) -> list[str]:
    helping = tuple(menders(Situation(one)))
    return ["".join(text for text, _ in line) for line in why_lines(Why(one, "1/9", helping, NOW), width, height)]


def test_why_names_cause_since_when_and_what_mends() -> None:
    assert texts(GIT)[1:] == [
        'Share "home" is down. /srv/git-home does not exist. The guest\'s /home hangs.',
        "since 00:51 (11h)   microvm@git.service active",
        "  create /srv/git-home, then restart git  r restart",
    ]


def test_why_says_the_states_cause_before_a_finding() -> None:
    assert texts(MAIL)[1:3] == [
        'microvm-virtiofsd@mail.service ends with exit 1. Share "home" is down. It ends',
        "with exit 1.",
    ]
    assert texts(MAIL)[3].startswith("since 12:04 (4s)   12 restarts")


def test_why_tells_when_a_stop_is_killed() -> None:
    assert "killed in 40s" in texts(STOPPING)[2]


@pytest.mark.parametrize("height", range(1, 7))
@pytest.mark.parametrize("one", STATES.microvms, ids=lambda one: one.name)
def test_why_fits(one: MicroVM, height: int) -> None:
    for width in (10, 40, 60, 80):
        lines = texts(one, width, height)
        assert len(lines) <= height
        assert all(cell_len(line) <= width for line in lines)


def test_why_keeps_cause_and_cure_in_three_lines() -> None:
    assert texts(DB, 60, 3)[1:] == ["What runs is older than what is built. booted is /nix/store…", "  restart db"]


def test_moments_have_the_date_that_they_need() -> None:
    assert moment(ago(hours=2), NOW) == "10:04"
    assert moment(ago(hours=30), NOW) == "22 Nov 06:04"
    assert moment(ago(days=400), NOW) == "2024-10-19"
    assert moment(ago(hours=2), NOW.astimezone(timezone(timedelta(hours=3)))) == "13:04"


def header(width: int, **changes: object) -> str:
    picture = replace(Picture("hv01", NOW, PRODUCT), **changes)  # type: ignore[arg-type]
    return "".join(text for text, _ in header_line(picture, width))


def test_the_header_leaves_out_what_is_well_first() -> None:
    assert header(80).startswith("mvtui  hv01     7 VMs  4 running  1 degraded  1 looping  1 stopped ")
    assert header(70).startswith("mvtui  hv01     7 VMs  4 running  1 degraded  1 looping ")
    assert header(56).startswith("mvtui  hv01     7 VMs  1 degraded  1 looping ")
    assert header(50).startswith("mvtui  hv01     7 VMs  1 looping ")
    assert all(header(width).endswith("12:04") for width in range(12, 80))
    assert all(len(header(width)) == width for width in range(12, 200))


def test_the_header_says_what_is_special() -> None:
    direct = header(80, snapshot=replace(PRODUCT, manager="direct"), paused=True, read_only=True, locked=True)
    assert direct.startswith("mvtui  hv01  direct  paused ")
    assert direct.endswith("RO  12:04")
    assert header(80, snapshot=replace(PRODUCT, microvms=(WEB,))).startswith("mvtui  hv01     1 VM  1 running ")
    assert "\\x1b[2J" in header(80, host="h\x1b[2J")


def footer(width: int, **changes: object) -> str:
    picture = replace(Picture("hv01", NOW, PRODUCT), **changes)  # type: ignore[arg-type]
    return "".join(text for text, _ in footer_line(picture, width))


def test_the_footer_always_shows_help_and_quit() -> None:
    for width in range(16, 100):
        assert footer(width).endswith("? help  q quit  ")
        assert len(footer(width)) <= width + 2
    assert "read-only" not in footer(80, read_only=True, locked=True)
    assert footer(80, read_only=True).startswith("W read-only")


def test_nothing_that_changes_anything_is_on_enter_or_ctrl() -> None:
    for one in COMMANDS:
        if one.verb is not None:
            assert all(key.isalpha() and len(key) == 1 for key in one.keys)
            assert one.tier is Tier.FREE if one.id == "start" else one.tier >= Tier.ASK


def test_no_key_is_bound_twice() -> None:
    keys = [binding.key for place in (Place.PANEL, Place.LIST) for binding in bindings(place)]
    assert len(keys) == len(set(keys))
    assert len({one.id for one in COMMANDS}) == len(COMMANDS)


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "kill"])
def test_read_only_and_nothing_selected_refuse_every_change(verb: str) -> None:
    for one in (DB, LAB, STOPPING, ORPHAN):
        assert "read-only" in command(verb).refusal(Situation(one, read_only=True))
        assert "--read-only" in command(verb).refusal(Situation(one, read_only=True, locked=True))
    assert command(verb).refusal(Situation(None)) == "no microVM is selected"


@pytest.mark.parametrize(
    ("one", "ids"),
    [(LAB, ["start"]), (DB, []), (GIT, ["restart"]), (MAIL, ["stop", "restart"]), (STOPPING, ["stop"])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_may_help(one: MicroVM, ids: list[str]) -> None:
    assert [helping.id for helping in menders(Situation(one))] == ids
    assert list(menders(Situation(one, read_only=True))) == []
    assert one.state.word in StateWord


SUDO = """#!/bin/sh
[ "$1" = -n ] && { shift; without=1; }
[ "$1" = -- ] || exit 99
shift
%s
"""


@pytest.fixture
def lent() -> list[str]:
    return []


async def with_sudo(
    monkeypatch: pytest.MonkeyPatch, folder: Path, script: str | None, lent: list[str], *argv: str
) -> tuple[bool, str]:
    if script is not None:
        (folder / "sudo").write_text(SUDO % script)
        (folder / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin" if script is not None else str(folder))

    @contextmanager
    def suspended() -> Iterator[None]:
        lent.append("lent")
        yield
        lent.append("back")

    return await sudo.run(argv, suspended)


async def test_sudo_without_a_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    done = await with_sudo(monkeypatch, tmp_path, '"$@"', lent, "sh", "-c", "echo first; echo 'web: \x1b[1mstarted'")
    assert done == (True, "web: \\x1b[1mstarted")
    assert lent == []


async def test_sudo_of_a_command_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    argv = ("sh", "-c", "echo nothing; echo 'mvtui: web failed' >&2; exit 1")
    assert await with_sudo(monkeypatch, tmp_path, '"$@"', lent, *argv) == (False, "mvtui: web failed")
    assert await with_sudo(monkeypatch, tmp_path, '"$@"', lent, "false") == (False, "sudo ended with exit 1")
    assert lent == []


async def test_sudo_that_asks_gets_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    script = '[ "$without" ] && { echo "sudo: a password is required" >&2; exit 1; }; echo "Sorry." >&2; "$@"'
    assert await with_sudo(monkeypatch, tmp_path, script, lent, "echo", "done") == (True, "done")
    assert lent == ["lent", "back"]
    assert capfd.readouterr().err == "Sorry.\n"


async def test_no_sudo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lent: list[str]) -> None:
    with pytest.raises(MvtuiError, match="sudo can't be run") as caught:
        await with_sudo(monkeypatch, tmp_path, None, lent, "true")
    assert caught.value.hint == "run mvtui as root"

"""Header, status and footer."""

from dataclasses import replace

from mvtui.model.finding import Severity
from mvtui.model.unit import UnitVerb
from mvtui.ui.command import Situation
from mvtui.ui.commands import COMMANDS
from mvtui.ui.lines import Line
from mvtui.ui.picture import Job, Picture
from mvtui.ui.widgets.footer import footer_line
from mvtui.ui.widgets.header import header_line, page_line
from mvtui.ui.widgets.status import status_line
from tests.ui.samples import FAILED, NO_BUS, NOW, PRODUCT, UNREADABLE, WEB, snapshot


def header(width: int, **changes: object) -> str:
    picture = replace(Picture("hv01", NOW, PRODUCT), **changes)  # type: ignore[arg-type]
    return "".join(text for text, _ in header_line(picture, width))


def test_the_header_leaves_out_what_is_well_first() -> None:
    assert header(80).startswith("mvtui  hv01     7 VMs  4 running  1 degraded  1 looping  1 stopped ")
    assert header(70).startswith("mvtui  hv01     7 VMs  4 running  1 degraded  1 looping ")
    assert header(56).startswith("mvtui  hv01  4 running  1 degraded  1 looping ")
    assert header(55).startswith("mvtui  hv01     7 VMs  1 degraded  1 looping ")
    assert header(50).startswith("mvtui  hv01     7 VMs  1 looping ")
    assert all(header(width).endswith("12:04") for width in range(12, 80))
    assert all(len(header(width)) == width for width in range(12, 200))


def test_without_systemd_the_header_tells_how_many_run() -> None:
    eight = snapshot(*PRODUCT.microvms, FAILED)._replace(manager="direct")
    assert header(80, snapshot=eight).startswith("mvtui  hv01  direct  4 running  1 degraded  1 looping  1 failed ")


def test_the_header_says_what_is_special() -> None:
    direct = header(80, snapshot=PRODUCT._replace(manager="direct"), paused=True, read_only=True, locked=True)
    assert direct.startswith("mvtui  hv01  direct  paused ")
    assert direct.endswith("RO  12:04")
    assert header(80, snapshot=PRODUCT._replace(microvms=(WEB,))).startswith("mvtui  hv01     1 VM  1 running ")
    assert "\\x1b[2J" in header(80, host="h\x1b[2J")


def test_the_page_says_whose_it_is_at_any_width() -> None:
    for width in range(22, 200):
        line = "".join(
            text for text, _ in page_line(Picture("hv01", NOW, PRODUCT), "web-that-has-a-name", False, width)
        )
        assert line.startswith("hv01 > web")
        assert line.endswith("12:04")


KEYS = {one.id: one.keys for one in COMMANDS}


def footer(width: int, *, read_only: bool = False, locked: bool = False) -> str:
    return "".join(text for text, _ in footer_line(KEYS, [Situation(WEB, read_only, locked)], width))


def test_the_footer_always_shows_help_and_the_way_out() -> None:
    for width in range(16, 100):
        assert footer(width).endswith("? help  q quit  ")
        assert len(footer(width)) <= width + 2
    assert "read-only" not in footer(100, read_only=True, locked=True)
    assert "W read-only" in footer(100, read_only=True)
    assert "start" not in footer(200, read_only=True)


def status(**changes: object) -> str:
    picture = replace(Picture("hv01", NOW, PRODUCT), **changes)  # type: ignore[arg-type]
    return "".join(text for text, _ in status_line(picture))


MESSAGE: Line = (("git runs already", "warning"),)
STARTING_LAB = (Job(UnitVerb.START, "lab", NOW),)


def test_what_is_wrong_with_the_host_hides_behind_no_message() -> None:
    wrong = "systemd does not answer on D-Bus."
    assert status(snapshot=NO_BUS) == f"{wrong}  systemctl status dbus"
    assert status(snapshot=NO_BUS, message=MESSAGE) == f"{wrong}   git runs already"
    assert status(snapshot=NO_BUS, jobs=STARTING_LAB) == f"{wrong}   starting lab 0s"
    assert status(snapshot=UNREADABLE) == ""


def test_what_is_less_than_wrong_waits() -> None:
    hint = NO_BUS._replace(findings=(NO_BUS.findings[0]._replace(severity=Severity.WARNING),))
    assert status(snapshot=hint).startswith("systemd does not answer")
    assert status(snapshot=hint, message=MESSAGE) == "git runs already"
    assert status(snapshot=hint, message=MESSAGE, jobs=STARTING_LAB) == "git runs already   starting lab 0s"
    assert status(snapshot=NO_BUS._replace(findings=(*hint.findings, *NO_BUS.findings)), message=MESSAGE) == (
        "systemd does not answer on D-Bus.   git runs already"
    )

"""Why the selected microVM is in its state."""

from datetime import datetime, timedelta, timezone

import pytest
from rich.cells import cell_len

from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.ui.command import Situation
from mvtui.ui.commands import menders
from mvtui.ui.moment import moment
from mvtui.ui.widgets.why_line import Why, why_lines
from tests.ui.samples import DB, GIT, LAB, MAIL, NOW, STATES, STOPPING, ago, microvm


def texts(one: MicroVM, width: int = 80, height: int = 5) -> list[str]:
    helping = tuple(menders(Situation(one)))
    why = Why(one, "1/9", helping, {}, NOW)
    return ["".join(text for text, _ in line) for line in why_lines(why, width, height)]


def test_why_names_cause_since_when_and_what_mends() -> None:
    assert texts(GIT)[1:] == [
        'Share "home" is down. /srv/git-home does not exist. The guest\'s /home hangs.',
        "since 00:51 (11h)   microvm@git.service active",
        "r restart  → mkdir -p /srv/git-home, then mvtui restart git",
    ]


def test_why_says_the_states_cause_before_a_finding() -> None:
    assert texts(MAIL)[1:3] == [
        'microvm-virtiofsd@mail.service ends with exit 1. Share "home" is down. It ends',
        "with exit 1.",
    ]
    assert texts(MAIL)[3].startswith("since 12:04 (4s)   12 restarts")


@pytest.mark.parametrize(
    ("one", "since", "told"),
    [
        (DB, None, "running since 00:04 (12h)"),
        (DB, ago(minutes=5), "since 11:59 (5m)"),
        (LAB, None, "stopped since 14 Nov 12:04 (9d)"),
        (GIT, None, "since 00:51 (11h)"),
    ],
)
def test_since_when_is_said_of_the_cause_and_not_of_a_state_that_is_another(
    one: MicroVM, since: datetime | None, told: str
) -> None:
    one = one._replace(findings=(one.findings[0]._replace(since=since),))
    assert [line for line in texts(one) if line.startswith(told)]


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
    cause = "What runs is older than what is built. booted is /nix/store…"
    assert [line.rstrip() for line in texts(DB, 60, 3)[1:]] == [cause, "r restart"]


def test_why_says_a_fix_that_no_key_does() -> None:
    why = Why(DB, "1/9", (), {}, NOW)
    assert why_lines(why, 60, 3)[-1] == (("→ mvtui restart db", "text"),)


def test_moments_have_the_date_that_they_need() -> None:
    assert moment(ago(hours=2), NOW) == "10:04"
    assert moment(ago(hours=30), NOW) == "22 Nov 06:04"
    assert moment(ago(days=400), NOW) == "2024-10-19"
    assert moment(ago(hours=2), NOW.astimezone(timezone(timedelta(hours=3)))) == "13:04"


MISSING = Finding(
    Severity.ERROR, "share home", "no source", 'Share "home": /srv/home does not exist.', "", "mkdir -p /srv/home"
)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (StateWord.STARTING, 'microvm@web waits for its shares: share "home": /srv/home does not exist.'),
        (StateWord.FAILED, 'Its shares can\'t start (share "home": /srv/home does not exist), and it needs them.'),
    ],
)
def test_why_says_nothing_twice(word: StateWord, why: str) -> None:
    one = microvm("web", word, why=why, findings=(MISSING,))
    shown = texts(one, 160)
    assert shown[1] == why
    assert shown[-1].endswith("→ mkdir -p /srv/home")
    told_more = MISSING._replace(why="The next start waits for it and fails.")
    assert texts(one._replace(findings=(told_more,)), 160)[1] == f"{why} The next start waits for it and fails."

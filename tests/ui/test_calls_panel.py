"""What mvtui called, as the panel shows it."""

from datetime import UTC, timedelta, timezone

import pytest

from mvtui.model.call import CallKind
from mvtui.ui.lines import width_of
from mvtui.ui.widgets.calls_panel import call_entries
from tests.ui.conftest import Open
from tests.ui.history_samples import CALLS
from tests.ui.samples import PRODUCT, ago


def texts(width: int = 100, cursor: str | None = None, calls: object = CALLS) -> list[str]:
    entries = call_entries(calls, width, cursor, UTC)  # type: ignore[arg-type]
    return ["".join(text for text, _ in line) for entry in entries for line in entry.lines]


def test_the_newest_comes_first_with_when_how_long_and_what_came_back() -> None:
    assert texts() == [
        "12:04:29      runs  dbus     RestartUnit microvm@ci.service replace",
        "12:04:28     2.1ms  dbus     ListUnitsByPatterns microvm@*.service … ×412 → 37 units",
        "12:04:18     0.1ms  command  sent ← kill -TERM 4711",
        "12:03:30     4.0ms  dbus     StartUnit microvm@lab.service replace → Access denied (polkit)",
        "12:03:29    12.3ms  command  exit 1 ← sudo -n -- mvtui start --manager systemd -- lab",
        "12:02:55  1234.5ms  dbus     StopUnit microvm@web.service replace → job 811 done",
    ]


def test_times_are_local() -> None:
    entries = call_entries(CALLS, 100, None, timezone(timedelta(hours=2)))
    assert entries[0].lines[0][0][0] == "14:04:29 "


def test_what_failed_stands_out() -> None:
    lines = [line for entry in call_entries(CALLS, 200, None, UTC) for line in entry.lines]
    failed = [text for line in lines for text, role in line if role == "error"]
    assert failed == [" → Access denied (polkit)", "exit 1"]


def test_nothing_was_called_yet() -> None:
    assert texts(calls=()) == ["  mvtui has called nothing yet."]


def test_the_one_under_the_cursor_is_shown_in_full() -> None:
    long = CALLS[0]._replace(what=f"mvtui {'argument ' * 40}the-end", result="\x1b[2Jword " * 30 + "last")
    key = call_entries((long,), 60, None, UTC)[0].key
    lines = texts(60, key, (long,))
    assert "the-end" in "".join(lines)
    assert "last" in lines[-1]
    assert len(texts(60, None, (long,))) == 1


def test_keys_stay_when_calls_come() -> None:
    keys = [entry.key for entry in call_entries(CALLS, 80, None, UTC)]
    assert len(set(keys)) == len(keys)
    more = (*CALLS, CALLS[0]._replace(at=ago(seconds=0)), CALLS[4]._replace(times=413, at=ago(seconds=0)))
    kept = [entry.key for entry in call_entries(more[:4] + more[5:], 80, None, UTC)]
    assert len(set(kept)) == len(kept)
    assert set(keys) <= set(kept)


@pytest.mark.parametrize("text", ["[/red]", "\x1b[2J\n", "仮想" * 60, "/very/long" * 90, "\u202e", "", "e\u0301" * 300])
def test_every_line_has_room(text: str) -> None:
    calls = tuple(call._replace(what=text, result=text) for call in CALLS)
    keys = [None, *[entry.key for entry in call_entries(calls, 80, None, UTC)]]
    for width in (20, 21, 39, 60, 80, 200):
        for key in keys:
            for entry in call_entries(calls, width, key, UTC):
                for line in entry.lines:
                    assert width_of(line) <= width
                    assert all(piece.isprintable() for piece, _ in line)


async def test_the_panel_follows_and_the_cursor_stays(open_panel: Open) -> None:
    async with open_panel(size=(100, 36)) as panel:
        await panel.press("at", "j", "j")
        assert "─ What mvtui called" in panel.text
        panel.host.calls.told = (
            *CALLS,
            CALLS[3]._replace(kind=CallKind.COMMAND, what="kill -9 4711", at=ago(seconds=0)),
        )
        await panel.tell(PRODUCT)
        lines = [line for line in panel.lines if "kill -" in line]
        assert len(lines) == 2
        assert "sent" in panel.text
        await panel.press("escape")
        assert "─ What mvtui called" not in panel.text

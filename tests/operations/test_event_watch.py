"""Findings that come and go, and each `current` that was seen, on record: once, whoever looks."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mvtui.host.event_record import EVENTS, alone, read_events
from mvtui.host.ports import Host
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot, StateDirEntry
from mvtui.model.state import State, StateWord
from mvtui.model.timeline import EventKind
from mvtui.operations.event_watch import (
    GONE_SECONDS,
    SETTLED_SECONDS,
    STEADY_SECONDS,
    EventWatch,
    record_close_look,
    recorded,
)
from mvtui.operations.timeline import TimelineReader, read_timeline
from tests.fakes import FakeProcesses, FakeUnits

BEGIN = datetime(2026, 11, 25, 18, 40, tzinfo=UTC)
DOWN = Finding(Severity.ERROR, "share home", "fsd home", "Share home is down.", "It ended.")
FULL = Finding(Severity.WARNING, "volume a.img", "ov full", "The overlay is 95% full.")


def snapshot(*found: Finding, current: str | None = None, name: str = "web") -> Snapshot:
    entry = StateDirEntry(name, f"/vms/{name}", current=current)
    one = MicroVM(name, f"/vms/{name}", State(StateWord.RUNNING, None, "it runs"), entry=entry, findings=found)
    return Snapshot("hv01", "/vms", "direct", (one,))


class Watched:
    """A watch with a clock of its own, of a host in a folder."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.seconds = 0.0
        self.watch = EventWatch(host, lambda: self.seconds, lambda: BEGIN + timedelta(seconds=self.seconds))

    def look(self, seconds: float, *found: Finding, current: str | None = None, name: str = "web") -> bool:
        """A look then; whether something was put on record."""
        self.seconds = seconds
        news = self.watch.see(snapshot(*found, current=current, name=name))
        if news:
            self.watch.record()
        return news

    @property
    def told(self) -> list[str]:
        return [f"{one.microvm} {one.event.kind} {one.event.what}" for one in read_events(self.host.records)]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "vms" / "web").mkdir(parents=True)
    return Host(
        "hv01", FakeUnits(manager="direct"), FakeProcesses(), Path("/vms"), root=tmp_path, records=tmp_path / "records"
    )


def test_one_comes_and_goes(host: Host) -> None:
    watched = Watched(host)
    watched.look(0)
    assert watched.look(40, DOWN)
    assert not watched.look(42, DOWN)
    assert not watched.look(44)
    assert not watched.look(44 + GONE_SECONDS - 1)
    assert watched.look(44 + GONE_SECONDS)
    assert not watched.look(60)
    assert watched.told == ["web finding Share home is down.", "web mended Share home is down."]
    assert read_events(host.records)[1].event.at == BEGIN + timedelta(seconds=44)


def test_what_flickers_is_one(host: Host) -> None:
    watched = Watched(host)
    for seconds in range(40, 80, 4):
        watched.look(seconds, DOWN)
        watched.look(seconds + 2)
    assert watched.told == ["web finding Share home is down."]


def test_other_numbers_are_no_other_finding(host: Host) -> None:
    watched = Watched(host)
    watched.look(1, FULL)
    assert not watched.look(2, FULL._replace(what="The overlay is 96% full."))


def test_the_next_mvtui_goes_on(host: Host) -> None:
    """What was there is not new to it; what has gone meanwhile has gone once it has looked long enough."""
    Watched(host).look(0, DOWN, FULL)
    later = Watched(host)
    later.look(0, FULL)
    assert not later.look(SETTLED_SECONDS - 1, FULL)
    later.look(SETTLED_SECONDS, FULL)
    later.look(SETTLED_SECONDS + GONE_SECONDS, FULL)
    assert [one for one in later.told if "mended" in one] == ["web mended Share home is down."]
    assert len(later.told) == 3


def test_what_a_fresh_mvtui_has_not_seen_yet_has_not_gone(host: Host) -> None:
    """Its guests and its slow lane take their time; what they find again never went."""
    Watched(host).look(0, DOWN)
    later = Watched(host)
    for seconds in range(0, int(SETTLED_SECONDS), 2):
        later.look(seconds)
    later.look(SETTLED_SECONDS, DOWN)
    assert later.told == ["web finding Share home is down."]


def test_two_at_once_tell_it_once(host: Host) -> None:
    one, other = Watched(host), Watched(host)
    for watched in (one, other):
        watched.look(0)
    one.look(40, DOWN)
    other.look(40, DOWN)
    for seconds in (50, 61, 70):
        one.look(seconds)
        other.look(seconds)
    assert one.told == ["web finding Share home is down.", "web mended Share home is down."]


def test_while_another_compares_it_waits_for_the_next_look(host: Host) -> None:
    watched = Watched(host)
    with alone(host.records):
        watched.look(0, DOWN)
        assert watched.told == []
    watched.look(2, DOWN)
    assert watched.told == ["web finding Share home is down."]


def test_what_is_not_known_has_not_gone(host: Host) -> None:
    watched = Watched(host)
    watched.look(40, DOWN)
    silent = snapshot()._replace(findings=(Finding(Severity.ERROR, "systemd", "no units", "It does not answer."),))
    for seconds in (50, 70):
        watched.seconds = seconds
        assert not watched.watch.see(silent)


def test_each_current_that_was_seen(host: Host, tmp_path: Path) -> None:
    link = tmp_path / "vms/web/current"
    watched = Watched(host)
    for number, target in enumerate(("/nix/store/a", "/nix/store/b\x1b[2J")):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        os.utime(link, (BEGIN.timestamp() + number, BEGIN.timestamp() + number), follow_symlinks=False)
        assert watched.look(number * 2, current=target)
        assert not watched.look(number * 2 + 1, current=target)
    assert watched.told == [
        "web rebuild current became /nix/store/a",
        "web rebuild current became /nix/store/b\\x1b[2J",
    ]
    # The link itself tells the same as the record.
    events = read_timeline(host, "web").events
    assert [event.at for event in events] == [BEGIN + timedelta(seconds=1), BEGIN]


def test_where_it_can_t_be_written_the_timeline_says_so(host: Host, tmp_path: Path) -> None:
    (tmp_path / "records").write_text("")
    watched = Watched(host)
    watched.look(0, DOWN)
    assert not watched.look(2, DOWN)  # not at each look
    (trouble,) = read_timeline(host, "web").troubles
    assert trouble.startswith("findings that come and go are not recorded: ")
    (tmp_path / "records").unlink()
    assert watched.look(60, DOWN)
    assert read_timeline(host, "web").troubles == ()


async def test_beside_the_looks(host: Host) -> None:
    """Each look is handed on before anything is written of it."""

    async def looks() -> AsyncGenerator[Snapshot]:
        while True:
            yield snapshot(DOWN)
            await asyncio.sleep(0)

    async with aclosing(recorded(host, looks())) as source:
        async for one in source:
            assert one == snapshot(DOWN)
            if read_events(host.records):
                break
    assert Watched(host).told == ["web finding Share home is down."]


def test_a_reader_reads_what_is_new_and_only_that(host: Host) -> None:
    reader, watched = TimelineReader(host), Watched(host)
    assert reader.read("web", 1).events == ()
    watched.look(0, DOWN)
    found = reader.read("web", 1)
    assert [event.kind for event in found.events] == [EventKind.FINDING]
    facts = os.stat(host.records / EVENTS)
    (host.records / EVENTS).write_bytes(b" " * facts.st_size)
    os.utime(host.records / EVENTS, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert reader.read("web", 1) == found
    assert reader.read("git", 1).events == ()


# A command that looks once


LATER = BEGIN + timedelta(seconds=STEADY_SECONDS)


def look_once(host: Host, *found: Finding, word: StateWord = StateWord.RUNNING, since: datetime | None = BEGIN) -> None:
    (one,) = snapshot(*found).microvms
    looked = one._replace(state=State(word, since, "why"))
    record_close_look(host, snapshot()._replace(microvms=(looked,)), lambda: LATER)


def test_a_command_that_looks_closely_tells_what_comes_and_goes(host: Host) -> None:
    look_once(host, DOWN)
    look_once(host, DOWN)
    look_once(host, FULL)
    assert Watched(host).told == [
        "web finding Share home is down.",
        "web finding The overlay is 95% full.",
        "web mended Share home is down.",
    ]
    assert read_events(host.records)[-1].event.at == LATER


@pytest.mark.parametrize(
    ("word", "since"),
    [
        (StateWord.RUNNING, BEGIN + timedelta(seconds=1)),
        *((word, BEGIN) for word in (StateWord.STARTING, StateWord.STOPPING, StateWord.LOOPING, StateWord.UNKNOWN)),
    ],
)
def test_what_one_look_does_not_see_may_come_back_while_something_is_under_way(
    host: Host, word: StateWord, since: datetime
) -> None:
    look_once(host, DOWN)
    look_once(host, word=word, since=since)
    assert Watched(host).told == ["web finding Share home is down."]


def test_one_look_at_one_tells_nothing_of_others(host: Host) -> None:
    watched = Watched(host)
    watched.look(0, DOWN, name="git")
    look_once(host)
    assert watched.told == ["git finding Share home is down."]


def test_a_panel_goes_on_from_what_a_command_has_recorded(host: Host) -> None:
    watched = Watched(host)
    watched.look(0)
    look_once(host, DOWN)
    watched.look(2, DOWN)
    watched.look(40)
    watched.look(41 + GONE_SECONDS)
    look_once(host)
    assert watched.told == ["web finding Share home is down.", "web mended Share home is down."]


def test_where_nothing_can_be_written_a_command_goes_on(host: Host) -> None:
    host.records.write_text("no directory")
    look_once(host, DOWN)
    assert "not recorded" in host.record_trouble

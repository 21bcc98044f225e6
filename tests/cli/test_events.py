"""`mvtui show NAME --events`: the timeline alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.cli.arguments import EVENTS
from mvtui.cli.run import run
from mvtui.errors import ExitCode
from mvtui.host.event_record import record_event
from mvtui.host.ports import Host
from mvtui.model.timeline import Event, EventGroup, EventKind, Timeline
from tests.fakes import FakeUnits, fake_host

AT = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "flake").write_text("/etc/nixos")
    host = fake_host(tmp_path, FakeUnits(manager="direct"))
    host.records = tmp_path / "records"
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: host)
    for number, kind in enumerate(EventKind):
        assert record_event(host.records, "web", Event(AT.replace(second=number), kind, f"a {kind}")) == ""
    return host


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split()[-1] for line in capsys.readouterr().out.splitlines()]


def test_each_kind_is_in_one_group() -> None:
    events = Timeline(tuple(Event(AT, kind, "") for kind in EventKind))
    grouped = [event.kind for group in EventGroup for event in events.only(group).events]
    assert sorted(grouped) == sorted(EventKind)
    assert events.only(None) == events
    assert ("all", *EventGroup) == EVENTS


def test_events_of_a_kind_alone_and_all_of_them(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "web", "--events", "failures"]) == 0
    assert said(capsys) == ["virtiofsd", "failed"]
    assert run(["show", "web", "--events", "all"]) == 0
    assert said(capsys) == [str(kind) for kind in reversed(EventKind)]


def test_for_programs(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "web", "--json", "--events", "findings"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [event["kind"] for event in document.pop("timeline")] == ["mended", "finding"]
    assert document == {"schema": 1, "host": "hv01", "name": "web", "events": "findings", "timelineTroubles": []}


def test_what_is_wrong_is_said(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "wbe", "--events", "all"]) == ExitCode.FAILED
    assert 'did you mean "web"?' in capsys.readouterr().err
    assert run(["show", "web", "--events", "all", "--stage", "built"]) == ExitCode.USAGE
    assert "not allowed with argument" in capsys.readouterr().err

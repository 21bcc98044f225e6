"""What happened by the journal: with what journalctl of systemd 252 said of a real stop and a real kill, and a stand-in
for it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.host.journal_events import JournalEvents
from mvtui.model.timeline import Event, EventKind
from mvtui.model.unit_story import EXIT, FAILURE, RESTART, STARTED
from tests.exported import exported

RECORDED = [json.loads(line) for line in Path(__file__).with_name("journal_recorded.jsonl").read_text().splitlines()]
AT = datetime(2026, 11, 25, 18, 40, tzinfo=UTC)


def journal(folder: Path, units: list[bytes], daemons: list[bytes] = [], tail: str = "") -> JournalEvents:  # noqa: B006
    """A journalctl that prints one or the other, the newest first; its arguments are in `arguments`."""
    for name, entries in (("units", units), ("daemons", daemons)):
        (folder / name).write_bytes(b"".join(one + b"\n\n" for one in reversed(entries)))
    program = folder / "journalctl"
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>{folder}/arguments\n"
        f'case "$*" in *--grep*) cat {folder}/daemons;; *) cat {folder}/units;; esac\n{tail}\n'
    )
    program.chmod(0o755)
    return JournalEvents(CallLog(), str(program), timeout=5)


def line(second: int, **fields: str) -> bytes:
    at = int((AT.timestamp() + second) * 1e6)
    return exported({"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": str(at), **fields})


def systemd(second: int, message: str, **fields: str) -> bytes:
    return line(second, MESSAGE_ID=message, UNIT="microvm@web.service", _PID="1", **fields)


def words(events: list[Event]) -> list[str]:
    return [f"{event.kind}: {event.what}" + (f" ({event.why})" if event.why else "") for event in events]


def test_recorded(tmp_path: Path) -> None:
    """As it was said of git, which was stopped, and of web, whose share home was killed."""
    entries = [exported({**one, "_PID": "1"}) for one in reversed(RECORDED)]
    events, trouble = journal(tmp_path, entries).read("git")
    assert trouble == ""
    assert words(events)[-1] == "stop: the hypervisor was stopped"
    assert events[-1].at == datetime(2026, 11, 25, 18, 40, 17, 664557, UTC)
    events, _ = journal(tmp_path, [], entries).read("web")
    daemons = [event for event in events if event.kind is EventKind.VIRTIOFSD]
    assert words(daemons) == ["virtiofsd: virtiofsd of share home ended (terminated by SIGKILL)"]


def test_a_failure_with_its_cause(tmp_path: Path) -> None:
    entries = [
        systemd(0, EXIT, EXIT_CODE="exited", EXIT_STATUS="1"),
        systemd(1, FAILURE, UNIT_RESULT="exit-code"),
        systemd(2, RESTART, N_RESTARTS="3"),
        systemd(3, STARTED, JOB_RESULT="done"),
    ]
    events, _ = journal(tmp_path, entries).read("web")
    assert words(events) == [
        "failed: the hypervisor failed (exit 1, result exit-code)",
        "restart: systemd restarted it, for the 3rd time (exit 1, result exit-code)",
    ]


def test_others_than_systemd_tell_nothing_of_units(tmp_path: Path) -> None:
    forged = [
        line(0, MESSAGE_ID=STARTED, UNIT="microvm@web.service", _PID="77"),
        systemd(1, STARTED).replace(b"@web.", b"@git."),
    ]
    assert journal(tmp_path, forged).read("web") == ([], "")


@pytest.mark.parametrize(("uid", "user"), [("0", "ada"), ("1000", "uid 1000")])
def test_what_mvtui_did_and_who_by_the_word_of_the_kernel(tmp_path: Path, uid: str, user: str) -> None:
    command = {"MVTUI_COMMAND": "stop", "MVTUI_RESULT": "stopped", "MVTUI_OK": "yes", "MVTUI_SECONDS": "0.3"}
    entry = line(0, MVTUI_MICROVM="web", MVTUI_USER="ada", _UID=uid, **command)
    events, _ = journal(tmp_path, [entry]).read("web")
    assert events == [Event(AT, EventKind.STOP, "stopped", "stop", user, True, 0.3)]


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "1e308"])
def test_a_time_that_nothing_takes_is_none(tmp_path: Path, seconds: str) -> None:
    """Anybody can log it; JSON knows neither NaN nor infinity."""
    entry = line(0, MVTUI_MICROVM="web", MVTUI_COMMAND="stop", _UID="1000", MVTUI_SECONDS=seconds)
    events, _ = journal(tmp_path, [entry]).read("web")
    assert [event.seconds for event in events] == [None]


@pytest.mark.parametrize(
    "fields",
    [{"MVTUI_SECONDS": "x"}, {"MVTUI_OK": "?"}, {"__REALTIME_TIMESTAMP": "9" * 40}, {"N_RESTARTS": "²"}],
)
def test_nonsense_ends_nothing(tmp_path: Path, fields: dict[str, str]) -> None:
    entry = exported(
        {"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1", "MVTUI_MICROVM": "web", "MVTUI_COMMAND": "stop", **fields}
    )
    events, trouble = journal(tmp_path, [entry, systemd(0, RESTART, N_RESTARTS="²"), systemd(1, STARTED)]).read("web")
    assert trouble == ""
    assert len(events) in (1, 2)


def test_supervisord_s_words(tmp_path: Path) -> None:
    said = [
        "2026-11-25 18:40:16,034 INFO gave up: virtiofsd-home entered FATAL state, too many start retries too quickly",
        "2026-11-25 18:40:16,034 WARN exited: virtiofsd-home (exit status 1; not expected)",
        "2026-11-25 18:40:16,034 INFO exited: virtiofsd-home (exit status 0; expected)",
        "no log",
    ]
    entries = [line(number, MESSAGE=one) for number, one in enumerate(said)]
    events, _ = journal(tmp_path, [], entries).read("web")
    assert sorted(words(events)) == [
        "virtiofsd: virtiofsd of share home does not start; supervisord has given up",
        "virtiofsd: virtiofsd of share home ended (exit status 1)",
    ]
    assert "_SYSTEMD_UNIT=microvm-virtiofsd@web.service" in (tmp_path / "arguments").read_text().splitlines()


def test_without_rights_or_a_journalctl_that_is_said(tmp_path: Path) -> None:
    source = journal(tmp_path, [], tail="echo 'No journal files were opened due to insufficient permissions.' >&2")
    events, trouble = source.read("web")
    assert events == []
    assert trouble.startswith("the journal of this host may not be read (usermod -aG systemd-journal USER")
    events, trouble = JournalEvents(CallLog(), str(tmp_path / "none")).read("web")
    assert events == []
    assert "can't be run" in trouble

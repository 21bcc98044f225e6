"""When something ended, by the journal: what journalctl of systemd 252 said of a real stop and a real kill, and what it
may say else."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.host.journal_times import JournalTimes
from mvtui.host.ports import End
from mvtui.model.call import CallKind

RECORDED = Path(__file__).with_name("journal_recorded.jsonl").read_text()
# As recorded: git was stopped, then web's share home was killed.
GIT_STOPPED = datetime(2026, 11, 25, 18, 40, 17, 664557, UTC)
HOME_KILLED = datetime(2026, 11, 25, 18, 40, 16, 35727, UTC)
WEB_STARTED = datetime(2026, 11, 25, 18, 40, 4, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 18, 41, tzinfo=UTC)
GIT, HOME = End("git"), End("web", "home", WEB_STARTED)

STOPPED, STARTED = "9d1aaa27d60140bd96365438aad20286", "39f53479d3a045ac8e11786248231fbf"

Journal = Callable[..., JournalTimes]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journalctl that prints a text; its arguments are in the file `arguments`."""

    def make(output: str | bytes, now: datetime = NOW) -> JournalTimes:
        (tmp_path / "output").write_bytes(output if isinstance(output, bytes) else output.encode())
        return JournalTimes(CallLog(), program(tmp_path, f"exec cat {tmp_path}/output"), now=lambda: now)

    return make


def program(folder: Path, script: str) -> str:
    path = folder / "journalctl"
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{folder}/arguments\n{script}\n")
    path.chmod(0o755)
    return str(path)


def entry(at: datetime, **fields: object) -> str:
    """A line of journalctl."""
    return json.dumps({"__REALTIME_TIMESTAMP": str(int(at.timestamp() * 1e6)), **fields}) + "\n"


def unit_entry(at: datetime, message_id: str, unit: str = "microvm@git.service") -> str:
    return entry(at, UNIT=unit, MESSAGE_ID=message_id, _SYSTEMD_UNIT="init.scope")


def said(at: datetime, words: object, unit: str = "microvm-virtiofsd@web.service") -> str:
    """A line that supervisord has logged; in `words` a text behind its time and level."""
    message = f"2026-11-25 18:40:16,034 WARN {words}" if isinstance(words, str) else words
    return entry(at, _SYSTEMD_UNIT=unit, MESSAGE=message)


def test_recorded(journal: Journal) -> None:
    ends = [GIT, HOME, End("lab"), End("web", "ro-store", WEB_STARTED)]
    assert journal(RECORDED).read(ends) == {GIT: GIT_STOPPED, HOME: HOME_KILLED}


def test_one_call_for_all_that_is_asked(journal: Journal, tmp_path: Path) -> None:
    journal(RECORDED).read([GIT, End("lab"), HOME])
    arguments = (tmp_path / "arguments").read_text().splitlines()
    first, second = arguments[: arguments.index("+")], arguments[arguments.index("+") :]
    assert {"--output=json", "--reverse", "--lines=1000", "_PID=1", f"MESSAGE_ID={STOPPED}"} <= set(first)
    assert {"UNIT=microvm@git.service", "UNIT=microvm@lab.service"} <= set(first)
    assert second == ["+", "_TRANSPORT=stdout", "_SYSTEMD_UNIT=microvm-virtiofsd@web.service"]


def test_what_concerns_a_run_is_not_looked_for_before_it(journal: Journal, tmp_path: Path) -> None:
    later = End("mail", "home", WEB_STARTED + timedelta(hours=1))
    journal("").read([HOME, later])
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert f"--since=@{WEB_STARTED.timestamp():.6f}" in arguments
    journal("").read([HOME, GIT])
    assert "--since" not in (tmp_path / "arguments").read_text()


def test_it_is_on_record(tmp_path: Path) -> None:
    calls = CallLog()
    (tmp_path / "output").write_text(RECORDED)
    for _ in range(2):
        JournalTimes(calls, program(tmp_path, f"exec cat {tmp_path}/output")).read([GIT])
    (call,) = calls.calls
    assert (call.kind, call.times, call.ok, call.result) == (CallKind.COMMAND, 2, True, "14 lines")
    assert call.what.startswith(f"{tmp_path}/journalctl --quiet ")


def test_nothing_asked_runs_nothing(journal: Journal, tmp_path: Path) -> None:
    assert journal(RECORDED).read([]) == {}
    assert not (tmp_path / "arguments").exists()


def test_a_daemon_of_an_earlier_run_does_not_count(journal: Journal) -> None:
    after = End("web", "home", HOME_KILLED + timedelta(seconds=1))
    assert journal(RECORDED).read([after]) == {}


def test_what_has_not_come_yet_does_not_count(journal: Journal) -> None:
    assert journal(RECORDED, now=WEB_STARTED).read([GIT, HOME]) == {}


def test_the_first_end_counts_and_not_that_of_its_successor(journal: Journal) -> None:
    later = said(HOME_KILLED + timedelta(seconds=30), "exited: virtiofsd-home (exit status 1; not expected)")
    assert journal(later + RECORDED).read([HOME]) == {HOME: HOME_KILLED}


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("exited: virtiofsd-home (exit status 0; expected)", "home"),
        ("exited: virtiofsd-a (b) c (terminated by SIGKILL (core dumped); not expected)", ""),
        ("exited: virtiofsd-a (b) (terminated by SIGSEGV; not expected)", "a (b)"),
        ("exited: virtiofsd-größe (exit status 1; not expected)", "größe"),
        ("gave up: virtiofsd-home entered FATAL state, too many start retries too quickly", "home"),
        ("stopped: virtiofsd-home (exit status 0)", "home"),
        ("exited: virtiofsd-home2 (exit status 0; expected)", ""),
        ("exited: notify (exit status 0; expected)", ""),
        ("said: exited: virtiofsd-home (exit status 0; expected)", ""),
        ([50, 48, 50, 54], ""),
        (None, ""),
        (["exited", "twice"], ""),
    ],
)
def test_words_of_supervisord(journal: Journal, words: object, tag: str) -> None:
    asked = [End("web", each, WEB_STARTED) for each in ("home", "a (b)", "größe")]
    assert [end.share for end in journal(said(HOME_KILLED, words)).read(asked)] == ([tag] if tag else [])


def test_another_microvms_daemon_does_not_count(journal: Journal) -> None:
    line = said(HOME_KILLED, "exited: virtiofsd-home (exit status 0; expected)", "microvm-virtiofsd@git.service")
    assert journal(line).read([HOME]) == {}


def test_a_start_after_the_last_stop_is_a_run_whose_end_is_lost(journal: Journal) -> None:
    stop = unit_entry(GIT_STOPPED, STOPPED)
    start = unit_entry(GIT_STOPPED + timedelta(seconds=5), STARTED)
    assert journal(stop).read([GIT]) == {GIT: GIT_STOPPED}
    assert journal(start + stop).read([GIT]) == {}


def test_where_the_lines_do_not_reach_back_the_first_end_is_not_known(journal: Journal) -> None:
    ends = "exited: virtiofsd-home (exit status 1; not expected)"
    lines = [said(NOW - timedelta(milliseconds=number), ends) for number in range(1000)]
    before = End("web", "home", NOW - timedelta(hours=1))
    within = End("web", "home", NOW - timedelta(milliseconds=500, microseconds=500))
    read = journal("".join(lines)).read([before, within])
    assert read == {within: NOW - timedelta(milliseconds=500)}
    assert before in journal("".join(lines[1:])).read([before])


@pytest.mark.parametrize(
    "nonsense",
    [
        b"no JSON\n",
        b"\xff\xfe\x00\n",
        b"[" * 100_000 + b"\n",
        b'["a list"]\n',
        b"{}\n",
        b"\n\n",
        b'{"__REALTIME_TIMESTAMP":"soon","UNIT":"microvm@git.service"}\n'.replace(b"git", b"lab"),
        b'{"__REALTIME_TIMESTAMP":' + b"9" * 5000 + b"}\n",
        b'{"__REALTIME_TIMESTAMP":"99999999999999999999","MESSAGE":[1]}\n',
        b'{"__REALTIME_TIMESTAMP":null,"UNIT":["a","b"],"_SYSTEMD_UNIT":{"x":1},"MESSAGE_ID":[9]}\n',
        b'{"MESSAGE":"' + b"x" * 100_000 + b'"}\n',
    ],
    ids=range(11),
)
def test_lines_that_make_no_sense_are_passed_over(journal: Journal, nonsense: bytes) -> None:
    text = nonsense + RECORDED.encode() + nonsense
    assert journal(text).read([GIT, HOME]) == {GIT: GIT_STOPPED, HOME: HOME_KILLED}


def test_a_time_without_sense_is_none(journal: Journal) -> None:
    for time in ("soon", None, 9**99, "-1e5", [1]):
        line = json.dumps({"__REALTIME_TIMESTAMP": time, "UNIT": "microvm@git.service", "MESSAGE_ID": STOPPED})
        assert journal(line).read([GIT]) == {}


def test_output_without_end_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "line").write_text(unit_entry(GIT_STOPPED, STOPPED))
    endless = JournalTimes(CallLog(), program(tmp_path, f"while :; do cat {tmp_path}/line; done"), timeout=60.0)
    assert endless.read([GIT]) == {}
    assert JournalTimes(CallLog(), program(tmp_path, "exec cat /dev/zero"), timeout=60.0).read([GIT]) == {}


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    script = f"echo $$ >{tmp_path}/pid; trap '' TERM; cat {tmp_path}/output; exec sleep 1000"
    (tmp_path / "output").write_text(RECORDED)
    assert JournalTimes(CallLog(), program(tmp_path, script), timeout=1.0).read([GIT]) == {}
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_one_that_closes_its_output_and_goes_on_is_ended(tmp_path: Path) -> None:
    (tmp_path / "output").write_text(RECORDED)
    script = f"cat {tmp_path}/output; exec >&- 2>&-; exec sleep 1000"
    assert JournalTimes(CallLog(), program(tmp_path, script), now=lambda: NOW).read([GIT]) == {GIT: GIT_STOPPED}


def test_one_that_fails_or_is_not_there(tmp_path: Path) -> None:
    assert JournalTimes(CallLog(), str(tmp_path / "nothing")).read([GIT]) == {}
    assert JournalTimes(CallLog(), str(tmp_path)).read([GIT]) == {}
    denied = "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1"
    assert JournalTimes(CallLog(), program(tmp_path, denied)).read([GIT]) == {}


def test_names_of_any_kind_are_one_argument_each(journal: Journal, tmp_path: Path) -> None:
    names = ["--file=x", "a b", "+", "\udcff", "x" * 255]
    journal("").read([End(name) for name in names])
    arguments = (tmp_path / "arguments").read_bytes().decode(errors="surrogateescape").splitlines()
    assert {f"UNIT=microvm@{name}.service" for name in names} <= set(arguments)
    assert journal("").read([End("a\0b")]) == {}
    assert journal("").read([End("x" * 200_000)]) == {}

"""`mvtui logs` on the keepers' files; on a real journal in tests/real/test_logs.py."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mvtui.cli.logs import instant, pattern
from mvtui.cli.run import run
from mvtui.cli.verb_options import LOG_SOURCES
from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.log import LogSource

NOW = datetime(2026, 8, 1, 12, 0, 30, tzinfo=UTC)
VIRTIOFSD = (
    "2026-08-01 12:00:00,000 INFO spawned: 'virtiofsd-home' with pid 182\n"
    "[2026-08-01T12:00:01Z ERROR virtiofsd] /srv/home does not exist\n"
    "2026-08-01 12:00:02,000 INFO gave up: virtiofsd-home entered FATAL state, too many start retries too quickly\n"
)


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TZ", "UTC")
    for name in ("web", "git", "[b]x[r]"):
        (tmp_path / name).mkdir()
    (tmp_path / "web/virtiofsd.log").write_text(VIRTIOFSD)
    (tmp_path / "web/microvm.log").write_bytes(b"boot\nlogin: \x1b[2J[b]hi[/b] \xff\r\n")
    os.utime(tmp_path / "web/virtiofsd.log", (1, 1))
    (tmp_path / "git/microvm.log").write_text("of git\n")
    return tmp_path


def mvtui(host: Path, *words: str) -> int:
    return run(["--state-dir", str(host), "--manager", "direct", "logs", *words])


def test_for_people(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mvtui(host, "web") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Aug 01 12:00:00 virtiofsd home: " + VIRTIOFSD.splitlines()[0],
        "Aug 01 12:00:01 virtiofsd: " + VIRTIOFSD.splitlines()[1],
        "Aug 01 12:00:02 virtiofsd home: " + VIRTIOFSD.splitlines()[2],
        "                guest: boot",
        "                guest: login: \\x1b[2J[b]hi[/b] \\udcff",
    ]
    assert mvtui(host, "web", "git", "-n", "2", "--source", "guest") == 0
    assert [line[16:] for line in capsys.readouterr().out.splitlines()] == [
        "web guest: login: \\x1b[2J[b]hi[/b] \\udcff",
        "git guest: of git",
    ]


def test_for_programs(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mvtui(host, "web", "--json", "--level", "err") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[0] == {
        "schema": 1,
        "at": "2026-08-01T12:00:01.000000Z",
        "microvm": "web",
        "source": "virtiofsd",
        "speaker": None,
        "level": "err",
        "unit": None,
        "message": "[2026-08-01T12:00:01Z ERROR virtiofsd] /srv/home does not exist",
    }
    assert [one["speaker"] for one in found] == [None, "home"]
    assert mvtui(host, "web", "--json", "--source", "guest", "-n", "1") == 0
    assert json.loads(capsys.readouterr().out)["message"] == "login: \x1b[2J[b]hi[/b] \udcff"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--grep", "HOME|boot"], 1),
        (["--grep", "home|boot"], 4),
        (["--grep", "home", "-n", "1"], 1),
        (["-n", "0"], 0),
        (["--since", "2026-08-01 12:00:01", "--source", "virtiofsd"], 2),
        (["--since", "2026-08-01T12:00:01Z"], 4),  # of what has no time of its own, all
        (["--since", "2026-08-01", "-n", "2"], 2),
        (["--level", "4"], 2),
    ],
)
def test_what_is_wanted(host: Path, capsys: pytest.CaptureFixture[str], words: list[str], count: int) -> None:
    assert mvtui(host, "web", *words) == 0
    assert len(capsys.readouterr().out.splitlines()) == count


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["wbe"], ExitCode.FAILED, 'did you mean "web"?'),
        (["../web"], ExitCode.FAILED, "there is no microVM '../web'"),
        ([""], ExitCode.FAILED, "there is no microVM ''"),
        (["web", "--level", "bad"], ExitCode.USAGE, "there are emerg, alert, crit, err"),
        (["web", "--since", "soon"], ExitCode.USAGE, "say for example 15m"),
        (["web", "--grep", "("], ExitCode.USAGE, "regular expression"),
        (["web", "-n", "many"], ExitCode.USAGE, "takes a number of lines"),
        (["web", "--source", "x"], ExitCode.USAGE, "invalid choice"),
        ([], ExitCode.USAGE, "required: NAME"),
    ],
)
def test_bad_words(host: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: ExitCode, said: str) -> None:
    assert mvtui(host, *words) == code
    output = capsys.readouterr()
    assert said in output.err
    assert output.out == ""


def test_hostile_names_are_names(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert mvtui(host, "[b]x[r]") == 0
    assert capsys.readouterr().out == ""


def test_a_link_for_a_log_is_refused(host: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (host / "git/microvm.log").unlink()
    (host / "git/microvm.log").symlink_to("/etc/shadow")
    assert mvtui(host, "git") == ExitCode.FAILED
    assert "remove microvm.log: it is no log" in capsys.readouterr().err


def test_it_goes_on_until_it_is_ended(host: Path) -> None:
    command = [sys.executable, "-m", "mvtui", "logs", "git", "-f", "--state-dir", str(host), "--manager", "direct"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "guest: of git"
        with (host / "git/microvm.log").open("a") as log:
            log.write("more\n")
        assert process.stdout.readline().strip() == "guest: more"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_it_ends_with_who_reads_it(host: Path) -> None:
    command = [sys.executable, "-m", "mvtui", "logs", "git", "-f", "--state-dir", str(host), "--manager", "direct"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 141


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h ago", NOW - timedelta(hours=2)),
        ("3 d", NOW - timedelta(days=3)),
        ("2026-07-01T10:00:00+02:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
    ],
)
def test_instants(text: str, then: datetime) -> None:
    assert instant(text, NOW) == then


@pytest.mark.parametrize("text", ["", "x", "999999w", "-1h", "25:00", "2026-13-01", "1" * 500 + "s"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(MvtuiError, match="is no time"):
        instant(text, NOW)


def test_today_is_local() -> None:
    local = NOW.astimezone()
    assert instant("today", NOW).astimezone().date() == local.date()
    assert NOW - instant("yesterday", NOW) > timedelta(hours=23)
    assert instant("00:00", NOW) == instant("today", NOW)


def test_patterns() -> None:
    assert pattern("err").search("an ERROR")
    assert not pattern("Err").search("an ERROR")


def test_every_source_can_be_asked_for() -> None:
    assert tuple(LogSource) == LOG_SOURCES

"""The journal's logs: what journalctl is asked, and what is made of what it says; with a stand-in for it. A real
journal is in tests/real/test_logs.py."""

import json
import select
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.journal_logs import JournalLogs
from mvtui.host.log_lines import LineSplitter, LongLine
from mvtui.model.log import ERROR, INFO, WARNING, LogEntry, LogFilter, LogSource

RECORDED = Path(__file__).with_name("journal_recorded.jsonl").read_bytes()
ALL = LogFilter()


def journal(folder: Path, script: str, *microvms: str, timeout: float = 10) -> JournalLogs:
    program = folder / "journalctl"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{folder}/arguments\n{script}\n")
    program.chmod(0o755)
    return JournalLogs(microvms or ("web",), CallLog(), str(program), timeout=timeout)


def printing(folder: Path, output: bytes, *microvms: str) -> JournalLogs:
    (folder / "output").write_bytes(output)
    return journal(folder, f"exec cat {folder}/output", *microvms)


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


def line(**fields: object) -> bytes:
    told = {"__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": "1795632017664557", **fields}
    return json.dumps(told, separators=(",", ":")).encode()


def entry(**fields: object) -> LogEntry:
    return JournalLogs(["web"]).entry(line(**fields))


def test_recorded(tmp_path: Path) -> None:
    logs = printing(tmp_path, RECORDED, "git", "web")
    found = [logs.entry(record) for record in logs.page(ALL, 1000)]
    assert found[-1] == LogEntry(
        datetime(2026, 11, 25, 18, 40, 17, 664557, UTC),
        INFO,
        LogSource.SYSTEMD,
        "Stopped microvm@git.service - MicroVM 'git'.",
        "git",
        "",
        "microvm@git.service",
    )
    exited = next(one for one in found if "exited: virtiofsd-home" in one.message)
    assert (exited.source, exited.speaker, exited.level, exited.microvm) == (
        LogSource.VIRTIOFSD,
        "home",
        WARNING,
        "web",
    )


def test_what_is_asked(tmp_path: Path) -> None:
    logs = printing(tmp_path, b"")
    logs.page(ALL, 10)
    asked = arguments(tmp_path)
    assert {"--no-pager", "--all", "--output=json", "--reverse"} <= set(asked)
    groups = [group.split() for group in " ".join(word for word in asked if not word.startswith("--")).split(" + ")]
    assert {"_SYSTEMD_UNIT=microvm@web.service", "_SYSTEMD_UNIT=install-microvm-web.service"} <= set(groups[0])
    assert "_SYSTEMD_UNIT=microvm-tap-interfaces@web.service" in groups[0]
    assert groups[1] == ["_SYSTEMD_UNIT=microvm-virtiofsd@web.service"]
    assert groups[2][0] == "_PID=1"
    assert groups[3][0] == "_UID=0"
    assert groups[4] == ["SYSLOG_IDENTIFIER=mvtui", "MVTUI_MICROVM=web"]

    logs.page(LogFilter(level=ERROR, source=LogSource.GUEST), 10, before=line())
    asked = arguments(tmp_path)
    assert asked[-5:] == ["_SYSTEMD_UNIT=microvm@web.service", *(f"PRIORITY={number}" for number in range(4))]
    assert "--after-cursor=s=1;i=2" in asked
    assert "--reverse" in asked
    logs.page(LogFilter(level=ERROR, source=LogSource.VIRTIOFSD), 10, after=line())
    assert "--reverse" not in arguments(tmp_path)
    assert "PRIORITY=3" not in arguments(tmp_path), "virtiofsd's errors are logged as info"


def test_the_stream_is_asked_for(tmp_path: Path) -> None:
    logs = journal(tmp_path, "echo ready; exec sleep 60")

    def asked(**options: object) -> set[str]:
        stream = logs.stream(ALL, **options)  # type: ignore[arg-type]
        select.select([stream], [], [], 10)
        stream.close()
        fixed = {"--no-pager", "--all", "--output=json"}
        return {word for word in arguments(tmp_path) if word.startswith("--")} - fixed

    fields = {word for word in asked() if word.startswith("--output-fields=")}
    assert asked(last=5) == {*fields, "--lines=5", "--follow"}
    assert asked(after=line()) == {*fields, "--after-cursor=s=1;i=2", "--follow", "--no-tail"}
    assert asked(follow=False) == fields


def test_a_page_ends_with_its_limit_and_journalctl_too(tmp_path: Path) -> None:
    (tmp_path / "line").write_bytes(line(_SYSTEMD_UNIT="microvm@web.service", MESSAGE="again") + b"\n")
    logs = journal(tmp_path, f"echo $$ >{tmp_path}/pid; while cat {tmp_path}/line; do :; done")
    assert len(logs.page(ALL, 100)) == 100
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_virtiofsd_is_filtered_by_what_it_says(tmp_path: Path) -> None:
    unit = "microvm-virtiofsd@web.service"
    said = [
        line(_SYSTEMD_UNIT=unit, PRIORITY="6", MESSAGE="virtiofsd-home [2026-11-25T18:40:17Z ERROR virtiofsd] no"),
        line(_SYSTEMD_UNIT=unit, PRIORITY="6", MESSAGE="virtiofsd-home [2026-11-25T18:40:17Z INFO virtiofsd] yes"),
        line(_SYSTEMD_UNIT=unit, PRIORITY="3", MESSAGE="of another kind"),
    ]
    logs = printing(tmp_path, b"\n".join(said) + b"\n")
    found = [logs.entry(one) for one in logs.page(LogFilter(level=WARNING), 10)]
    assert [(one.speaker, one.level) for one in found] == [("", ERROR), ("home", ERROR)]


def test_no_rights_are_told_with_the_group_that_gives_them(tmp_path: Path) -> None:
    hint = (
        "Hint: You are currently not seeing messages from other users and the system.\n"
        "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
    )
    for complaint in (hint, "No journal files were opened due to insufficient permissions.\n"):
        (tmp_path / "complaint").write_text(complaint)
        logs = journal(tmp_path, f"cat {tmp_path}/complaint >&2; exit 1")
        with pytest.raises(RightsMissingError, match="may not be read") as told:
            logs.page(ALL, 10)
        assert "systemd-journal" in told.value.hint


def test_what_journalctl_can_not_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="unrecognized option"):
        journal(tmp_path, "echo 'journalctl: unrecognized option' >&2; exit 1").page(ALL, 10)
    assert journal(tmp_path, "echo 'No journal files were found.' >&2").page(ALL, 10) == []
    with pytest.raises(MvtuiError, match="can't be run: No such file"):
        JournalLogs(["web"], program=str(tmp_path / "nothing")).page(ALL, 10)
    with pytest.raises(MvtuiError, match=r"within 0\.1 s"):
        journal(tmp_path, "exec sleep 60", timeout=0.1).page(ALL, 10)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("plain", "plain"),
        ([104, 105, 255, 27], "hi\udcff\x1b"),
        (["one", [116, 119, 111]], "one two"),
        (None, ""),
        (7, ""),
        ([300, -1], " "),
        ({}, ""),
    ],
)
def test_messages_of_any_form(message: object, text: str) -> None:
    assert entry(_SYSTEMD_UNIT="microvm@web.service", MESSAGE=message).message == text


@pytest.mark.parametrize("record", [b"", b"no json", b"[]", b"7", b"[" * 100_000, b'{"MESSAGE":', b"\xff\xfe"])
def test_what_is_no_record_is_shown_as_it_is(record: bytes) -> None:
    found = JournalLogs(["web"]).entry(record)
    assert found.message.encode(errors="surrogateescape") == record
    assert found.at is None


@pytest.mark.parametrize("field", ["__REALTIME_TIMESTAMP", "PRIORITY", "_SYSTEMD_UNIT", "UNIT", "_UID", "MVTUI_USER"])
@pytest.mark.parametrize("value", [None, [], {}, "", "x", 10**30, ["microvm@web.service"]])
def test_fields_may_have_any_form(field: str, value: object) -> None:
    assert entry(MESSAGE="hello", **{field: value}).message == "hello"


def test_who_calls_himself_mvtui() -> None:
    mine = {"SYSLOG_IDENTIFIER": "mvtui", "MVTUI_MICROVM": "web", "MVTUI_USER": "ann", "MESSAGE": "done"}
    assert entry(**mine, _UID="0", _SYSTEMD_UNIT="session-1.scope").speaker == "ann"
    assert entry(**mine, _UID="1000").speaker == "uid 1000"
    guest = entry(**mine, _UID="990", _SYSTEMD_UNIT="microvm@web.service")
    assert guest.source is LogSource.GUEST


def test_lines_that_never_end() -> None:
    splitter = LineSplitter(most=10_000)
    assert splitter.feed(b"a\nb") == [b"a"]
    assert splitter.feed(b"c\n") == [b"bc"]
    for _ in range(100):
        assert splitter.feed(b"x" * 5000) == []
        assert len(splitter._rest) <= 15_000
    long, after = splitter.feed(b"end\nafter\n")
    assert isinstance(long, LongLine)
    assert (long[:5], long[-3:], len(long) < 10_000) == (b"xxxxx", b"end", True)
    assert after == b"after"


def test_a_record_that_is_too_long_keeps_its_place(tmp_path: Path) -> None:
    long = line(_SYSTEMD_UNIT="microvm@web.service", MESSAGE='x"__CURSOR":"s=9"' + 5_000_000 * "y")
    logs = printing(tmp_path, long + b"\n" + line(MESSAGE="after", _SYSTEMD_UNIT="microvm@web.service") + b"\n")
    after, cut = logs.page(ALL, 10)
    assert logs.entry(after).message == "after"
    assert "too long" in logs.entry(cut).message
    assert json.loads(cut)["__CURSOR"] == "s=1;i=2"
    assert logs.entry(cut).source is LogSource.GUEST


def test_who_reads_nothing_is_waited_for(tmp_path: Path) -> None:
    """journalctl waits in the pipe; nothing piles up here."""
    logs = journal(tmp_path, 'exec yes \'{"MESSAGE":"again and again"}\'')
    stream = logs.stream(ALL)
    try:
        select.select([stream], [], [], 10)
        for _ in range(20):
            assert len(b"".join(stream.read() or [])) <= 2 << 20
    finally:
        stream.close()
    assert not Path(f"/proc/{stream.pid}").exists()

"""The journal's logs: what journalctl is asked, and what is made of what it says; with a stand-in for it. A real
journal is in tests/real/test_logs.py."""

import json
import select
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.journal_export import EntrySplitter, fields_of
from mvtui.host.journal_logs import JournalLogs
from mvtui.model.log import ERROR, INFO, WARNING, LogEntry, LogFilter, LogSource
from tests.exported import exported

# As json, which is easier on the eyes.
RECORDED = [json.loads(line) for line in Path(__file__).with_name("journal_recorded.jsonl").read_text().splitlines()]
ALL = LogFilter()


def journal(folder: Path, script: str, *microvms: str, timeout: float = 10) -> JournalLogs:
    program = folder / "journalctl"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{folder}/arguments\n{script}\n")
    program.chmod(0o755)
    return JournalLogs(microvms or ("web",), CallLog(), str(program), timeout=timeout)


def printing(folder: Path, entries: Sequence[bytes], *microvms: str) -> JournalLogs:
    (folder / "output").write_bytes(b"".join(one + b"\n\n" for one in entries))
    return journal(folder, f"exec cat {folder}/output", *microvms)


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


def line(**fields: str | bytes) -> bytes:
    return exported({"__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": "1795632017664557", **fields})


def entry(**fields: str | bytes) -> LogEntry:
    return JournalLogs(["web"]).entry(line(**fields))


def test_recorded(tmp_path: Path) -> None:
    logs = printing(tmp_path, [exported(one) for one in RECORDED], "git", "web")
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
    logs = printing(tmp_path, [])
    logs.page(ALL, 10)
    asked = arguments(tmp_path)
    assert {"--no-pager", "--all", "--output=export", "--reverse", "--lines=10"} <= set(asked)
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
    assert "--lines=10" not in asked, "not each of them is wanted, and these are not the last"
    logs.page(LogFilter(level=ERROR, source=LogSource.VIRTIOFSD), 10, after=line())
    assert "--reverse" not in arguments(tmp_path)
    assert "PRIORITY=3" not in arguments(tmp_path), "virtiofsd's errors are logged as info"


def test_the_stream_is_asked_for(tmp_path: Path) -> None:
    logs = journal(tmp_path, "echo ready; exec sleep 60")

    def asked(**options: object) -> set[str]:
        stream = logs.stream(ALL, **options)  # type: ignore[arg-type]
        select.select([stream], [], [], 10)
        stream.close()
        fixed = {"--no-pager", "--all", "--output=export"}
        return {word for word in arguments(tmp_path) if word.startswith("--")} - fixed

    fields = {word for word in asked() if word.startswith("--output-fields=")}
    assert asked(last=5) == {*fields, "--lines=5", "--follow"}
    assert asked(after=line()) == {*fields, "--after-cursor=s=1;i=2", "--follow", "--no-tail"}
    assert asked(follow=False) == fields


def test_a_page_ends_with_its_limit_and_journalctl_too(tmp_path: Path) -> None:
    (tmp_path / "line").write_bytes(line(_SYSTEMD_UNIT="microvm@web.service", MESSAGE="again") + b"\n\n")
    logs = journal(tmp_path, f"echo $$ >{tmp_path}/pid; while cat {tmp_path}/line; do :; done")
    assert len(logs.page(ALL, 100)) == 100
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_page_of_huge_entries_is_bounded(tmp_path: Path) -> None:
    """Any user can log them, with the name of a microVM; 5,000 of them would be 20 GiB."""
    (tmp_path / "line").write_bytes(line(SYSLOG_IDENTIFIER="mvtui", _UID="1000", MESSAGE="x" * (4_000_000)) + b"\n\n")
    logs = journal(tmp_path, f"while cat {tmp_path}/line; do :; done")
    records = logs.page(ALL, 60)
    assert len(records) == 60
    assert sum(map(len, records)) < 40 << 20
    assert logs.entry(records[-1]).message == "x" * 4_000_000  # the newest, which is looked at first
    assert "too long" in logs.entry(records[0]).message
    assert records[0].startswith(b"__CURSOR=")


def test_virtiofsd_is_filtered_by_what_it_says(tmp_path: Path) -> None:
    unit = "microvm-virtiofsd@web.service"
    said = [
        line(_SYSTEMD_UNIT=unit, PRIORITY="6", MESSAGE="virtiofsd-home [2026-11-25T18:40:17Z ERROR virtiofsd] no"),
        line(_SYSTEMD_UNIT=unit, PRIORITY="6", MESSAGE="virtiofsd-home [2026-11-25T18:40:17Z INFO virtiofsd] yes"),
        line(_SYSTEMD_UNIT=unit, PRIORITY="3", MESSAGE="of another kind"),
    ]
    logs = printing(tmp_path, said)
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


def test_messages_of_any_bytes() -> None:
    assert entry(MESSAGE=b"hi\xff\x1b").message == "hi\udcff\x1b"
    assert entry(MESSAGE="one\ntwo\n\n__CURSOR=s=9\n").message == "one\ntwo\n\n__CURSOR=s=9\n"
    assert entry(MESSAGE="").message == ""
    assert entry().message == ""
    logs = JournalLogs(["web"])
    assert logs.entry(line(MESSAGE="one") + b"\nMESSAGE=two").message == "one two"


@given(st.binary(max_size=300))
def test_what_is_no_record_does_no_harm(record: bytes) -> None:
    found = JournalLogs(["web"]).entry(record)
    assert isinstance(found.message, str)


@pytest.mark.parametrize("field", ["__REALTIME_TIMESTAMP", "PRIORITY", "_SYSTEMD_UNIT", "UNIT", "_UID", "MVTUI_USER"])
@pytest.mark.parametrize("value", ["", "x", "1" + 30 * "0", b"\xff\x00", "microvm@.service", "a\nb"])
def test_fields_may_have_any_form(field: str, value: str | bytes) -> None:
    assert entry(**{"MESSAGE": "hello", field: value}).message == "hello"


def test_who_calls_himself_mvtui() -> None:
    mine = {"MVTUI_MICROVM": "web", "MVTUI_USER": "ann", "MESSAGE": "done"}
    assert entry(**mine, _UID="0", _SYSTEMD_UNIT="session-1.scope").speaker == "ann"
    assert entry(**mine, _UID="1000").speaker == "uid 1000"
    guest = entry(**mine, _UID="990", _SYSTEMD_UNIT="microvm@web.service")
    assert guest.source is LogSource.GUEST


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=20) | st.binary(
    max_size=60
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["MESSAGE", "UNIT", "_UID"]), VALUES, min_size=1), max_size=6), st.data()
)
def test_entries_come_out_as_they_went_in(entries: list[dict[str, str | bytes]], data: st.DataObject) -> None:
    """However they are cut, and whatever bytes read like the end of one."""
    texts = [exported(one) for one in entries]
    whole = b"".join(text + b"\n\n" for text in texts)
    splitter, found = EntrySplitter(), []
    while whole:
        count = data.draw(st.integers(1, len(whole)))
        found += splitter.feed(whole[:count])
        whole = whole[count:]
    assert found == texts
    for text, fields in zip(found, entries, strict=True):
        told = {name: value.encode() if isinstance(value, str) else value for name, value in fields.items()}
        assert dict(fields_of(text)) == told


@pytest.mark.parametrize("ends", [b"x" * 50_000, b"\n\n__CURSOR=forged\n\n" * 3000], ids=["text", "bytes"])
@pytest.mark.parametrize("step", [700, 100_000])
def test_an_entry_that_is_too_long_keeps_its_place(ends: bytes, step: int) -> None:
    message = ends.decode() if b"\n" not in ends else ends
    whole = line(MESSAGE=message, _SYSTEMD_UNIT="microvm@web.service") + b"\n\n" + line(MESSAGE="after") + b"\n\n"
    splitter, found = EntrySplitter(most=10_000), []
    for start in range(0, len(whole), step):
        found += splitter.feed(whole[start : start + step])
        assert len(splitter._rest) <= 10_000 + step
    logs = JournalLogs(["web"])
    cut, after = [logs.entry(one) for one in found]
    assert after.message == "after"
    assert "too long" in cut.message
    assert cut.source is LogSource.GUEST
    assert found[0].startswith(b"__CURSOR=s=1;i=2\n")


def test_many_fields_are_cut_too() -> None:
    splitter = EntrySplitter(most=10_000)
    assert splitter.feed(b"__CURSOR=s=1\n") == []
    for _ in range(50):
        assert splitter.feed(b"MESSAGE=" + b"x" * 4000 + b"\n") == []
        assert len(splitter._rest) < 16_000
    (found,) = splitter.feed(b"\n")
    assert found.startswith(b"__CURSOR=s=1\nMESSAGE=xxx")


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

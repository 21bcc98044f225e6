"""What units said last: from a journal that a stand-in of journalctl has, from the logs of a keeper."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.host.last_words import from_journal, from_logs
from mvtui.model.closer import LastWords

AT = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
MICROVM, VIRTIOFSD = "microvm@web.service", "microvm-virtiofsd@web.service"
TAP = "microvm-tap-interfaces@web.service"


def line(unit: str, message: object) -> str:
    stamp = str(int(AT.timestamp() * 1e6))
    return json.dumps({"_SYSTEMD_UNIT": unit, "MESSAGE": message, "__REALTIME_TIMESTAMP": stamp})


def journal(tmp_path: Path, *newest_first: str) -> str:
    """A program that says these lines, whatever it is asked."""
    (tmp_path / "lines").write_text("\n".join(newest_first) + "\n")
    program = tmp_path / "journalctl"
    program.write_text(f"#!/bin/sh\nexec cat '{tmp_path}/lines'\n")
    program.chmod(0o755)
    return str(program)


def test_the_newest_line_of_each_unit_counts(tmp_path: Path) -> None:
    program = journal(
        tmp_path,
        line(MICROVM, "  "),
        line(VIRTIOFSD, "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-home entered FATAL state, too many retries"),
        line(MICROVM, "Could not open 'x.img': Permission denied"),
        line(VIRTIOFSD, "home: Error creating pid file"),
        line(VIRTIOFSD, "2026-08-01 12:00:00,000 INFO supervisord started with pid 7"),
        line(TAP, "ioctl(TUNSETIFF): Device or resource busy"),
        line(VIRTIOFSD, "2026-08-01 11:00:09,000 INFO gave up: virtiofsd-old entered FATAL state, too many retries"),
    )
    calls = CallLog()
    words = from_journal("web", calls, program)
    assert words.last == (
        LastWords(MICROVM, "Could not open 'x.img': Permission denied", AT),
        LastWords(VIRTIOFSD, "home: Error creating pid file", AT),
        LastWords(TAP, "ioctl(TUNSETIFF): Device or resource busy", AT),
    )
    assert words.gave_up == ("home",)
    assert "_SYSTEMD_UNIT=microvm@web.service" in calls.calls[0].what


def test_what_is_no_entry_says_nothing(tmp_path: Path) -> None:
    program = journal(tmp_path, "", "no json", "[]", "7", line(MICROVM, None), line(MICROVM, [97, 255, 98]))
    assert [one.text for one in from_journal("web", CallLog(), program).last] == ["a\ufffdb"]


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    (text,) = [one.text for one in from_journal("web", CallLog(), journal(tmp_path, line(MICROVM, "x" * 10**6))).last]
    assert len(text) == 300


@pytest.mark.parametrize("program", ["/nowhere/journalctl", "a\0b"])
def test_without_journalctl_nothing_is_known(program: str) -> None:
    assert from_journal("web", CallLog(), program).last == ()


def test_the_logs_of_a_keeper(tmp_path: Path) -> None:
    (tmp_path / "microvm.log").write_bytes(b"one\nqemu: no KVM\xff\n\n")
    (tmp_path / "virtiofsd.log").write_text(
        "2026-08-01 12:00:00,000 INFO supervisord started with pid 7\n"
        "[ERROR virtiofsd] no such directory\n"
        "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-home entered FATAL state, too many retries\n"
    )
    words = from_logs("web", tmp_path)
    texts = {one.unit: one.text for one in words.last}
    assert texts[VIRTIOFSD] == "[ERROR virtiofsd] no such directory"
    assert texts[MICROVM] == texts[TAP] == "qemu: no KVM\ufffd", "all else has one log"
    assert words.gave_up == ("home",)


def test_what_is_no_log_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "microvm.log").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "virtiofsd.log")
    assert from_logs("web", tmp_path).last == ()


def test_the_log_is_no_second_name_and_in_no_linked_directory(tmp_path: Path) -> None:
    """Who owns the state directory can make both, and would have root read what lies elsewhere."""
    secret = tmp_path / "secret" / "microvm.log"
    secret.parent.mkdir()
    secret.write_text("secret\n")
    (tmp_path / "linked").symlink_to(secret.parent)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "microvm.log").hardlink_to(secret)
    assert [from_logs("web", tmp_path / name).last for name in ("linked", "web")] == [(), ()]


def test_a_guest_can_t_say_that_virtiofsd_was_given_up(tmp_path: Path) -> None:
    (tmp_path / "microvm.log").write_text(
        "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-faked entered FATAL state, too many retries\n"
        "2026-08-01 12:00:00,000 INFO supervisord started with pid 7\n"
    )
    gave_up = "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-home entered FATAL state, too many retries\n"
    (tmp_path / "virtiofsd.log").write_text(gave_up)
    assert from_logs("web", tmp_path).gave_up == ("home",)

"""The console in the journal: which entries are asked for, and what journalctl may say, or do, instead."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.calls import CallLog
from mvtui.host.guest.console_journal import ConsoleJournal, invocation
from mvtui.model.guest import GuestStage

RUN = "0123456789abcdef0123456789abcdef"
KERNEL = b"[    0.000000] Linux version 6.12"
EMERGENCY = b"You are in emergency mode. After logging in"
FAILED = b"[\x1b[0;1;31mFAILED\x1b[0m] Failed to mount \x1b[0;1;39m/home\x1b[0m.\r"


def entry(number: int, message: bytes, *, at: int = 1_785_585_600) -> bytes:
    """One of journald's export format: what is no plain text has its length before it."""
    head = f"__CURSOR=s=x;i={number}\n__REALTIME_TIMESTAMP={at}000000\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=y\n".encode()
    plain = b"\n" not in message and all(byte >= 32 for byte in message)
    body = b"MESSAGE=" + message if plain else b"MESSAGE\n" + len(message).to_bytes(8, "little") + message
    return head + body + b"\n\n"


class Program:
    """A journalctl that gives what `answers` has for each call; the last one again and again."""

    def __init__(self, folder: Path, *answers: bytes | str) -> None:
        self._asked = folder / "asked"
        for number, answer in enumerate(answers):
            content = answer if isinstance(answer, bytes) else b""
            (folder / f"answer{number}").write_bytes(content)
        commands = "\n".join(
            f"[ $n = {n} ] && {{ {answer if isinstance(answer, str) else f'exec cat {folder}/answer{n}'}; }}"
            for n, answer in enumerate(answers)
        )
        self.path = folder / "journalctl"
        self.path.write_text(
            f'#!/bin/sh\nn=0; [ -e {self._asked} ] && n=$(wc -l <{self._asked})\necho "$*" >>{self._asked}\n'
            f"[ $n -ge {len(answers)} ] && n={len(answers) - 1}\n{commands}\n"
        )
        self.path.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        return self._asked.read_text().splitlines()


def journal(program: Program, seconds: float = 5.0) -> ConsoleJournal:
    return ConsoleJournal(CallLog(), str(program.path), seconds)


def test_what_this_run_has_shown(tmp_path: Path) -> None:
    program = Program(tmp_path, entry(1, KERNEL) + entry(2, FAILED) + entry(3, b"\xff\xfe\n\x00") + entry(4, EMERGENCY))
    position = journal(program).read("web", RUN, None)
    console = position.console
    assert (console.stage, console.problem, console.complete) == (GuestStage.EMERGENCY, "", True)
    assert console.since == datetime.fromtimestamp(1_785_585_600, UTC)
    assert [sign.subject for sign in console.signs] == ["/home"]
    (asked,) = program.asked
    assert asked.endswith(f"_SYSTEMD_UNIT=microvm@web.service _SYSTEMD_INVOCATION_ID={RUN}")
    assert "--output=export" in asked


def test_the_next_look_reads_on(tmp_path: Path) -> None:
    program = Program(tmp_path, entry(1, KERNEL) + entry(2, FAILED), entry(3, EMERGENCY), b"")
    reader = journal(program)
    first = reader.read("web", RUN, None)
    assert first.console.stage is GuestStage.BOOTING
    second = reader.read("web", RUN, first)
    assert second.console.stage is GuestStage.EMERGENCY
    assert len(second.console.signs) == 1
    assert reader.read("web", RUN, second) == second, "nothing came since"
    assert [("--after-cursor=" in line) for line in program.asked] == [False, True, True]
    assert "--after-cursor=s=x;i=3" in program.asked[2]


def test_nothing_there_is_not_known(tmp_path: Path) -> None:
    position = journal(Program(tmp_path, b"")).read("web", RUN, None)
    assert position.console.stage is GuestStage.UNKNOWN
    assert position.console.problem.startswith("there is nothing of its console in the journal")


def test_who_may_not_read_it_is_told_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    position = journal(Program(tmp_path, b"")).read("web", RUN, None)
    assert position.console.problem.endswith("may read (root and the group systemd-journal may read all)")


def test_no_journalctl(tmp_path: Path) -> None:
    position = ConsoleJournal(CallLog(), str(tmp_path / "none")).read("web", RUN, None)
    assert position.console.problem == f"{tmp_path}/none: No such file or directory"


def test_of_a_flood_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    last = entry(9, EMERGENCY) + entry(8, b"x")  # --reverse
    flood = entry(1, KERNEL) + entry(2, FAILED) + entry(3, b"x" * 4_000_000)
    program = Program(tmp_path, flood, last, b"")
    reader = journal(program)
    position = reader.read("web", RUN, None)
    console = position.console
    assert (console.stage, console.complete) == (GuestStage.EMERGENCY, False)
    assert [sign.subject for sign in console.signs] == ["/home"]
    assert "--reverse" in program.asked[1]
    reader.read("web", RUN, position)
    assert "--after-cursor=s=x;i=9" in program.asked[2]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("exec sleep 100", id="hangs"),
        pytest.param("exec yes", id="never ends"),
        pytest.param(b"\n" * 100_000, id="nothing but newlines"),
        pytest.param(b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\x7fabc\n\n", id="a length beyond all"),
        pytest.param(b"MESSAGE\n\x05", id="cut off in a length"),
        pytest.param(b"__CURSOR=\n__REALTIME_TIMESTAMP=" + b"9" * 5000 + b"\nMESSAGE=web login: \n\n", id="a bad time"),
    ],
)
def test_what_journalctl_should_not_do(tmp_path: Path, answer: bytes | str) -> None:
    began = time.monotonic()
    position = journal(Program(tmp_path, answer), 0.3).read("web", RUN, None)
    assert time.monotonic() - began < 3
    assert position.console.stage is GuestStage.UNKNOWN


def test_the_run_is_named_by_systemd(tmp_path: Path) -> None:
    units = tmp_path / "run/systemd/units"
    units.mkdir(parents=True)
    assert invocation(tmp_path, "web") is None
    (units / "invocation:microvm@web.service").symlink_to(RUN)
    (units / "invocation:microvm@bad.service").symlink_to("x --file=/etc/shadow")
    assert invocation(tmp_path, "web") == RUN
    assert invocation(tmp_path, "bad") is None
    assert invocation(tmp_path, "../web") is None


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    position = journal(Program(tmp_path, b"")).read("we\0b", RUN, None)
    assert position.console.problem.startswith("there is nothing of its console in the journal")

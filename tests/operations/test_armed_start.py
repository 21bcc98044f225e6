"""What runs before a hypervisor starts: once in a start, in bounded time, and never in the way unless that is asked."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import drop_ins
from mvtui.host.armed import made_path, note_made, read_arming, write_arming
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.overlay import Armed
from mvtui.operations.arming import AtStart, arm, reset_if_armed
from mvtui.operations.overlay import ResetOutcome
from tests.operations.armable import armable, drop_in, good, refused, units_of
from tests.operations.sample import WEB

SOON = 10.0


@dataclass
class Resets:
    """What resets come to, in their order; those that were made."""

    come_to: list[ResetOutcome | MvtuiError] = field(default_factory=list)
    made: list[tuple[str, bool]] = field(default_factory=list)

    async def run(self, host: Host, name: str, on_progress: object = None, *, starting: bool = False) -> ResetOutcome:
        self.made.append((name, starting))
        outcome = self.come_to.pop(0) if self.come_to else good(name)
        if isinstance(outcome, MvtuiError):
            raise outcome
        return outcome


@pytest.fixture
def resets(monkeypatch: pytest.MonkeyPatch) -> Resets:
    made = Resets()
    monkeypatch.setattr("mvtui.operations.overlay.run_reset", made.run)
    return made


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    return armable(tmp_path, monkeypatch)


def image(host: Host) -> Path:
    return host.on_disk("/microvms/web/nix-store-overlay.img")


async def start(host: Host, monkeypatch: pytest.MonkeyPatch, invocation: str, *, strict: bool = False) -> AtStart:
    monkeypatch.setenv("INVOCATION_ID", invocation)
    return await reset_if_armed(host, "web", strict=strict)


async def test_what_is_not_armed_is_left_alone(host: Host, resets: Resets) -> None:
    outcome, code, hangs, _ = await reset_if_armed(host, "web", strict=True)
    assert (outcome.nothing, code, hangs) == (True, ExitCode.OK, False)
    assert resets.made == []


async def test_once_is_spent_by_a_good_reset(host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch) -> None:
    await arm(host, "web", Armed.ONCE)
    outcome, code, *_ = await start(host, monkeypatch, "a")
    assert (outcome.ok, code) == (True, ExitCode.OK)
    assert resets.made == [("web", True)], "its own start waits for it"
    assert read_arming(host.records, "web") is None
    assert (await start(host, monkeypatch, "b")).outcome.nothing
    assert len(resets.made) == 1
    # A reload with the command gone would end the start where it is (systemd drops the commands that follow).
    assert drop_in(host).exists()
    assert units_of(host).reloads == 1


async def test_always_stays(host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch) -> None:
    await arm(host, "web", Armed.ALWAYS)
    for invocation in ("a", "b", "c"):
        assert (await start(host, monkeypatch, invocation)).outcome.ok
    assert len(resets.made) == 3


async def test_the_second_within_one_start_does_nothing(
    host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arm(host, "web", Armed.ALWAYS)
    resets.come_to = [good(), refused()]
    await start(host, monkeypatch, "a")
    assert (await start(host, monkeypatch, "a", strict=True)) == AtStart(
        ResetOutcome("web", "armed reset", False, "web: its armed reset had its turn within this start", nothing=True),
        ExitCode.OK,
    )
    await start(host, monkeypatch, "b")
    assert (await start(host, monkeypatch, "b")).outcome.nothing, "nor after one that was refused"
    assert len(resets.made) == 2


async def test_a_refusal_is_on_record_until_the_next_good_one(
    host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arm(host, "web", Armed.ONCE)
    resets.come_to = [refused()]
    outcome, code, *_ = await start(host, monkeypatch, "a")
    assert (outcome.refused, code) == (True, ExitCode.OK), "it starts"
    arming = read_arming(host.records, "web")
    assert arming is not None, "a refused one does not spend it"
    assert arming.refused == "qemu has it open"
    assert arming.refused_at is not None
    await start(host, monkeypatch, "b")
    assert read_arming(host.records, "web") is None

    await arm(host, "web", Armed.ALWAYS)
    resets.come_to = [refused()]
    await start(host, monkeypatch, "c")
    await start(host, monkeypatch, "d")
    arming = read_arming(host.records, "web")
    assert arming is not None
    assert (arming.refused, arming.refused_at) == ("", None)


@pytest.mark.parametrize("by", ["record", "option"])
@pytest.mark.parametrize(
    ("comes_to", "code"),
    [
        (refused(), ExitCode.REFUSED),
        (ResetOutcome("web", "reset", False, "web: mkfs failed"), ExitCode.FAILED),
        (RightsMissingError("not root", "sudo"), ExitCode.REFUSED),
        (MvtuiError("no bus"), ExitCode.FAILED),
    ],
)
async def test_strict_keeps_it_from_starting(
    host: Host,
    resets: Resets,
    by: str,
    comes_to: ResetOutcome | MvtuiError,
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await arm(host, "web", Armed.ALWAYS, strict=by == "record")
    resets.come_to = [comes_to]
    assert (await start(host, monkeypatch, "a", strict=by == "option")).exit_code == code
    await arm(host, "web", Armed.ALWAYS)
    resets.come_to = [comes_to]
    assert (await start(host, monkeypatch, "b")).exit_code == ExitCode.OK


async def test_nothing_to_reset_spends_once(host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image is not there yet, so that the start makes one: as empty as a reset would."""
    await arm(host, "web", Armed.ONCE, strict=True)
    resets.come_to = [ResetOutcome("web", "reset", False, "web: the first start makes it", nothing=True)]
    assert (await start(host, monkeypatch, "a")).exit_code == ExitCode.OK
    assert read_arming(host.records, "web") is None


async def test_what_was_armed_otherwise_meanwhile_is_not_spent(
    host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arm(host, "web", Armed.ONCE)

    async def run(*_: object, **__: object) -> ResetOutcome:
        await arm(host, "web", Armed.ALWAYS)
        return good()

    monkeypatch.setattr("mvtui.operations.overlay.run_reset", run)
    await start(host, monkeypatch, "a")
    arming = read_arming(host.records, "web")
    assert arming is not None
    assert arming.how is Armed.ALWAYS


async def test_what_was_disarmed_meanwhile_stays_so(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    await arm(host, "web", Armed.ALWAYS)

    async def run(*_: object, **__: object) -> ResetOutcome:
        await arm(host, "web", None)
        return refused()

    monkeypatch.setattr("mvtui.operations.overlay.run_reset", run)
    assert (await start(host, monkeypatch, "a")).outcome.refused
    assert read_arming(host.records, "web") is None


async def test_what_can_not_be_noted_is_not_begun(host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be spent either."""
    await arm(host, "web", Armed.ONCE)

    def full(*_: object) -> None:
        raise MvtuiError("records/armed/web can't be written: no space left on device")

    monkeypatch.setattr("mvtui.operations.armed_start.write_arming", full)
    outcome, code, *_ = await start(host, monkeypatch, "a")
    assert "no space left" in outcome.words
    assert code == ExitCode.OK
    assert resets.made == []


async def test_a_damaged_record_does_not_keep_it_from_starting(
    host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arm(host, "web", Armed.ONCE)
    (host.records / "armed/web").write_text("{")
    outcome, code, *_ = await start(host, monkeypatch, "a")
    assert "is no record that this mvtui understands" in outcome.words
    assert code == ExitCode.OK
    assert (await start(host, monkeypatch, "b", strict=True)).exit_code == ExitCode.FAILED
    assert resets.made == []


async def test_an_overlay_that_nobody_used_stays(host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept would be a blank one."""
    await arm(host, "web", Armed.ALWAYS)
    image(host).write_bytes(b"new")
    note_made(host.records, "web", str(image(host)))
    outcome, code, *_ = await start(host, monkeypatch, "a")
    assert (outcome.nothing, code) == (True, ExitCode.OK)
    assert "nobody has used its overlay" in outcome.words
    assert resets.made == []
    image(host).write_bytes(b"use")
    await start(host, monkeypatch, "b")
    assert len(resets.made) == 1


async def test_another_overlay_than_the_one_that_was_made_is_reset(
    host: Host, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The definition has another image now."""
    await arm(host, "web", Armed.ALWAYS)
    other = image(host).with_name("old.img")
    other.write_bytes(b"new")
    note_made(host.records, "web", str(other))
    await start(host, monkeypatch, "a")
    assert len(resets.made) == 1


@pytest.mark.parametrize("use", ["write", "times", "chmod", "replace", "rename", "remove", "grow"])
def test_every_use_is_seen(tmp_path: Path, use: str) -> None:
    file = tmp_path / "image"
    file.write_bytes(b"0" * 4096)
    note_made(tmp_path / "records", "web", str(file))
    assert made_path(tmp_path / "records", "web") == str(file)
    facts = file.stat()
    # A file system's clock moves in steps of some milliseconds.
    before = facts.st_ctime_ns
    while True:
        (tmp_path / "probe").touch()
        if (tmp_path / "probe").stat().st_ctime_ns > before:
            break
    match use:
        case "write" | "times":
            with file.open("r+b") as opened:
                opened.write(b"1")
            if use == "times":
                os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        case "chmod":
            file.chmod(0o600)
        case "replace":
            (tmp_path / "other").write_bytes(b"0" * 4096)
            os.replace(tmp_path / "other", file)
        case "rename":
            os.rename(file, tmp_path / "other")
            os.rename(tmp_path / "other", file)
        case "remove":
            file.unlink()
        case "grow":
            os.truncate(file, 8192)
    assert made_path(tmp_path / "records", "web") is None


def test_reading_is_no_use(tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(b"0" * 4096)
    note_made(tmp_path / "records", "web", str(file))
    assert file.read_bytes()
    assert made_path(tmp_path / "records", "web") == str(file)


async def test_a_bus_that_hangs(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    await arm(host, "web", Armed.ONCE)

    async def run(*_: object, **__: object) -> ResetOutcome:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("mvtui.operations.overlay.run_reset", run)
    began = time.monotonic()
    outcome, code, hangs, _ = await asyncio.wait_for(reset_if_armed(host, "web", seconds=0.2), SOON)
    assert time.monotonic() - began < SOON / 2
    assert (outcome.ok, code, hangs) == (False, ExitCode.OK, True)
    assert outcome.words == "web: no reset: it is not done after 0.2 s"
    arming = read_arming(host.records, "web")
    assert arming is not None
    assert arming.refused == "it is not done after 0.2 s"
    assert read_changes(host.records)[-1].result == outcome.words
    assert (await reset_if_armed(host, "web", strict=True, seconds=0.2)).exit_code == ExitCode.FAILED


async def test_a_thread_that_hangs_and_can_not_be_cancelled(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    await arm(host, "web", Armed.ONCE)
    release = threading.Event()
    monkeypatch.setattr("mvtui.operations.armed_start.made_path", lambda *_: release.wait() and None)
    at_start = await asyncio.wait_for(reset_if_armed(host, "web", seconds=0.2), SOON)
    assert at_start.hangs
    release.set()


def test_the_process_is_left_whatever_hangs() -> None:
    """A thread that hangs, as on a dead mount, and an event loop that would wait for it."""
    program = """
import asyncio, sys, threading
from mvtui.operations.arming import leave
async def main():
    asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))
    await asyncio.sleep(0)
    print("said", end="")
    leave(3)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SOON, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "said", "")


def test_a_process_that_can_not_even_leave_is_killed() -> None:
    program = """
import time
from mvtui.operations import armed_start
armed_start.ARMED_SECONDS = armed_start._GRACE_SECONDS = 0.1
armed_start.give_up_later()
while True:
    time.sleep(100)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=SOON, check=False)
    assert ended.returncode == -14


def test_the_whole_time_is_far_below_what_systemd_gives_a_start() -> None:
    from mvtui.operations import armed_start

    assert armed_start.ARMED_SECONDS + armed_start._GRACE_SECONDS < 150 / 3


async def test_a_drop_in_of_a_start_that_nobody_armed_is_harmless(host: Host, resets: Resets) -> None:
    drop_ins.write(host, "web", ["/usr/bin/mvtui"], persistent=False, strict=True)
    assert (await reset_if_armed(host, "web", strict=True)).exit_code == ExitCode.OK


async def test_an_overlay_that_is_in_memory_by_now(
    tmp_path: Path, resets: Resets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was armed, and then built anew without one."""
    host = armable(tmp_path, monkeypatch)
    await arm(host, "web", Armed.ALWAYS, strict=True)
    arming = read_arming(host.records, "web")
    assert arming is not None
    moved = armable(tmp_path / "again", monkeypatch, WEB._replace(volumes=()))
    write_arming(moved.records, "web", arming)
    monkeypatch.undo()
    assert (await reset_if_armed(moved, "web")).outcome.nothing

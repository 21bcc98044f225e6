"""The record of calls: what begins and ends, what is one entry, what is never pushed out."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.calls import LIMIT, CallLog
from mvtui.model.call import Call, CallKind

DBUS, COMMAND = CallKind.DBUS, CallKind.COMMAND


def whats(log: CallLog) -> list[str]:
    return [call.what for call in log.calls]


def only(log: CallLog) -> Call:
    (call,) = log.calls
    return call


def test_it_runs_until_it_is_ended() -> None:
    log = CallLog()
    before = datetime.now(UTC)
    running = log.call(COMMAND, "true")
    call = only(log)
    assert (call.kind, call.what, call.seconds, call.ok, call.result, call.times) == (
        COMMAND,
        "true",
        None,
        None,
        "",
        1,
    )
    assert before <= call.at <= datetime.now(UTC)
    running.end("exit 0")
    ended = only(log)
    assert (ended.at, ended.ok, ended.result) == (call.at, True, "exit 0")
    assert ended.seconds is not None
    assert ended.seconds >= 0
    running.end("exit 1", ok=False)
    assert only(log) == ended


def test_block_that_says_nothing_is_done() -> None:
    log = CallLog()
    with log.call(DBUS, "Subscribe"):
        assert only(log).ok is None
    assert (only(log).ok, only(log).result) == (True, "done")


@pytest.mark.parametrize(
    ("error", "ok", "result"),
    [
        (MvtuiError("it is down", "start it"), False, "it is down"),
        (ValueError("bad\nvalue"), False, "bad\nvalue"),
        (TimeoutError(), False, "TimeoutError"),
        (asyncio.CancelledError(), None, "not waited for"),
        (KeyboardInterrupt(), None, "not waited for"),
    ],
)
def test_block_that_is_left_by_an_error(error: BaseException, ok: bool | None, result: str) -> None:
    log = CallLog()
    with pytest.raises(type(error)), log.call(DBUS, "Reload"):
        raise error
    assert (only(log).ok, only(log).result) == (ok, result)
    assert only(log).seconds is not None


async def test_cancelled_task_leaves_no_call_that_runs() -> None:
    log = CallLog()

    async def wait() -> None:
        with log.call(COMMAND, "sleep infinity"):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    assert only(log).seconds is None
    task.cancel()
    await asyncio.wait([task])
    assert (only(log).ok, only(log).result) == (None, "not waited for")


def test_same_poll_is_one_entry_at_its_newest_place() -> None:
    log = CallLog()
    log.call(DBUS, "List", poll=True).end("1 unit")
    first = only(log)
    log.call(DBUS, "StopUnit web").end("job 1")
    log.call(COMMAND, "List", poll=True).end("another kind")
    log.call(DBUS, "List", poll=True).end("no answer", ok=False)
    assert whats(log) == ["StopUnit web", "List", "List"]
    last = log.calls[-1]
    assert (last.kind, last.times, last.ok, last.result) == (DBUS, 2, False, "no answer")
    assert last.at >= first.at


def test_same_action_stays_two() -> None:
    log = CallLog()
    log.call(DBUS, "StopUnit web").end("job 1")
    log.call(DBUS, "StopUnit web", poll=True).end("job 2")
    log.call(DBUS, "StopUnit web").end("job 3")
    assert [call.result for call in log.calls] == ["job 1", "job 2", "job 3"]


def test_late_end_of_a_poll_that_was_made_again_does_not_count() -> None:
    log = CallLog()
    slow, quick = log.call(DBUS, "List", poll=True), log.call(DBUS, "List", poll=True)
    quick.end("2 units")
    slow.end("1 unit")
    assert (only(log).result, only(log).times) == ("2 units", 2)


def test_polls_push_out_no_action() -> None:
    log = CallLog(100)
    log.call(DBUS, "StopUnit web").end("job 1")
    for number in range(1000):
        log.call(DBUS, f"Get ({number} properties)", poll=True).end("")
    assert whats(log) == ["StopUnit web", *(f"Get ({number} properties)" for number in range(990, 1000))]


def test_oldest_actions_go() -> None:
    log = CallLog()
    poll, early = log.call(DBUS, "List", poll=True), log.call(COMMAND, "early")
    for number in range(LIMIT):
        log.call(COMMAND, f"echo {number}").end("exit 0")
    early.end("exit 0")
    poll.end("3 units")
    assert len(log.calls) <= LIMIT
    assert whats(log)[0] == "List"
    assert whats(log)[-1] == f"echo {LIMIT - 1}"
    assert "early" not in whats(log)


def test_from_many_threads() -> None:
    log = CallLog(10_000)

    def work(name: str) -> None:
        for number in range(500):
            with log.call(COMMAND, f"{name} {number}"), log.call(DBUS, "List", poll=True):
                assert log.calls

    threads = [threading.Thread(target=work, args=(str(each),)) for each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.calls) == 8 * 500 + 1
    assert next(call.times for call in log.calls if call.what == "List") == 8 * 500
    assert all(call.ok for call in log.calls)

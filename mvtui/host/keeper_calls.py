"""Starting a keeper and hearing what it says, and ending one; each goes on record."""

import asyncio
import json
import os
import shlex
import signal
import subprocess

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.calls import CallLog
from mvtui.host.keeper import Order
from mvtui.host.keeper_process import is_alive
from mvtui.host.readable import readable
from mvtui.model.call import CallKind

_MAX_ANSWER_BYTES = 1 << 16


async def ask_new_keeper(calls: CallLog, order: Order) -> dict[str, str]:
    """Start a keeper and wait for what it says of its first job: `result` and `words`. Raises MvtuiError where it
    refuses or dies."""
    command = order.command()
    with calls.call(CallKind.COMMAND, shlex.join(command)) as call:
        said = _understood(order.microvm, await _launch_and_hear(command))
        call.end(f"{order.action} {order.microvm}: {said['result']}", ok=said["result"] == "done")
    return said


async def signal_and_wait(calls: CallLog, pid: int, start: int, number: signal.Signals) -> None:
    """Signal the keeper that had `pid` and `start`, and wait for its end. Raises RightsMissingError."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if is_alive(pid, start):
            with calls.call(CallKind.COMMAND, f"kill -{number.name.removeprefix('SIG')} {pid}") as call:
                await _end_by_signal(pid, pidfd, number)
                call.end("ended")
    finally:
        os.close(pidfd)


async def _launch_and_hear(command: list[str]) -> bytes:
    """Start a keeper; all it says, which ends with its first job."""
    reader, writer = os.pipe()
    try:
        await asyncio.to_thread(_launch, command, writer)
        return await _read_to_end(reader)
    finally:
        os.close(reader)


def _understood(name: str, text: bytes) -> dict[str, str]:
    """What the keeper of microVM `name` said. Raises MvtuiError where it refused, or died before it could speak."""
    try:
        said = json.loads(text)
    except ValueError:
        lines = text.decode(errors="replace").strip().splitlines() or ["it was killed"]
        raise MvtuiError(f"{name}: its keeper ended without a word: {lines[-1]}") from None
    if said["result"] == "refused":
        raise MvtuiError(f"{name}: {said['words']}", said["hint"])
    return dict(said)


def _launch(command: list[str], writer: int) -> None:
    """Start a keeper, in a session of its own and as nobody's child; closes `writer`, its standard output."""
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            cwd="/",
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise MvtuiError(f"{command[0]}: {error.strerror}") from None
    finally:
        os.close(writer)


async def _read_to_end(descriptor: int) -> bytes:
    text = b""
    while len(text) < _MAX_ANSWER_BYTES:
        await readable(descriptor)
        more = os.read(descriptor, _MAX_ANSWER_BYTES)
        if not more:
            break
        text += more
    return text


async def _end_by_signal(pid: int, pidfd: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return
    except PermissionError:
        raise RightsMissingError(f"the keeper (pid {pid}) is another user's", "run mvtui as root (sudo)") from None
    await readable(pidfd)

"""`mvtui list --watch`: the list once, then a line for each change; nothing is ever written over."""

import argparse
import asyncio
import json
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any

from mvtui.cli.change_report import change_documents, change_lines
from mvtui.cli.glyphs import of_stdout
from mvtui.cli.life_report import iso_time
from mvtui.cli.looking import CPU_SECONDS, only, say_findings
from mvtui.cli.output import terminal_columns
from mvtui.cli.plain import list_lines
from mvtui.cli.report import SCHEMA, list_document
from mvtui.cli.settled import settings_of
from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.operations.monitor import in_daemon_thread
from mvtui.operations.watching import Told, watch

# 128 + SIGPIPE
_CLOSED = 141


async def run_watch(host: Host, args: argparse.Namespace) -> int:
    """Tell what changes until a signal ends it (128 and its number), or nobody reads any more. Raises MvtuiError for a
    name that no microVM has, and where the output can't be written."""
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    work = asyncio.ensure_future(_tell(host, args))
    try:
        with _signals(ended), _reader(ended):
            either: set[asyncio.Future[Any]] = {work, ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            return ended.result()
        await work  # it raises why it has ended
        raise AssertionError("nothing ends it")
    except BrokenPipeError:
        return _CLOSED
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError, MvtuiError, BrokenPipeError):
            await work
        await host.units.close()
        host.processes.close()


async def _tell(host: Host, args: argparse.Namespace) -> None:
    names, settings = frozenset(args.names) or None, settings_of(args)
    day = ""
    looks = watch(
        host,
        interval=settings.interval,
        names=names,
        record=not settings.read_only,
        cpu=CPU_SECONDS if args.cpu else 0.0,
    )
    async with aclosing(looks) as source:
        async for told in source:
            lines = _first(told, args) if told.first is not None else []
            if args.json:
                lines += [json.dumps(document) for document in change_documents(told.at, told.changes)]
            else:
                at = told.at.astimezone()
                # The first of another day has its date.
                clock = f"{at:%H:%M:%S}" if f"{at:%Y-%m-%d}" == day or not day else f"{at:%Y-%m-%d %H:%M:%S}"
                day = f"{at:%Y-%m-%d}"
                lines += of_stdout(settings_of(args).ascii).lines(change_lines(clock, told.changes))
            await _write(lines)
            if told.first is not None:
                say_findings(told.first.findings)


def _first(told: Told, args: argparse.Namespace) -> list[str]:
    assert told.first is not None
    snapshot = only(told.first, args.names)
    if args.json:
        return [json.dumps({"schema": SCHEMA, "at": iso_time(told.at), "kind": "list", **list_document(snapshot)})]
    return list_lines(
        snapshot, of_stdout(settings_of(args).ascii)._replace(marks=False, colour=False), told.at, terminal_columns()
    )


async def _write(lines: Sequence[str]) -> None:
    """All of them, at once. A terminal that stands still (^S) or a pipe that is full holds up no signal."""
    descriptor, encoding = sys.stdout.fileno(), sys.stdout.encoding or "utf-8"
    data = memoryview("".join(f"{line}\n" for line in lines).encode(encoding, errors="replace"))
    room = select.poll()
    room.register(descriptor, select.POLLOUT)

    def write() -> None:
        left = data
        while left:
            with suppress(BlockingIOError):  # who has made it so (ssh does) shares it with us
                left = left[os.write(descriptor, left) :]
            if left:
                room.poll()

    try:
        await in_daemon_thread(write)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MvtuiError(f"the output can't be written: {error.strerror}") from None


@contextmanager
def _signals(ended: "asyncio.Future[int]") -> Iterator[None]:
    """Each of them ends it; but those that were ignored when it began (nohup, `&` of a script) stay so."""
    loop = asyncio.get_running_loop()
    taken = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in taken:
        loop.add_signal_handler(number, _end, ended, 128 + number)
    try:
        yield
    finally:
        for number in taken:
            loop.remove_signal_handler(number)


@contextmanager
def _reader(ended: "asyncio.Future[int]") -> Iterator[None]:
    """That nobody reads any more ends it, though there is nothing to write."""
    loop = asyncio.get_running_loop()
    with select.epoll() as poll:
        try:
            poll.register(sys.stdout.fileno(), 0)  # errors and hang-ups alone
        except PermissionError:  # a file: it has no reader
            yield
            return
        loop.add_reader(poll.fileno(), _end, ended, _CLOSED)
        try:
            yield
        finally:
            loop.remove_reader(poll.fileno())


def _end(ended: "asyncio.Future[int]", code: int) -> None:
    if not ended.done():
        ended.set_result(code)

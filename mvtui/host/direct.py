"""The units where no systemd runs: one keeper per microVM does what they do; this starts, asks and reads the keepers.

Run directory of root's keepers: see mvtui.host.run_directory. Of anybody else's: STATE_DIR/.mvtui/direct, since a run
directory of the login would go with the login, and microVMs stay.
"""

import os
import pwd
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.aside import aside
from mvtui.host.calls import CallLog
from mvtui.host.direct_status import is_active, unit_statuses
from mvtui.host.keeper_group import ArmedReset, Timings
from mvtui.host.keeper_status import STATUS_FILE, live_keeper, read_status
from mvtui.host.run_directory import run_directory
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb, parse_unit_name, unit_name

_CHANGE_POLL_SECONDS = 2.0
_BUSY_POLL_SECONDS = 0.05
_BUSY_SECONDS = 5.0
_END_SIGNALS = {UnitVerb.STOP: signal.SIGTERM, UnitVerb.KILL: signal.SIGUSR1}
_PAST = {UnitVerb.STOP: "stopped", UnitVerb.KILL: "killed"}


class DirectUnits:
    """`Units` without systemd. Nothing of it runs while nobody asks; the keepers outlive it.

    `state_dir` is the host's path, `root` what is put before it, `timings` the units' times in seconds. `records` are
    the host's, where a keeper finds what is armed; None where nothing can be.
    Keepers that it starts and signals go on record in `calls`.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        root: Path = Path("/"),
        timings: Timings | None = None,
        calls: CallLog | None = None,
        records: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self._options = options
        self._state_dir = os.path.realpath(root / str(state_dir).lstrip("/"))
        self._timings = timings or Timings()
        self._calls = calls or CallLog()
        self._records = records
        self._state_dir_as_named = str(state_dir)  # the records are found by it
        of_root = run_directory(self._state_dir, root)
        of_user = (self._state_dir, [".mvtui", "direct"])
        self._own_base, self._own_parts = of_root if os.geteuid() == 0 else of_user
        # A user sees what root's keepers say; root believes nobody but root.
        readable = [of_root] if os.geteuid() == 0 else [of_root, of_user]
        self._directories = [os.path.join(base, *parts) for base, parts in readable]

    @property
    def manager(self) -> str:
        """`direct`."""
        return "direct"

    async def statuses(self) -> Mapping[str, UnitStatus]:
        """What the keepers say, and of a microVM whose keeper was killed what still lives.
        Raises MvtuiError for a status that can't be read or understood."""
        return await aside(self._statuses)

    async def run_job(self, verb: UnitVerb, unit: str) -> JobResult:
        """The units of a microVM start and end together: any of them stands for all.

        `stop` of one that failed forgets the failure. Raises RightsMissingError, MvtuiError."""
        parsed = parse_unit_name(unit)
        if parsed is None or parsed[1] in (".", "..") or any(char in parsed[1] for char in "/\0"):
            raise MvtuiError(f"{unit} is no unit of a microVM")
        name = parsed[1]
        await aside(self._check_rights, name)
        if verb is UnitVerb.RESTART:
            await self._end(UnitVerb.STOP, unit, name)
            return await self._start(unit, name)
        if verb is UnitVerb.START:
            return await self._start(unit, name)
        return await self._end(verb, unit, name)

    @property
    def can_cancel(self) -> bool:
        """False: a keeper has no queue."""
        return False

    async def cancel(self, microvm: str) -> str:
        """Raises MvtuiError."""
        raise MvtuiError(f"{microvm} has no job to cancel: no systemd runs it", "stop ends a start that is under way")

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:  # noqa: ARG002
        """`()`: a keeper knows by itself what it has to do."""
        return ()

    async def reload(self) -> None:
        """Nothing is read twice."""

    async def free_apart(self, microvm: str, argv: Sequence[str]) -> None:
        """Nothing: a keeper that has run an armed reset does it by itself."""

    async def changes(self) -> AsyncIterator[None]:
        """Yields when a keeper has written. Looks every two seconds: jobs are waited for otherwise."""
        import asyncio  # noqa: PLC0415 - it takes time to import, and to look once needs none

        seen = await aside(self._marks)
        while True:
            await asyncio.sleep(_CHANGE_POLL_SECONDS)
            now = await aside(self._marks)
            if now != seen:
                seen = now
                yield

    async def close(self) -> None:
        """Nothing is held."""

    def _check_rights(self, name: str) -> None:
        path = os.path.join(self._state_dir, name)
        try:
            owner = os.lstat(path).st_uid
        except OSError as error:
            if self._document(name) is not None:  # its keeper has the directory open, wherever that was moved
                return
            raise MvtuiError(f"{path}: {error.strerror}") from None
        if os.geteuid() not in (0, owner):
            user = _user_name(owner)
            raise RightsMissingError(f"{path} belongs to {user}", f"run mvtui as {user} or as root (sudo)")

    def _marks(self) -> list[int]:
        marks = []
        for directory in self._directories:
            try:
                marks.append(os.stat(directory).st_mtime_ns)
            except OSError:
                marks.append(0)
        return marks

    def _statuses(self) -> dict[str, UnitStatus]:
        statuses: dict[str, UnitStatus] = {}
        for directory in self._directories:
            try:
                names = os.listdir(directory)
            except OSError:
                continue
            for name in names:
                document = _read_last_word(os.path.join(directory, name, STATUS_FILE))
                for status in unit_statuses(name, document, self._timings) if document is not None else ():
                    statuses[status.name] = status
        return statuses

    async def _start(self, unit: str, name: str) -> JobResult:
        document = await aside(self._document, name)
        if document is not None and live_keeper(document) and is_active(document):
            return JobResult(unit, "done", f"{name}: runs already")
        said = await self._ask_new_keeper("start", name)
        if said["result"] == "busy":
            who = f"mvtui's keeper (pid {said['words']})" if said["words"] else "another keeper"
            return JobResult(unit, "canceled", f"{name}: {who} is at work on it")
        if said["result"] == "done":
            return JobResult(unit, "done", f"{name}: started")
        result = said["result"]
        word = result if result in ("skipped", "canceled") else "failed"
        return JobResult(unit, result, f"{name}: {word}: {said['words']}")

    async def _end(self, verb: UnitVerb, unit: str, name: str) -> JobResult:
        import asyncio  # noqa: PLC0415

        give_up = time.monotonic() + _BUSY_SECONDS
        while True:
            document = await aside(self._document, name)
            keeper = live_keeper(document) if document is not None else None
            if document is not None and keeper is not None:
                await self._signal_and_wait(keeper, document["keeper"][1], _END_SIGNALS[verb])
                document = await aside(self._document, name)
                if document is None or not is_active(document):
                    break
                continue  # it was killed before it could do what it was asked
            said = await self._ask_new_keeper(verb.value, name)
            if said["result"] == "done":
                break
            if time.monotonic() > give_up:
                raise MvtuiError(f"{name}: another keeper is at work on it and does not say so")
            await asyncio.sleep(_BUSY_POLL_SECONDS)
        document = await aside(self._document, name)
        for kind, facts in (document or {"units": {}})["units"].items():
            if facts["active_state"] == "failed":
                words = f"{name}: {_PAST[verb]}, but {unit_name(UnitKind(kind), name)} failed: {facts['result']}"
                return JobResult(unit, "done", words)
        return JobResult(unit, "done", f"{name}: {_PAST[verb]}")

    async def _signal_and_wait(self, pid: int, start: int, number: signal.Signals) -> None:
        from mvtui.host.keeper_calls import signal_and_wait  # noqa: PLC0415

        await signal_and_wait(self._calls, pid, start, number)

    def _document(self, name: str) -> dict[str, Any] | None:
        return _read(os.path.join(self._own_base, *self._own_parts, name, STATUS_FILE))

    async def _ask_new_keeper(self, action: str, name: str) -> dict[str, str]:
        # Both take time to import, and to look needs none of them.
        from mvtui.host.keeper import Order  # noqa: PLC0415
        from mvtui.host.keeper_calls import ask_new_keeper  # noqa: PLC0415

        order = Order(
            action,
            self._state_dir,
            name,
            self._own_base,
            self._own_parts,
            self._timings,
            await aside(self._armed_reset, name),
        )
        return await ask_new_keeper(self._calls, order)

    def _armed_reset(self, name: str) -> ArmedReset:
        """For the keeper; where others than root could change what root would run, nothing can be armed (`mvtui arm`
        says so)."""
        from mvtui.host.own_program import lasting_argv  # noqa: PLC0415 - as above

        if self._records is None:
            return ArmedReset()
        try:
            program = lasting_argv()
        except MvtuiError:
            return ArmedReset(str(self._records))
        where = ["--manager", "direct", "--state-dir", self._state_dir_as_named, *self._options]
        reset, free = ((*program, "reset", option, *where, "--", name) for option in ("--if-armed", "--free"))
        return ArmedReset(str(self._records), reset, free)


def _read(path: str) -> dict[str, Any] | None:
    try:
        return read_status(path)
    except (OSError, ValueError) as error:
        raise MvtuiError(f"can't read {path}: {error}", "another version of mvtui may have written it") from None


def _read_last_word(path: str) -> dict[str, Any] | None:
    """As `_read`; one that ends in peace between the reading and the look whether it lives was not killed."""
    document = _read(path)
    if document is None or document["keeper"] is None or live_keeper(document) is not None:
        return document
    return _read(path)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

"""The units of all microVMs, run by systemd."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.host.systemd_errors import ReplyError
from mvtui.host.systemd_runs import ADDRESS_VARIABLE, SOCKET
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb, unit_name

if TYPE_CHECKING:
    from dbus_fast import Message

# A change of one microVM comes as some 30 signals within a few milliseconds.
_BURST = 0.03
# systemctl(1) itself gives a daemon-reload 90 s at least.
_RELOAD_SECONDS = 90.0


class SystemdUnits:
    """`Units` by D-Bus. It connects when first asked, and again when asked after the bus was gone.

    `timeout` in seconds holds for connecting and for every answer; the rest of what the list lacks is asked for again
    every `resync` seconds. `address` is the bus's, by default DBUS_SYSTEM_BUS_ADDRESS or the system bus's socket.
    What is asked goes on record in `calls`.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout: float = 5.0,
        resync: float = 15.0,
        calls: CallLog | None = None,
    ) -> None:
        # Importing dbus-fast takes as long as all the rest of `mvtui list` does without systemd.
        from mvtui.host.systemd_bus import SystemBus  # noqa: PLC0415
        from mvtui.host.systemd_jobs import Jobs  # noqa: PLC0415
        from mvtui.host.systemd_units import UnitTable  # noqa: PLC0415

        address = address or os.environ.get(ADDRESS_VARIABLE) or f"unix:path={SOCKET}"
        self._bus = SystemBus(address, timeout, self._note, calls or CallLog())
        self._table = UnitTable(self._bus, resync)
        self._jobs = Jobs(self._bus)
        self._watchers: set[asyncio.Event] = set()

    @property
    def manager(self) -> str:
        """`systemd`."""
        return "systemd"

    async def statuses(self) -> Mapping[str, UnitStatus]:
        """Every loaded unit of every microVM, by unit name.

        What the list lacks is told where it can matter: all of it of a hypervisor and of any unit that is failed, on
        the way or has a job; no `result` and `timeout_stop` of an active one; `since`, restarts or the condition of a
        settled virtiofsd; nothing of the settled others. Raises MvtuiError where the bus or systemd does not answer,
        RightsMissingError where they refuse.
        """
        try:
            return await self._table.read()
        except ReplyError as error:
            raise error.explained("ask systemd for its units") from error

    async def run_job(self, verb: UnitVerb, unit: str) -> JobResult:
        """Ask for it and wait for the job's end, which takes as long as systemd allows it.

        KILL sends SIGKILL to every process of the unit under a stop job, so that it stays down. A start that was
        skipped by a condition or failed at once counts as `skipped` and `failed`. A cancelled call leaves the job to
        systemd. Raises RightsMissingError, MvtuiError (also where the end of the job can't be learned any more).
        """
        return await self._jobs.run(verb, unit)

    @property
    def can_cancel(self) -> bool:
        """True."""
        return True

    async def cancel(self, microvm: str) -> str:
        """Cancel every queued or running job of the microVM's units; what came of it, in a sentence.

        The job alone goes, and who waits for it is told `canceled`. A unit that was already on its way goes on:
        `activating` until it is up or its time is over, `deactivating` until it is down. Raises MvtuiError (also where
        there is no job), RightsMissingError.
        """
        from mvtui.host.systemd_cancel import cancel  # noqa: PLC0415 - as above

        try:
            return await cancel(self._bus, self._table, microvm)
        except ReplyError as error:
            raise error.explained(f"cancel the jobs of {microvm}") from error

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:
        """ExecStartPre= of the microVM's hypervisor, as systemd has read it (it loads the unit for that). Raises
        RightsMissingError, MvtuiError."""
        from mvtui.host.systemd_bus import SERVICE  # noqa: PLC0415 - as above
        from mvtui.host.systemd_units import unit_path  # noqa: PLC0415 - as above

        unit = unit_name(UnitKind.HYPERVISOR, microvm)
        (commands,) = await self._bus.properties([(unit_path(unit), SERVICE, "ExecStartPre")])
        return tuple(tuple(argv) for _, argv, *_ in commands or ())

    async def reload(self) -> None:
        """As `systemctl daemon-reload`; a big host takes a while. Raises RightsMissingError, MvtuiError."""
        try:
            await self._bus.call("Reload", within=_RELOAD_SECONDS)
        except ReplyError as error:
            raise error.explained("reload systemd") from error

    async def free_apart(self, microvm: str, argv: Sequence[str]) -> None:
        """In a transient unit, `mvtui-free-NAME.service`; one that is at work already will do."""
        from mvtui.host.systemd_transient import free_apart  # noqa: PLC0415 - as above

        try:
            await free_apart(self._bus, microvm, argv)
        except ReplyError as error:
            raise error.explained(f"start a unit that frees old overlays of {microvm}") from error

    async def changes(self) -> AsyncIterator[None]:
        """Yields after each burst of signals that concern microVMs, and when systemd or the bus came or went."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            with contextlib.suppress(MvtuiError):
                await self._bus.connect()
            while True:
                await changed.wait()
                await asyncio.sleep(_BURST)
                changed.clear()
                yield
        finally:
            self._watchers.discard(changed)

    async def close(self) -> None:
        """Hang up; the units and their jobs run on."""
        await self._bus.close()

    def _note(self, signal: "Message | None") -> None:
        self._jobs.note(signal)
        if self._table.note(signal):
            for changed in self._watchers:
                changed.set()

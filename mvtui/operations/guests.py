"""What guests tell, kept from look to look and asked for beside them: no look ever waits for a guest.

A hypervisor's control socket and a console's log are read by a thread of their own, for a few microVMs at a time, those
first that have waited longest."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from mvtui.model.guest import GuestStage, GuestStatus
from mvtui.model.hypervisor import Hypervisor

if TYPE_CHECKING:
    from mvtui.host.guest.asking import Asked
    from mvtui.host.guest.console_file import Place
    from mvtui.host.guest.console_journal import ConsoleJournal, Position
    from mvtui.host.ports import Host
    from mvtui.model.definition import Definition
    from mvtui.model.guest import HypervisorReport
    from mvtui.model.process import ProcessSample
    from mvtui.model.unit import UnitStatus

# Seconds between two questions to one guest; after one without an answer; while it boots, its console alone.
EVERY_SECONDS = 15.0
UNANSWERED_SECONDS = 60.0
BOOTING_SECONDS = 1.0
# A hypervisor that has just started listens nowhere yet, or ends again at once.
FRESH_SECONDS = 3.0
# A guest that has shown no login prompt after so many seconds does not show one soon.
BOOT_SECONDS = 600.0
# How many one round asks, and whose console it reads: a console in the journal takes a process.
_SOCKETS = 32
_CONSOLES = 16
# When a round reads no more of them: the others are the first of the next.
_CONSOLES_SECONDS = 2.0

_ASKABLE = frozenset(
    (Hypervisor.QEMU, Hypervisor.STRATOVIRT, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.FIRECRACKER),
)


class Wanted(NamedTuple):
    """A microVM that runs: its hypervisor's process, and what it is asked by. `calm`: it does not stop, and nothing
    else is under way. `log_start` is where this run begins in the log of a keeper, None where systemd has the log."""

    hypervisor: Hypervisor | None
    pid: int
    started: datetime
    socket: str | None
    calm: bool
    by_systemd: bool
    log_start: int | None = None
    share_tags: tuple[str | None, ...] = ()

    @property
    def run(self) -> tuple[int, datetime]:
        """Another one after each start."""
        return self.pid, self.started


@dataclass
class _Guest:
    """What is known of one, and when (monotonic) it is asked next."""

    wanted: Wanted
    began: float
    status: GuestStatus | None = None
    position: Position | Place | None = None
    socket_at: float = 0.0
    console_at: float = 0.0


class Guests:
    """The guests of a host. Looks say who runs (`want`) and read what is known (`told`); another thread renews."""

    def __init__(self, host: Host, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._monotonic = monotonic
        self._guests: dict[str, _Guest] = {}
        self._lock = threading.Lock()
        self._journal: ConsoleJournal | None = None
        self._before: dict[str, GuestStatus | None] = {}

    def told(self, microvm: str) -> GuestStatus | None:
        """What is known of a guest; None where it was not asked since its start."""
        guest = self._guests.get(microvm)
        return guest.status if guest is not None else None

    def want(
        self,
        microvm: str,
        manager: str,
        unit: UnitStatus | None,
        hypervisor: ProcessSample | None,
        booted: Definition | None,
    ) -> GuestStatus | None:
        """What a look has seen of a microVM; what is known of its guest since it was started."""
        wanted = _wanted(manager, unit, hypervisor, booted)
        with self._lock:
            guest = self._guests.get(microvm)
            if wanted is None:
                self._guests.pop(microvm, None)
                return None
            if guest is None or guest.wanted.run != wanted.run:
                now = self._monotonic()
                fresh = (datetime.now(UTC) - wanted.started).total_seconds() < FRESH_SECONDS
                guest = self._guests[microvm] = _Guest(wanted, now, socket_at=now + FRESH_SECONDS * fresh)
            guest.wanted = wanted
            if hypervisor is not None and hypervisor.frozen:  # what it said before is old
                status = guest.status or GuestStatus()
                guest.status = status._replace(report=None, unanswered="it is frozen by a signal")
                guest.socket_at = 0.0
            return guest.status

    def forget_all_but(self, names: Collection[str]) -> None:
        """Drop what is kept of microVMs that are gone."""
        with self._lock:
            for name in [name for name in self._guests if name not in names]:
                del self._guests[name]

    @property
    def has_news(self) -> bool:
        """Whether the last round has told something new: then a look is worth it."""
        return any(self.told(name) != status for name, status in self._before.items())

    @property
    def due(self) -> bool:
        """Whether there is anything to renew now."""
        now = self._monotonic()
        return any(
            guest.wanted.calm and min(guest.socket_at, guest.console_at) <= now for guest in self._guests.values()
        )

    def renew(self, only: str | None = None) -> None:
        """Ask those whose turn it is, or one of them at once (`only`). Blocking for some seconds at most."""
        now = self._monotonic()
        with self._lock:
            calm = {name: guest for name, guest in self._guests.items() if guest.wanted.calm and only in (None, name)}
        self._before = {name: guest.status for name, guest in calm.items()}
        reading = _in_turn({name: guest.console_at for name, guest in calm.items()}, now if only is None else math.inf)
        for name in reading[:_CONSOLES]:
            if self._monotonic() - now < _CONSOLES_SECONDS:
                self._read_console(name, calm[name])
        asking = _in_turn({name: guest.socket_at for name, guest in calm.items()}, now if only is None else math.inf)
        self._ask({name: calm[name] for name in asking[:_SOCKETS]})

    def _may_ask(self, microvm: str) -> bool:
        guest = self._guests.get(microvm)
        return guest is not None and guest.wanted.calm

    def _ask(self, guests: dict[str, _Guest]) -> None:
        asked = []
        for name, guest in guests.items():
            question = self._question(name, guest)
            if isinstance(question, str):
                self._take(guest, question)
                guest.socket_at = self._monotonic() + EVERY_SECONDS
            else:
                asked.append(question)
        if not asked:
            return
        from mvtui.host.guest.asking import ask_all  # noqa: PLC0415 (asyncio, and what speaks QMP)

        answers = ask_all(asked, self._may_ask, self._host.calls)
        for name, answer in answers.items():
            self._take(guests[name], answer)
            seconds = UNANSWERED_SECONDS if isinstance(answer, str) else EVERY_SECONDS
            guests[name].socket_at = self._monotonic() + seconds

    def _question(self, name: str, guest: _Guest) -> Asked | str:
        """What to ask, or why it can't be asked."""
        wanted = guest.wanted
        if wanted.hypervisor is None:
            return "nobody knows which hypervisor it is"
        if wanted.hypervisor not in _ASKABLE:
            return f"{wanted.hypervisor} has nothing to ask for its state"
        if not wanted.socket:
            return "it has no control socket"
        from mvtui.host.guest.asking import Asked  # noqa: PLC0415

        state_dir = str(self._host.on_disk(self._host.state_dir))
        own = f"{self._host.state_dir}/{name}/"
        return Asked(name, state_dir, wanted.socket.removeprefix(own), wanted.hypervisor, wanted.pid)

    def _take(self, guest: _Guest, answer: HypervisorReport | str) -> None:
        status = guest.status or GuestStatus()
        if isinstance(answer, str):
            guest.status = status._replace(report=None, unanswered=answer)
            return
        tags = guest.wanted.share_tags
        shares = answer.shares
        if shares is not None:
            shares = tuple(share._replace(name=_tag(share.name, tags)) for share in shares)
        guest.status = status._replace(report=answer._replace(shares=shares), unanswered="")

    def _read_console(self, name: str, guest: _Guest) -> None:
        from mvtui.model.guest import Console  # noqa: PLC0415

        position = self._position(name, guest)
        status = guest.status or GuestStatus()
        if isinstance(position, str):
            guest.status = status._replace(console=Console(problem=position))
        else:
            guest.position = position
            guest.status = status._replace(console=position.console)
        now = self._monotonic()
        boots = guest.status.stage in (GuestStage.UNKNOWN, GuestStage.BOOTING) and now - guest.began < BOOT_SECONDS
        floods = guest.status.console is not None and not guest.status.console.complete
        guest.console_at = now + (BOOTING_SECONDS if boots and not floods else EVERY_SECONDS)

    def _position(self, name: str, guest: _Guest) -> Position | Place | str:
        wanted, before = guest.wanted, guest.position
        if not wanted.by_systemd:
            if wanted.log_start is None:
                return "nobody knows where this run begins in its log"
            from mvtui.host.guest import console_file  # noqa: PLC0415

            state_dir = str(self._host.on_disk(self._host.state_dir))
            place = before if isinstance(before, console_file.Place) else None
            return console_file.read_log(state_dir, name, wanted.log_start, place)
        from mvtui.host.guest import console_journal  # noqa: PLC0415

        run = console_journal.invocation(self._host.root, name)
        if run is None:
            return "systemd does not tell which run this is"
        if self._journal is None:
            self._journal = console_journal.ConsoleJournal(self._host.calls)
        position = before if isinstance(before, console_journal.Position) else None
        return self._journal.read(name, run, position)


def _wanted(
    manager: str, unit: UnitStatus | None, hypervisor: ProcessSample | None, booted: Definition | None
) -> Wanted | None:
    """None while nothing runs."""
    if hypervisor is None or booted is None:
        return None
    # Without its unit nobody knows whether a stop is under way.
    calm = unit is not None and unit.active_state == "active" and unit.job is None and not hypervisor.frozen
    return Wanted(
        hypervisor=booted.hypervisor,
        pid=hypervisor.pid,
        started=hypervisor.started,
        socket=booted.socket,
        calm=calm,
        by_systemd=manager == "systemd",
        log_start=unit.log_start if unit is not None else None,
        share_tags=tuple(share.tag for share in booted.shares),
    )


def _in_turn(due: dict[str, float], until: float) -> list[str]:
    """Those that are due until then, who has waited longest first."""
    return sorted((name for name, at in due.items() if at <= until), key=lambda name: due[name])


def _tag(name: str, tags: tuple[str | None, ...]) -> str:
    """The share's tag behind microvm.nix's name for its device (`fs2`: the third)."""
    number = int(name[2:]) if name.startswith("fs") and name[2:].isdecimal() else len(tags)
    return (tags[number] if number < len(tags) else None) or name

"""The keeper: one small process that is to one microVM what systemd is with the units of microvm.nix.

It sets `booted`, starts `bin/virtiofsd-run`, waits for the sockets, starts `bin/microvm-run`, restarts the group when
one of them ends, and stops it; it outlives who started it. Rules and times are those of nixos-modules/host/default.nix
of microvm.nix and of systemd.service(5). One thread, no asyncio, standard library alone: there is one per microVM.

On standard output it says in one JSON document how its first job ended, then closes it: `result`, `words`.
SIGTERM asks it to stop the microVM, SIGUSR1 to kill it.
"""

import contextlib
import json
import os
import sys
from typing import Any, NamedTuple

from mvtui.host.keeper_daemons import note_ends, watch_again
from mvtui.host.keeper_events import note, note_end, note_started
from mvtui.host.keeper_group import HYPERVISOR, HYPERVISOR_LOG, VIRTIOFSD, VIRTIOFSD_LOG, ArmedReset, Group, Timings
from mvtui.host.keeper_place import Place, RefusedError
from mvtui.host.keeper_process import Process, Watch, all_processes, command_line, working_in
from mvtui.host.keeper_start import NotStartedError, start
from mvtui.host.keeper_status import BusyError, Status
from mvtui.host.keeper_stop import end, stop
from mvtui.host.process_programs import serves_shares
from mvtui.host.process_rights import may_write, real_uid
from mvtui.model.timeline import EventKind

# Both `python -m` and PYTHONPATH would let its environment choose the code that a keeper of root runs.
BOOT = "import sys; sys.path.append(sys.argv.pop(1)); from mvtui.host import keeper; keeper.main(sys.argv[1])"


class Order(NamedTuple):
    """What a keeper is started with. `action`: `start`; `stop` and `kill` are for what a killed keeper left behind.
    The run directory is `parts` below `base`."""

    action: str
    state_dir: str
    microvm: str
    base: str
    parts: list[str]
    timings: Timings = Timings()
    armed: ArmedReset = ArmedReset()

    def command(self) -> list[str]:
        """The argv of its keeper."""
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        order = json.dumps(self._asdict() | {"timings": self.timings._asdict(), "armed": self.armed._asdict()})
        return [sys.executable, "-I", "-S", "-c", BOOT, package, order]


def parse_order(text: str) -> Order:
    """The inverse of `Order.command`. Raises ValueError, TypeError, KeyError."""
    try:
        fields = json.loads(text)
    except RecursionError:  # anybody can have any command line
        raise ValueError("too deep") from None
    armed = ArmedReset(
        fields["armed"]["records"], tuple(fields["armed"]["command"]), tuple(fields["armed"].get("free", ()))
    )
    return Order(**fields | {"timings": Timings(**fields["timings"]), "armed": armed})


def main(text: str) -> None:
    """Do what the order says, in a process that nobody waits for."""
    if os.fork():
        os._exit(0)
    os.umask(0o022)
    order = parse_order(text)
    try:
        place = Place(order.state_dir, order.microvm)
        Keeper(order, Status(order.base, order.parts, order.microvm), place).run()
    except BusyError as busy:
        answer("busy", "" if busy.pid is None else str(busy.pid))
    except RefusedError as refused:
        answer("refused", refused.message, refused.hint)
    except OSError as error:
        answer("refused", str(error))


def answer(result: str, words: str, hint: str = "") -> None:
    """Tell who started this keeper how the job ended; later answers go nowhere, as when nobody listens any more."""
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps({"result": result, "words": words, "hint": hint}).encode())
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)


class Keeper:
    """The life of one microVM, from its start to its end."""

    def __init__(self, order: Order, status: Status, place: Place) -> None:
        self.order = order
        self.status = status
        self.watch = Watch()
        self.group = Group(place, status, self.watch, order.timings, order.armed)
        self._cause = ""

    def run(self) -> None:
        """Until the microVM is stopped, or its start failed."""
        try:
            self._refuse_second_keeper()
        except RefusedError:
            self.status.release()
            raise
        self._adopt()
        group, said = self.group, ("done", "stopped")
        if self.order.action != "start":
            self.watch.ask(self.order.action)
        else:
            if group.hypervisor is None:
                stop(group, "start")  # daemons without a hypervisor would hold the sockets
                failure = self._start("start")
            else:
                failure = None
            if failure is None:
                answer("done", "started")
                failure = self._keep()
            if failure is not None:
                said = failure.result, failure.words
        was_up = group.hypervisor is not None
        stop(group, "stop")
        if was_up:
            note(group, EventKind.STOP, f"the hypervisor was {'killed' if self.watch.is_asked('kill') else 'stopped'}")
        self.status.release()
        answer(*said)

    def _start(self, job: str, restarted: str | None = None) -> NotStartedError | None:
        """Start the group; where that fails, what did start is stopped and the failure returned."""
        try:
            start(self.group, job, restarted)
        except NotStartedError as failure:
            if not self.watch.is_asked():
                note(self.group, EventKind.FAILED, "it could not be started", str(failure))
                self.group.place.write_log(HYPERVISOR_LOG, f"mvtui: not started: {failure}")
            stop(self.group, job)
            self.status.set(HYPERVISOR, job=None)
            if failure.unit is not None:
                self.status.set(failure.unit, "failed", "failed", result=failure.unit_result)
            return failure
        note_started(self.group, restarted, self._cause)
        return None

    def _keep(self) -> NotStartedError | None:
        """Restart=always, until a stop is asked or a restart fails."""
        watch = self.watch
        while True:
            while not watch.wait(self._has_news, self.order.timings.log_look):
                for log in (HYPERVISOR_LOG, VIRTIOFSD_LOG):
                    self.group.place.shorten_log(log)
            unit = self._ended()
            if watch.is_asked() or unit is None:
                return None
            self._note_end(unit)
            if watch.wait(watch.is_asked, self.order.timings.restart):
                return None
            self._restart_begins(unit)
            # The restart of one is that of all: PartOf= and Requires= carry it on.
            stop(self.group, "restart")
            failure = None if watch.is_asked() else self._start("restart", unit)
            if watch.is_asked() or failure is not None:
                return failure

    def _has_news(self) -> bool:
        note_ends(self.group)
        return self.watch.is_asked() or self._ended() is not None

    def _ended(self) -> str | None:
        """The unit whose main process has ended."""
        for unit, process in ((HYPERVISOR, self.group.hypervisor), (VIRTIOFSD, self.group.virtiofsd)):
            if process is not None and process.ended:
                return unit
        return None

    def _note_end(self, unit: str) -> None:
        group = self.group
        process = group.hypervisor if unit == HYPERVISOR else group.virtiofsd
        if process is None:
            return
        facts = end(group, unit, process)
        self._cause = note_end(group, unit, facts)
        if unit == HYPERVISOR:
            group.hypervisor = None
        else:
            group.virtiofsd = None
        self.status.set(unit, "activating", "auto-restart", **facts)

    def _restart_begins(self, unit: str) -> None:
        restarts = self.status.units[unit]["n_restarts"] + 1
        job = "restart" if unit == HYPERVISOR else None
        self.status.set(unit, "inactive", "dead", n_restarts=restarts, job=job)

    def _adopt(self) -> None:
        """Take over what a keeper that was killed left behind, or what somebody started by hand."""
        group, place = self.group, self.group.place
        recorded = (self.status.before or {}).get("units", {})
        found = {pid: command_line(pid) for pid in working_in(place.facts) if may_write(pid, place.facts)}
        group.hypervisor = self._recorded(recorded, HYPERVISOR)
        group.virtiofsd = self._recorded(recorded, VIRTIOFSD)
        for pid, argv in found.items():
            if group.hypervisor is None and argv[:1] and argv[0].startswith("microvm@"):
                group.hypervisor = self.watch.adopt(pid)
            elif group.virtiofsd is None and serves_shares(None, argv):
                group.leftovers += filter(None, [self.watch.adopt(pid)])
        group.runner = place.resolve("booted") or place.resolve("current") or ""
        if group.hypervisor is None:  # what was set up for it is there to be taken down
            daemons = (HYPERVISOR, VIRTIOFSD)
            self.status.units = {
                unit: facts
                for unit, facts in recorded.items()
                if unit not in daemons and facts["active_state"] in ("active", "activating")
            }
            return
        self.status.units = recorded
        for unit, process in ((HYPERVISOR, group.hypervisor), (VIRTIOFSD, group.virtiofsd)):
            if process is not None:
                self.status.set(unit, "active", "running", job=None, main_pid=process.pid, main_start=process.start)
            elif unit in recorded:
                self.status.set(unit, "inactive", "dead", main_pid=None, main_start=None)
        if group.virtiofsd is not None:
            watch_again(group, recorded[VIRTIOFSD].get("daemons", {}))

    def _recorded(self, units: dict[str, dict[str, Any]], unit: str) -> Process | None:
        known = units.get(unit, {})
        if not known.get("main_pid"):
            return None
        return self.watch.adopt(known["main_pid"], known["main_start"])

    def _refuse_second_keeper(self) -> None:
        """One of root and one of the microVM's owner have different run directories. Raises RefusedError."""
        for each in all_processes():
            argv = command_line(each.pid)
            user = real_uid(each.pid)
            if BOOT not in argv[:-2] or user not in (0, self.group.place.facts.st_uid):
                continue
            try:
                other = parse_order(argv[argv.index(BOOT) + 2])
            except (ValueError, TypeError, KeyError):
                continue
            mine = self.order
            if (other.state_dir, other.microvm) == (mine.state_dir, mine.microvm) and other.base != mine.base:
                raise RefusedError(f"another mvtui keeps it (pid {each.pid}, user {user})", "stop it as that user")

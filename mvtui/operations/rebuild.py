"""From what is defined to what is built: `microvm -u NAME`, or `nixos-rebuild switch` where the microVM is fully
declarative.

    plan = plan_rebuild(host, microvm, snapshot.microvms)    # what to show before it is done
    rebuild = await begin_rebuild(host, plan)
    outcome = await rebuild.follow(lambda: show(rebuild.lines))

A rebuild goes on when mvtui ends. Its output is a record of the host, locked while it runs: there is one at a time of a
microVM, and one of the host.
"""

import asyncio
import os
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import lasting_command
from mvtui.host.lasting_command import LastingCommand
from mvtui.host.own_program import root_decides
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import record_change
from mvtui.model.call import CallKind
from mvtui.model.format import duration
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.output import OutputLines
from mvtui.model.own_command import own_command
from mvtui.model.signals import signal_name
from mvtui.operations.lifecycle import refuse_what_is_no_name

# The records' folder, and in it the record of a rebuild of the host: no microVM's name begins with a dot.
FOLDER = "rebuilds"
HOST_RECORD = ".host"
# A microVM's command is where the host's are, whatever sudo leaves of PATH.
_MORE_PATH = "/run/current-system/sw/bin"
LOOK_AGAIN_SECONDS = 0.25

_GIVES = {
    "microvm": "microvm.nix's host module installs it: nixosModules.host, microvm.host.enable",
    "nixos-rebuild": "NixOS has it, in /run/current-system/sw/bin",
}


class RebuildPlan(NamedTuple):
    """What rebuilding `microvm` means: the command, `flake` that it is built from (None: the host's own
    configuration), and whether it builds the whole host; `also` are the other microVMs that are built with it then.
    `record` is the name of its output among the records, `output` that file. `needs_root`: this user can't run it."""

    microvm: str
    argv: tuple[str, ...]
    flake: str | None
    host_wide: bool
    also: tuple[str, ...]
    record: str
    output: Path
    needs_root: bool

    @property
    def words(self) -> str:
        """The command as a person types it."""
        return shlex.join((os.path.basename(self.argv[0]), *self.argv[1:]))


class RebuildOutcome(NamedTuple):
    """What came of it. `words` is one sentence, with the command's last line where it failed; `new`: what is built now
    is not what was built before. `code` is None where another mvtui began it."""

    microvm: str
    ok: bool
    words: str
    seconds: float
    new: bool
    code: int | None


def plan_rebuild(host: Host, microvm: MicroVM, others: Sequence[MicroVM] = ()) -> RebuildPlan:
    """What it takes to build `microvm` anew. Raises MvtuiError: REFUSED where it can't be, or the program is not
    there."""
    refuse_what_is_no_name(microvm.name)
    entry = microvm.entry
    if entry is None:
        raise MvtuiError(f"{microvm.name} has no state directory: there is nothing to rebuild", "", ExitCode.REFUSED)
    if entry.fully_declarative:
        also = tuple(one.name for one in others if one.name != microvm.name and _with_host(one.entry))
        program, needs_root = _program(host, "nixos-rebuild")
        output = host.records / FOLDER / HOST_RECORD
        return RebuildPlan(microvm.name, (program, "switch"), None, True, also, HOST_RECORD, output, needs_root)
    if not entry.flake:
        raise MvtuiError(
            f"nothing says what {microvm.name} is built from: {entry.path} has neither flake nor toplevel",
            f"echo FLAKE > {shlex.quote(entry.path)}/flake",
            ExitCode.REFUSED,
        )
    if microvm.name.startswith("-"):
        raise MvtuiError(f"the command microvm takes {microvm.name!r} for an option", "rename it", ExitCode.REFUSED)
    program, needs_root = _program(host, "microvm")
    command, output = (program, "-u", microvm.name), host.records / FOLDER / microvm.name
    return RebuildPlan(microvm.name, command, entry.flake, False, (), microvm.name, output, needs_root)


def _with_host(entry: StateDirEntry | None) -> bool:
    return entry is not None and entry.fully_declarative


def record_of(microvm: MicroVM) -> str:
    """The record of its rebuilds."""
    return HOST_RECORD if _with_host(microvm.entry) else microvm.name


def _program(host: Host, name: str) -> tuple[str, bool]:
    """Its path, and whether it takes root: beside a state directory that is not the host's own (a demo's) before all
    others."""
    own = host.programs / name if host.programs is not None else None
    if own is not None and os.path.lexists(own):
        if not _may_run(own):
            raise MvtuiError(f"{own} is not run: others can change it", "run mvtui as its owner", ExitCode.REFUSED)
        return str(own), False
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), _MORE_PATH)))
    if found is None:
        raise MvtuiError(f"there is no {name} here", _GIVES[name], ExitCode.REFUSED)
    return os.path.abspath(found), os.geteuid() != 0


def _may_run(program: Path) -> bool:
    """Whether it is this user's own; root runs what root alone can change."""
    if os.geteuid() == 0:
        return root_decides(str(program))
    try:
        return all(os.stat(place).st_uid == os.geteuid() for place in (program, program.parent))
    except OSError:
        return False


async def begin_rebuild(host: Host, plan: RebuildPlan) -> "Rebuild":
    """Begin it, or follow the one that is under way. Raises RightsMissingError, MvtuiError."""
    if plan.needs_root:
        raise RightsMissingError(f"{plan.words} takes root", f"sudo {own_command('rebuild', plan.microvm)}")
    before = _built(host, plan.microvm)
    with host.calls.call(CallKind.COMMAND, shlex.join(plan.argv)) as call:
        command = await asyncio.to_thread(
            lasting_command.start, plan.argv, host.records, FOLDER, plan.record, dict(os.environ)
        )
        call.end(f"pid {command.pid}" if command.pid is not None else "is under way already")
    return Rebuild(host, plan, command, before)


class Rebuild:
    """One that was begun. `began` is UTC; `outcome` is None until it has ended; `here`: this mvtui began it."""

    def __init__(self, host: Host, plan: RebuildPlan, command: LastingCommand, before: str | None) -> None:
        self.plan = plan
        self.here = command.pid is not None
        self.began = datetime.now(UTC)
        self.outcome: RebuildOutcome | None = None
        self.output = OutputLines()
        self.cancelled = False
        self._host, self._command, self._before = host, command, before
        self._began = time.monotonic()

    async def follow(self, on_output: Callable[[], None]) -> RebuildOutcome:
        """Read what it says until it ends; `on_output` is called when there is more. Cancelled, it lets go of the
        rebuild, which goes on."""
        ending = asyncio.ensure_future(self._command.wait())
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=LOOK_AGAIN_SECONDS)
                if self._take():
                    on_output()
            while self._take():
                on_output()
            self.outcome = self._outcome(ending.result())
        finally:
            ending.cancel()
            with suppress(asyncio.CancelledError):
                await ending
            self._command.close()
        outcome, host = self.outcome, self._host
        host.changes += 1
        if self.here:
            record_change(
                host.records, self.plan.microvm, "rebuild", outcome.words, ok=outcome.ok, seconds=outcome.seconds
            )
        return outcome

    def cancel(self) -> None:
        """Ask it to end; asked once more, it is killed. Raises MvtuiError where another mvtui began it."""
        if self.outcome is None:
            self._command.end(signal.SIGKILL if self.cancelled else signal.SIGTERM)
            self.cancelled = True

    def _take(self) -> bool:
        skipped, data = self._command.output()
        if skipped:
            self.output.skip(skipped)
        self.output.feed(data)
        return bool(data)

    def _outcome(self, code: int | None) -> RebuildOutcome:
        name, seconds = self.plan.microvm, time.monotonic() - self._began
        what = f"rebuild of {name}" if not self.plan.host_wide else "nixos-rebuild switch"
        new = _built(self._host, name) != self._before
        took = f"({duration(seconds)})"
        if code == 0 or code is None:
            done = f"{what} is done {took}" if code == 0 else f"{what}, which another mvtui began, has ended"
            news = f"{name} is built anew" if new else f"{name} is what was built before"
            return RebuildOutcome(name, code == 0 or new, f"{done}: {news}", seconds, new, code)
        if self.cancelled:
            return RebuildOutcome(name, False, f"{what} was cancelled {took}", seconds, new, code)
        how = f"exit {code}" if code > 0 else f"signal {signal_name(-code)}"
        return RebuildOutcome(name, False, f"{what} failed {took}: {how}: {self.output.last}", seconds, new, code)


def _built(host: Host, microvm: str) -> str | None:
    """What `current` leads to now."""
    try:
        return os.readlink(host.on_disk(host.state_dir) / microvm / "current")
    except OSError:
        return None

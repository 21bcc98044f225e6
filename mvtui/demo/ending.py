"""Ends a demo: everything that runs in its directory, whoever started it, and then what was made of it on disk."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from mvtui.demo.building import Layout
from mvtui.demo.marker import NAME as MARKER
from mvtui.errors import MvtuiError
from mvtui.host.direct import DirectUnits
from mvtui.host.keeper import BOOT, parse_order
from mvtui.host.keeper_process import all_processes, command_line, send
from mvtui.host.processes import ProcFs
from mvtui.host.records import forget_records
from mvtui.host.run_directory import forget_run_directory
from mvtui.model.unit import UnitKind, UnitVerb, unit_name

_SECONDS = 10.0
_POLL_SECONDS = 0.02


def end(root: Path, *, remove_root: bool) -> None:
    """End the demo in `root` and remove what was made in it; the marker last, so that an end that was cut short can be
    repeated. `root` itself goes only where that is wanted and nobody has put anything else there.

    Raises MvtuiError where something does not die or can't be removed.
    """
    layout = Layout(root)
    _end_processes(layout)
    if os.geteuid() == 0 and not layout.state_dir.is_symlink():
        # Root's keepers report below /run, and what failed or was killed stays there.
        asyncio.run(_forget(layout.state_dir))
    try:
        _remove(layout)
    except OSError:
        # What was just being started has only now become visible, or has made another file.
        _end_processes(layout)
        try:
            _remove(layout)
        except OSError as error:
            what = error.strerror or str(error)
            raise MvtuiError(f"{error.filename or root} can't be removed: {what}", "remove it") from None
    _end_processes(layout)
    if remove_root:
        with contextlib.suppress(OSError):
            root.rmdir()


def _remove(layout: Layout) -> None:
    forget_records(layout.state_dir)
    for path in layout.made:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
    if os.geteuid() == 0:
        # Of what was moved, or never given to its owner, no keeper has removed it.
        forget_run_directory(str(layout.state_dir))
    (layout.root / MARKER).unlink(missing_ok=True)


def _end_processes(layout: Layout) -> None:
    """By SIGKILL: a demo has nothing to lose."""
    deadline = time.monotonic() + _SECONDS
    while living := running(layout):
        if time.monotonic() > deadline:
            raise MvtuiError(f"processes of {layout.root} do not end: {', '.join(map(str, living))}", "kill them")
        send(living, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


async def _forget(state_dir: Path) -> None:
    """Have every microVM's status removed, also where its keeper was killed."""
    units = DirectUnits(state_dir)
    try:
        names = [entry.name for entry in os.scandir(state_dir) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    jobs = (units.run_job(UnitVerb.KILL, unit_name(UnitKind.HYPERVISOR, name)) for name in names)
    for outcome in await asyncio.gather(*jobs, return_exceptions=True):
        # A keeper refuses what was never given to its owner: then it never ran either.
        if isinstance(outcome, BaseException) and not isinstance(outcome, MvtuiError):
            raise outcome


def running(layout: Layout) -> list[int]:
    """The pids of all that belongs to the demo. Keepers first: they would start again what has been killed."""
    keepers = [each.pid for each in all_processes() if _is_keeper(each.pid, str(layout.state_dir))]
    processes = ProcFs(layout.root, by_cgroup=False)
    try:
        others = list(processes.sample())
    finally:
        processes.close()
    return [pid for pid in [*keepers, *others] if pid != os.getpid()]


def _is_keeper(pid: int, state_dir: str) -> bool:
    argv = command_line(pid)
    if BOOT not in argv:
        return False
    for word in argv[argv.index(BOOT) + 1 :]:
        try:
            return parse_order(word).state_dir == state_dir
        except (ValueError, TypeError, KeyError):
            continue
    return False

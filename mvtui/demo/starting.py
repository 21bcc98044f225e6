"""Brings the sample microVMs of a built host into their states."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from mvtui.demo.building import Built
from mvtui.demo.samples import Sample, Story
from mvtui.errors import MvtuiError
from mvtui.host.command_line import read_virtiofsd
from mvtui.host.direct import DirectUnits
from mvtui.host.keeper_group import HYPERVISOR_LOG
from mvtui.host.processes import ProcFs
from mvtui.host.records_place import records_of
from mvtui.model.unit import UnitKind, UnitVerb, unit_name

_SECONDS = 30.0
_POLL_SECONDS = 0.02
# What the guest, and its stand-in, print when they run.
_GUEST_IS_UP = b"up; ctrl-alt-del"
_MAX_LOG_BYTES = 1 << 16


def start(built: Built) -> None:
    """Start all but the stopped ones, side by side. Raises MvtuiError where one does not start that should."""
    asyncio.run(_start(built))


async def _start(built: Built) -> None:
    state_dir = built.layout.state_dir
    units = DirectUnits(state_dir, records=records_of(state_dir))
    wanted = [sample for sample in built.samples if sample.story is not Story.STOPPED]
    await asyncio.gather(*(_bring_up(units, built, sample) for sample in wanted))


async def _bring_up(units: DirectUnits, built: Built, sample: Sample) -> None:
    unit = unit_name(UnitKind.HYPERVISOR, sample.name)
    job = asyncio.create_task(units.run_job(UnitVerb.START, unit))
    if sample.story is Story.FAILED:
        # It is tried for some seconds, by a keeper that needs nobody who waits for it.
        await _until(units, unit)
        job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await job
        return
    result = await job
    if not result.ok:
        raise MvtuiError(result.words, f"look at the logs in {built.layout.state_dir / sample.name}")
    if sample.story is not Story.LOOPING:
        await _guest_is_up(built.layout.state_dir / sample.name / HYPERVISOR_LOG)
    if sample.story is Story.STALE:
        await asyncio.to_thread(_relink, built.layout.state_dir / sample.name / "current", built.newer[sample.name])
    elif sample.story is Story.DEGRADED:
        await asyncio.to_thread(_break_share, built, sample)


async def _until(units: DirectUnits, unit: str) -> None:
    """Until a keeper speaks of `unit`."""
    deadline = time.monotonic() + _SECONDS
    while unit not in await units.statuses():
        if time.monotonic() > deadline:
            raise MvtuiError(f"nobody starts {unit}")
        await asyncio.sleep(_POLL_SECONDS)


async def _guest_is_up(log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while _GUEST_IS_UP not in _read(log):
        if time.monotonic() > deadline:
            raise MvtuiError(f"the guest of {log.parent.name} does not come up", f"look at {log}")
        await asyncio.sleep(_POLL_SECONDS)


def _relink(link: Path, target: Path) -> None:
    """As `ln -sTf` does it, and the owner stays."""
    facts = os.lstat(link)
    new = link.with_name(".current.new")
    new.symlink_to(target)
    os.chown(new, facts.st_uid, facts.st_gid, follow_symlinks=False)
    new.replace(link)


def _break_share(built: Built, sample: Sample) -> None:
    """The source of the last share vanishes, and its virtiofsd dies while the guest runs."""
    source = sample.sources[-1]
    shutil.rmtree(source)
    processes = ProcFs(built.layout.state_dir, by_cgroup=False)
    try:
        for pid, process in processes.sample().items():
            share = read_virtiofsd(process.argv) if process.microvm == sample.name else None
            if share is not None and share.source == str(source):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    finally:
        processes.close()


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with open(descriptor, "rb", buffering=0) as file:
        return file.read(_MAX_LOG_BYTES)

"""Which host mvtui looks at: this one, by its state directory and its unit manager."""

import os
from pathlib import Path
from typing import Literal

from mvtui.errors import MvtuiError
from mvtui.host import records_place
from mvtui.host.calls import CallLog
from mvtui.host.ports import DEFAULT_DEFINITIONS, EndTimes, Host, Units
from mvtui.host.processes import ProcFs
from mvtui.host.systemd_runs import systemd_runs

DEFAULT_STATE_DIR = records_place.DEFAULT_STATE_DIR

Manager = Literal["auto", "systemd", "direct"]


def open_host(
    state_dir: Path = DEFAULT_STATE_DIR,
    manager: Manager = "auto",
    definitions: Path | None = None,
    own: Path = DEFAULT_STATE_DIR,
    more: tuple[str, ...] = (),
) -> Host:
    """The host under `state_dir` (absolute, or relative to the working directory). `auto` takes systemd where it runs
    (sd_booted(3)), else starts and stops by itself. `own` is the state directory of the host that mvtui runs on.
    `definitions` None: for that one those of NixOS; for another what stands beside it, in `definitions`, as do
    programs, in `bin`. `more` are words that commands for the same host need as well. Nothing is asked of the host yet.
    Raises MvtuiError."""
    state_dir = _absolute(state_dir)
    calls = CallLog()
    records = records_place.records_of(state_dir)
    if definitions is not None:
        definitions = _absolute(definitions)
    elif state_dir == own != DEFAULT_STATE_DIR:
        # What runs for other users, or without any, need not know that this is the host's own.
        definitions = DEFAULT_DEFINITIONS
    options = (*(("--definitions", str(definitions)) if definitions is not None else ()), *more)
    units, end_times = _adapters(state_dir, manager, calls, records, options)
    return Host(
        name=os.uname().nodename,
        units=units,
        processes=ProcFs(state_dir, by_cgroup=units.manager == "systemd"),
        state_dir=state_dir,
        calls=calls,
        end_times=end_times,
        definitions=definitions or definitions_of(state_dir, own),
        records=records,
        options=options,
        programs=None if state_dir == own else state_dir.parent / "bin",
    )


def definitions_of(state_dir: Path, own: Path = DEFAULT_STATE_DIR) -> Path:
    """Where the definition files of that state directory are where nobody has said it: this host's (`own`) where NixOS
    has them, those of another (a demo's) beside it."""
    return DEFAULT_DEFINITIONS if state_dir == own else state_dir.parent / "definitions"


def _absolute(path: Path) -> Path:
    try:
        return Path(os.path.abspath(path))
    except FileNotFoundError:
        raise MvtuiError(f"{path} begins in a working directory that is gone", "name its whole path") from None


def _adapters(
    state_dir: Path, manager: Manager, calls: CallLog, records: Path, options: tuple[str, ...]
) -> tuple[Units, EndTimes | None]:
    """Those of the manager that was asked for. Only they are imported: others take longer than all of `mvtui list`."""
    if manager == "systemd" or (manager == "auto" and systemd_runs(Path("/"))):
        from mvtui.host.journal_times import JournalTimes  # noqa: PLC0415
        from mvtui.host.systemd import SystemdUnits  # noqa: PLC0415

        return SystemdUnits(calls=calls), JournalTimes(calls)
    from mvtui.host.direct import DirectUnits  # noqa: PLC0415

    return DirectUnits(state_dir, calls=calls, records=records, options=options), None

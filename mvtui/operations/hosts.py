"""Which host mvtui looks at: this one, by its state directory and its unit manager."""

import os
import socket
from pathlib import Path
from typing import Literal

from mvtui.host.direct import DirectUnits
from mvtui.host.ports import Host, Units
from mvtui.host.processes import ProcFs
from mvtui.host.systemd import SystemdUnits, systemd_runs

DEFAULT_STATE_DIR = Path("/var/lib/microvms")

Manager = Literal["auto", "systemd", "direct"]


def open_host(state_dir: Path = DEFAULT_STATE_DIR, manager: Manager = "auto") -> Host:
    """The host under `state_dir` (absolute, or relative to the working directory). `auto` takes systemd where it runs
    (sd_booted(3)), else starts and stops by itself. Nothing is asked of the host yet, so nothing fails."""
    state_dir = Path(os.path.abspath(state_dir))
    return Host(
        name=socket.gethostname(),
        units=_units(state_dir, manager),
        processes=ProcFs(state_dir),
        state_dir=state_dir,
    )


def _units(state_dir: Path, manager: Manager) -> Units:
    if manager == "systemd" or (manager == "auto" and systemd_runs(Path("/"))):
        return SystemdUnits()
    return DirectUnits(state_dir)

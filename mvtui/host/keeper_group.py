"""The units of one microVM as its keeper has them: what runs, from which runner, and how a script of it is started."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from mvtui.host.keeper_place import Place, RefusedError
from mvtui.host.keeper_process import Process, Watch
from mvtui.host.keeper_status import Status
from mvtui.host.own_program import root_decides

# Templates of microvm.nix's host module: the part of a unit's name before `@`.
HYPERVISOR = "microvm"
VIRTIOFSD = "microvm-virtiofsd"
SET_BOOTED = "microvm-set-booted"
# Template, what it runs at the start, what at the stop: oneshots of root with RemainAfterExit=.
SETUP_UNITS = (
    ("microvm-tap-interfaces", "tap-up", "tap-down"),
    ("microvm-macvtap-interfaces", "macvtap-up", "macvtap-down"),
    ("microvm-pci-devices", "pci-setup", None),
)
HYPERVISOR_LOG = "microvm.log"
VIRTIOFSD_LOG = "virtiofsd.log"


class Timings(NamedTuple):
    """Seconds. `stop`: TimeoutSec= of microvm@ (option `microvm.host.startupTimeout`); `virtiofsd_start` and
    `virtiofsd_stop`: systemd's DefaultTimeoutStartSec= and DefaultTimeoutStopSec=, since microvm-virtiofsd@ sets none;
    `restart`: RestartSec= of both; `log_look`: how often the logs' lengths are looked at; `armed_reset`: what the
    command of an armed reset, which ends by itself, may take at most."""

    stop: float = 150.0
    virtiofsd_start: float = 90.0
    virtiofsd_stop: float = 90.0
    restart: float = 5.0
    log_look: float = 15.0
    armed_reset: float = 60.0


class ArmedReset(NamedTuple):
    """What the reset of an armed microVM needs: where the host's records are, in which what happens to it is noted too,
    and the whole command (`mvtui reset --if-armed …`); without one nothing is ever reset. `free` is the command that
    then frees what resets have left."""

    records: str = ""
    command: tuple[str, ...] = ()
    free: tuple[str, ...] = ()

    def is_armed(self, microvm: str) -> bool:
        """Whether there is anything to do before it starts."""
        return bool(self.command) and os.path.lexists(os.path.join(self.records, "armed", microvm))


class Group:
    """`runner` is the path of the runner that runs. `leftovers` are daemons whose virtiofsd-run has gone, `daemons`
    those that serve the shares, by tag. `freeing` frees old overlays; it is none of the microVM's own processes."""

    def __init__(self, place: Place, status: Status, watch: Watch, timings: Timings, armed: ArmedReset) -> None:
        self.place = place
        self.status = status
        self.watch = watch
        self.timings = timings
        self.armed = armed
        self.runner = ""
        self.hypervisor: Process | None = None
        self.virtiofsd: Process | None = None
        self.leftovers: list[Process] = []
        self.daemons: dict[str, Process] = {}
        self.freeing: Process | None = None

    def script(self, name: str) -> str | None:
        """The path of the runner's `bin/NAME`, None where it has none."""
        path = os.path.join(self.runner, "bin", name)
        return path if self.runner and os.path.exists(path) else None

    def spawn(
        self,
        script: str,
        log: int,
        arguments: tuple[str, ...] = (),
        env: Mapping[str, str] | None = None,
        *,
        as_root: bool = False,
    ) -> Process:
        """Start a script in the microVM's directory; as its owner, or as root where mvtui is root and the unit has no
        User=. Raises RefusedError where somebody else could change what root would run, OSError."""
        identity = None if as_root else self.place.owner
        if as_root and os.geteuid() == 0:
            script = _roots_own(script)
        return self.watch.spawn(
            [script, *arguments],
            directory=self.place.fd,
            log=log,
            identity=identity,
            env=self.place.environment(identity) | dict(env or {}),
        )


def _roots_own(script: str) -> str:
    """`script` without links. Raises RefusedError where others than root choose what it is.

    The directory counts as much as the file: a link in one that is somebody else's turns any program of root's into the
    script, and make(1) or supervisord(1) do what the working directory says."""
    directory = os.path.realpath(os.path.dirname(script))
    resolved = os.path.realpath(os.path.join(directory, os.path.basename(script)))
    if not (root_decides(directory) and root_decides(resolved)):
        raise RefusedError(
            f"{script} runs as root, but others than root can change it", "let root own the runner, as Nix does"
        )
    return resolved

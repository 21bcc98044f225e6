"""Arming: the overlay is reset by itself before the microVM's next start, or before each, whoever starts it."""

from typing import NamedTuple

from mvtui.host.ports import Host
from mvtui.model.overlay import Armed
from mvtui.operations.overlay_outcome import ResetOutcome

# What an armed reset may take before its microVM starts without it (seconds); systemd gives the start 150.
ARMED_SECONDS = 30.0


async def arm(
    host: Host, name: str, how: Armed | None, *, persistent: bool = False, strict: bool = False
) -> ResetOutcome:
    """Arm the microVM, arm it otherwise, or, where `how` is None, disarm it. The outcome's `action` is `arm` or
    `disarm`; `words` says what will happen at its next start, `hint` what ends that (the next boot of the host, where
    it is not `persistent`). `nothing`: it was not armed (and `ok`).

    `strict`: a reset that is refused then keeps the microVM from starting. With systemd this writes a drop-in of
    `microvm@NAME.service` below /run/systemd/system, with `persistent` below /etc/systemd/system, and lets systemd read
    it; where the host's own configuration runs `reset --if-armed` for every microVM (NixOS), the record alone. Without
    systemd the keeper does it, and the record is all.

    Not `ok` with `refused` where it has no overlay that can be reset, and with why. Raises RightsMissingError where it
    is not root, and MvtuiError: the name is no microVM's or no unit's, others than root can change the program, the
    place can't be written (on NixOS with `persistent`: the hint has the lines of configuration that do it), systemd
    does not answer. Then everything is as it was.
    """
    raise NotImplementedError


class AtStart(NamedTuple):
    """What came of an armed reset, and the exit code of `mvtui reset --if-armed`: 0, that is: start the microVM; 1 or 3
    where the reset failed or was refused and the arming is strict: systemd does not start it then."""

    outcome: ResetOutcome
    exit_code: int


async def reset_if_armed(host: Host, name: str, *, strict: bool = False) -> AtStart:
    """What runs before the hypervisor starts (`mvtui reset --if-armed [--strict] NAME`): the reset, where the microVM
    is armed. `strict` counts beside what the record says.

    Never raises MvtuiError, and ends within ARMED_SECONDS. `nothing` (and `ok`): not armed; done already within this
    start (INVOCATION_ID); nobody has written to the overlay since mvtui made it, so that the old one which is kept
    stays. Once is spent by a good reset, and where there is nothing to reset; not by one that is refused: that is on
    record and shown until the next good one. What happens goes to the journal.
    """
    raise NotImplementedError


def give_up_later() -> None:
    """From now on this process is killed (SIGALRM) soon after ARMED_SECONDS, whatever hangs: `mvtui reset --if-armed`
    calls it first. systemd starts the microVM then (`ExecStartPre=-`), unless it is armed strictly."""
    raise NotImplementedError


def leave(code: int) -> None:
    """End this process now, its output written: `mvtui reset --if-armed` does not wait for a thread that hangs on a
    dead mount, as Python would."""
    raise NotImplementedError

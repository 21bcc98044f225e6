"""Checks of starts, stops and what is armed for them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mvtui.model.microvm import ShareHealth
from mvtui.model.overlay import Armed
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitKind, unit_name
from mvtui.operations.checks.check import Seen, error, info, verb, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.finding import Finding
    from mvtui.model.microvm import MicroVM

# The subject of what its state says, which is no finding where another one tells why.
STATE = "state"
_DOWN = ("inactive", "failed")
# What follows from it, while nothing is known of what it said.
_FOLLOWS = {
    StateWord.FAILED: "Nothing starts it again by itself.",
    StateWord.LOOPING: "It is started again each time.",
    StateWord.DEGRADED: "Its guest may not do what it should.",
}


def autostart(seen: Seen) -> Iterator[Finding]:
    """It is down since the host booted, or since it ended.

    Cause: microvms.target wants it, and it was stopped, or its start failed and nobody tried again. Seen: the wants of
    microvms.target, against its state. Source: nixos-modules/host, microvm.autostart.
    """
    state = seen.microvm.state
    if seen.microvm.autostart and state.word is StateWord.STOPPED:
        fix = f"{verb('start', seen.microvm)}, or see why it ended: {verb('logs', seen.microvm)}"
        why = "As far as is known, nobody has started it since the host booted."
        if state.since is not None:
            why = "It ended, or was stopped, and nobody has started it again."
        yield warning("autostart", "autostart", "Autostart wants it, and it is stopped.", why, fix, state.since)


def wrong_state(seen: Seen) -> Iterator[Finding]:
    """It does not run, or does nothing.

    Cause: its hypervisor ended by itself, again and again, or what it needs did not start; or a signal froze it. Seen:
    the results of its units, and what they said last. Source: systemd.service(5), "Result".
    """
    microvm, state = seen.microvm, seen.microvm.state
    downs = any(status.health is ShareHealth.DOWN for status in microvm.shares)
    if state.word not in (StateWord.FAILED, StateWord.LOOPING, StateWord.DEGRADED) or (
        state.word is StateWord.DEGRADED and downs
    ):
        return
    said = _last_words(microvm)
    is_down = state.word is not StateWord.DEGRADED
    why = f'It said last: "{said}".' if said and is_down else _FOLLOWS[state.word]
    yield error(STATE, "", state.why, why, verb("logs", microvm) if is_down else "", state.since)


def _last_words(microvm: MicroVM) -> str:
    """Of the unit that its state names, else of its hypervisor: what another said is of an earlier run."""
    named = (unit.name for unit in microvm.units if microvm.state.why.startswith(unit.name))
    name = next(named, unit_name(UnitKind.HYPERVISOR, microvm.name))
    said = microvm.closer.last_words if microvm.closer is not None else ()
    return next((one.words for one in said if one.unit == name), "")


def frozen(seen: Seen) -> Iterator[Finding]:
    """Nothing in the guest answers, and a stop takes all the time that it may.

    Cause: somebody, or a debugger, has stopped its hypervisor by a signal. Seen: the state of its process, T or t.
    Source: signal(7), proc(5).
    """
    hypervisor = seen.microvm.hypervisor
    if hypervisor is not None and hypervisor.frozen:
        what, why = "Its hypervisor is frozen by a signal (SIGSTOP).", "Nothing in its guest runs until it goes on."
        since = seen.microvm.state.since if seen.microvm.state.word is StateWord.DEGRADED else None
        yield error("hypervisor", "frozen", what, why, f"kill -CONT {hypervisor.pid}", since)


def slow_stop(seen: Seen) -> Iterator[Finding]:
    """A stop takes 90 to 150 s, and then it is killed.

    Cause: its runner has no bin/microvm-shutdown (kvmtool, stratovirt, alioth), so nobody asks the guest; or the guest
    does not react. Seen: "deactivating" for long, and the runner. Source: table 4, #262 #405.
    """
    microvm = seen.microvm
    if microvm.state.word is not StateWord.STOPPING or not seen.long_stop:
        return
    entry, built = microvm.entry, microvm.built
    told = entry is not None and entry.booted in (None, entry.current) and built is not None
    why = "Its guest has not ended yet, though it was asked to."
    if told and built is not None and not built.can_shutdown:
        why = "Its runner has no bin/microvm-shutdown: nobody asks the guest, it is killed when the time is over."
    fix = f"kill it: {verb('kill', microvm)}"
    yield warning("stop", "slow stop", "It takes long to stop.", why, fix, microvm.state.since)


def orphan(seen: Seen) -> Iterator[Finding]:
    """It runs, or fails, and no command of microvm.nix knows it.

    Cause: its directory was removed while it ran, or its unit is still wanted. Seen: a process or a unit without a
    directory. Source: table 16.
    """
    microvm = seen.microvm
    if microvm.state.word is StateWord.ORPHAN and microvm.entry is None:
        why = "Its directory was removed, or was never made."
        if microvm.hypervisor is not None:
            why = "Its directory was removed or unmounted while it ran."
        yield warning("directory", "orphan", microvm.state.why, why, _ends_orphan(seen), microvm.state.since)


def _ends_orphan(seen: Seen) -> str:
    """What runs is not stopped for a mount that is missing. systemctl stop leaves a unit failed that has failed."""
    microvm, by_systemd = seen.microvm, seen.manager == "systemd"
    stop = f"systemctl stop {shlex.quote(f'microvm@{microvm.name}')}" if by_systemd else verb("stop", microvm)
    if microvm.hypervisor is not None and not by_systemd and not microvm.units:
        stop = f"kill {microvm.hypervisor.pid}"
    if microvm.hypervisor is not None or any(unit.active_state not in _DOWN for unit in microvm.units):
        return f"bring back {microvm.path}, or {stop}"
    failed = [shlex.quote(unit.name) for unit in microvm.units if unit.active_state == "failed"]
    if by_systemd and failed:
        return f"systemctl reset-failed {' '.join(failed)}"
    return "take it out of microvm.autostart" if microvm.autostart else ""


def armed(seen: Seen) -> Iterator[Finding]:
    """Its overlay is empty after a start, or is not though that was asked for.

    Cause: a reset is armed; or what would do it is not in its unit any more, or refused. Seen: the record of what is
    armed, and the commands that the manager runs before a start. Source: systemd.service(5), ExecStartPre=.
    """
    if seen.armed is None:
        return
    microvm, armed_now, arming = seen.microvm, seen.armed, seen.armed.arming
    if arming is None:
        if armed_now.idle:
            what = "Nobody can tell how it is armed, and no start resets its overlay."
            fix = f"{verb('arm', microvm, '--once')}, --always or --off"
            yield warning("arming", "armed ?", what, armed_now.idle, fix)
        return
    if armed_now.idle:
        what = "It is armed, but nothing will reset its overlay."
        yield warning("arming", "arm again", what, f"{armed_now.idle}.", verb("arm", microvm, f"--{arming.how}"))
    if arming.refused:
        what = "The reset of its overlay that is armed was refused at its last start."
        fix = f"see {verb('reset --dry-run', microvm)}"
        yield warning("arming", "not reset", what, f"{arming.refused}.", fix, arming.refused_at)
    when = "before its next start" if arming.how is Armed.ONCE else "before every start"
    why = "A reset that is refused keeps it from starting." if arming.strict else ""
    off = f"{verb('arm', microvm, '--off')} ends that"
    yield info("arming", "armed", f"It is armed: its overlay is reset {when}.", why, off)

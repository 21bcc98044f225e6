"""Checks of starts, stops and what is armed for them."""

import shlex
from collections.abc import Iterator

from mvtui.model.finding import Finding
from mvtui.model.overlay import Armed
from mvtui.model.state import StateWord
from mvtui.operations.checks.check import Seen, info, warning


def autostart(seen: Seen) -> Iterator[Finding]:
    """It is down since the host booted, or since it ended.

    Cause: microvms.target wants it, and it was stopped, or its start failed and nobody tried again. Seen: the wants of
    microvms.target, against its state.
    """
    name, state = seen.microvm.name, seen.microvm.state
    if seen.microvm.autostart and state.word is StateWord.STOPPED:
        fix = f"start {name}"
        if seen.manager != "direct":
            fix += f", or see why it ended: journalctl -u {shlex.quote(f'microvm@{name}')}"
        yield warning("autostart", "autostart", "Autostart wants it, and it is stopped.", "", fix, state.since)


def armed(seen: Seen) -> Iterator[Finding]:
    """Its overlay is empty after a start, or is not though that was asked for.

    Cause: a reset is armed; or what would do it is not in its unit any more, or refused. Seen: the record of what is
    armed, and the commands that the manager runs before a start.
    """
    if seen.armed is None:
        return
    name, armed_now = seen.microvm.name, seen.armed
    arming, again = armed_now.arming, f"mvtui arm {shlex.quote(name)}"
    if arming is None:
        if armed_now.idle:
            what = "Nobody can tell how it is armed, and no start resets its overlay."
            yield warning("arming", "armed ?", what, armed_now.idle, f"{again} --once, --always or --off")
        return
    if armed_now.idle:
        what = "It is armed, but nothing will reset its overlay."
        yield warning("arming", "arm again", what, f"{armed_now.idle}.", f"{again} --{arming.how}")
    if arming.refused:
        what = "The reset of its overlay that is armed was refused at its last start."
        fix = f"see mvtui reset --dry-run {shlex.quote(name)}"
        yield warning("arming", "not reset", what, f"{arming.refused}.", fix, arming.refused_at)
    when = "before its next start" if arming.how is Armed.ONCE else "before every start"
    why = "A reset that is refused keeps it from starting." if arming.strict else ""
    yield info("arming", "armed", f"It is armed: its overlay is reset {when}.", why, f"{again} --off ends that")

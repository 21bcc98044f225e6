"""One line on what the host as a whole lacks, what came of the last command, and what is under way."""

from datetime import datetime

from mvtui.model.finding import Finding, Severity
from mvtui.model.format import age
from mvtui.model.text import clean
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui.command import DefinitionVerb, OverlayVerb, ShareVerb, Verb, VolumeVerb
from mvtui.ui.lines import Line, Piece, clipped, with_short_paths
from mvtui.ui.picture import Job, Picture
from mvtui.ui.roles import SEVERITY_ROLES
from mvtui.ui.widgets.picture_line import PictureLine

_DOING: dict[Verb, str] = {
    UnitVerb.START: "starting",
    UnitVerb.STOP: "stopping",
    UnitVerb.RESTART: "restarting",
    UnitVerb.KILL: "killing",
    OverlayVerb.RESET: "resetting",
    OverlayVerb.FRESH: "resetting and starting",
    OverlayVerb.STOP_FRESH: "stopping, resetting, starting",
    OverlayVerb.RESTORE: "restoring the overlay of",
    OverlayVerb.FREE: "freeing what is kept of",
    OverlayVerb.ARM_ONCE: "arming",
    OverlayVerb.ARM_ALWAYS: "arming",
    OverlayVerb.DISARM: "disarming",
    DefinitionVerb.REBUILD: "rebuilding",
    VolumeVerb.GROW: "growing a volume of",
    ShareVerb.MAKE_SOURCE: "making a directory for",
}


def status_line(picture: Picture) -> Line:
    """The line. What is wrong with the host as a whole stays in sight whatever happens; what came of one job stays
    while another runs."""
    snapshot = picture.snapshot
    # Without a microVM, the findings stand in the list's place.
    findings = snapshot.findings if snapshot is not None and snapshot.microvms else ()
    finding = max(findings, key=lambda one: one.severity, default=None)
    happening = [line for line in (picture.message, _progress(picture.jobs, picture.now)) if line]
    if finding is not None and (finding.severity is Severity.ERROR or not happening):
        happening.insert(0, _finding(finding, whole=not happening))
    if happening:
        first, *others = happening
        return (*first, *[piece for line in others for piece in (("   ", "text"), *line)])
    return strays_line(picture) if snapshot is not None else (("looking at the host …", "dim"),)


def _progress(jobs: tuple[Job, ...], now: datetime) -> Line:
    """How the last verb goes on: how long, what the units do that are under way, how many have arrived. One without a
    job is either not asked for yet, or not needed (tap interfaces, where there are none)."""
    if not jobs:
        return ()
    last = jobs[-1]
    pieces: list[Piece] = [(f"{_DOING[last.verb]} {clean(last.microvm)} {age(last.since, now)}", "strong")]
    pieces += [(f"  {clean(last.step)}", "starting")] if last.step else []
    pieces += [(f"  {_unit(unit)}", "starting") for unit in last.units if not unit.settled]
    done = sum(_has_arrived(last.verb, unit) for unit in last.units)
    if done:
        pieces.append((f"  {done} unit{'' if done == 1 else 's'} done", "dim"))
    if len(jobs) > 1:
        pieces.append((f"   and {len(jobs) - 1} more", "dim"))
    return tuple(pieces)


def _has_arrived(verb: Verb, unit: UnitStatus) -> bool:
    """Whether the unit is where the verb wants it, with nothing more to come."""
    goes_up = verb in (UnitVerb.START, UnitVerb.RESTART)
    return unit.settled and (unit.active_state == "active") is goes_up


def _unit(unit: UnitStatus) -> str:
    state = "queued" if unit.job is not None and unit.job.state == "waiting" else unit.active_state
    return clean(f"{unit.kind.removeprefix('microvm-')} {state}")


def _finding(finding: Finding, *, whole: bool) -> Line:
    """What is wrong; if `whole`, why and what mends it too."""
    why, fix = (f" {finding.why}".rstrip(), f"  {finding.fix}".rstrip()) if whole else ("", "")
    return ((clean(finding.what + why), SEVERITY_ROLES[finding.severity]), (clean(fix), "text"))


def strays_line(picture: Picture) -> Line:
    """The entries of the state directory that are no microVM."""
    strays = picture.snapshot.strays if picture.snapshot is not None else ()
    if not strays:
        return ()
    count = "1 entry is" if len(strays) == 1 else f"{len(strays)} entries are"
    named = ", ".join(f"{clean(stray.name)} ({clean(stray.what)})" for stray in strays[:9])
    return ((f"{count} no microVM: {named}", "dim"),)


class Status(PictureLine):
    """One line."""

    def line(self, picture: Picture, width: int) -> Line:
        """The line for this width."""
        return clipped(with_short_paths(status_line(picture), width), width)

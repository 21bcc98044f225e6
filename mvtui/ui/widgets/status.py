"""One line on what is under way, else what came of the last command, else what the host as a whole lacks."""

from textual.geometry import Size

from mvtui.model.finding import Finding
from mvtui.model.text import clean
from mvtui.model.unit import UnitStatus, UnitVerb
from mvtui.ui.lines import Line, Lines, Piece, clipped
from mvtui.ui.picture import Job, Picture
from mvtui.ui.roles import SEVERITY_ROLES

_DOING = {
    UnitVerb.START: "starting",
    UnitVerb.STOP: "stopping",
    UnitVerb.RESTART: "restarting",
    UnitVerb.KILL: "killing",
}


def status_line(picture: Picture) -> Line:
    """The line. What came of one job stays in sight while another runs."""
    if picture.jobs:
        return (
            (*picture.message, ("   ", "text"), *_progress(picture.jobs))
            if picture.message
            else _progress(picture.jobs)
        )
    if picture.message:
        return picture.message
    snapshot = picture.snapshot
    if snapshot is None:
        return (("looking at the host …", "dim"),)
    if snapshot.findings and snapshot.microvms:
        return _finding(snapshot.findings[0])
    return strays_line(picture)


def _progress(jobs: tuple[Job, ...]) -> Line:
    last = jobs[-1]
    pieces: list[Piece] = [(f"{_DOING[last.verb]} {clean(last.microvm)}", "strong")]
    if last.units:
        pieces.append((": " + ", ".join(_unit(unit) for unit in last.units), "text"))
    if len(jobs) > 1:
        pieces.append((f"   and {len(jobs) - 1} more", "dim"))
    return tuple(pieces)


def _unit(unit: UnitStatus) -> str:
    state = "queued" if unit.job is not None and unit.job.state == "waiting" else unit.active_state
    return clean(f"{unit.kind.removeprefix('microvm-')} {state}")


def _finding(finding: Finding) -> Line:
    fix = f"  {finding.fix}" if finding.fix else ""
    return ((clean(f"{finding.what} {finding.why}".strip()), SEVERITY_ROLES[finding.severity]), (clean(fix), "text"))


def strays_line(picture: Picture) -> Line:
    """The entries of the state directory that are no microVM."""
    strays = picture.snapshot.strays if picture.snapshot is not None else ()
    if not strays:
        return ()
    count = "1 entry is" if len(strays) == 1 else f"{len(strays)} entries are"
    named = ", ".join(f"{clean(stray.name)} ({clean(stray.what)})" for stray in strays[:9])
    return ((f"{count} no microVM: {named}", "dim"),)


class Status(Lines):
    """One line."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self._picture = picture
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The line for this width."""
        return (clipped(status_line(self._picture), size.width),) if self._picture is not None else ()

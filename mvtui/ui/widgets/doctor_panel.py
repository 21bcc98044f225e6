"""The check of this host: what is wrong with it and with its microVMs, worst first, and what was looked at."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.geometry import Size

from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.row import state_text
from mvtui.model.text import clean
from mvtui.operations.doctor import HostReport
from mvtui.ui.keys import Keys, all_keys, leave_label, leaves, live_keys
from mvtui.ui.lines import Line, Lines, clipped, ruled
from mvtui.ui.picture import Picture
from mvtui.ui.tabs.page import Entry, finding_lines, paragraph
from mvtui.ui.widgets.dialog import Dialog, DialogClosed
from mvtui.ui.widgets.sheet import Sheet

Examine = Callable[[Snapshot], Awaitable[HostReport]]

# Before the name of a microVM, in the key of its entry.
_MICROVM = "microvm "
_NO_KEYS: Keys = {}


def doctor_entries(picture: Picture, report: HostReport | None, width: int, keys: Keys = _NO_KEYS) -> list[Entry]:
    """The host's findings, those of each microVM that has some, the worst first, and what was looked at; `report` None:
    the host is still being looked at. `keys` are those of the commands that mend something."""
    snapshot = picture.snapshot
    microvms = snapshot.microvms if snapshot is not None else ()
    wrong = sorted((one for one in microvms if one.findings), key=lambda one: -one.findings[0].severity)
    entries = [
        _host_entry(number, finding, picture, width, keys) for number, finding in enumerate(_of_host(report, snapshot))
    ]
    entries += [_entry(microvm, picture, width, keys) for microvm in wrong]
    if not entries and report is not None:
        entries = [Entry(((("  Nothing is wrong.", "good"),), ()), "fine")]
    if report is None:
        return [*entries, Entry(((("  Looking at the host …", "dim"),),))]
    return [*entries, *_told(report, width)]


def _of_host(report: HostReport | None, snapshot: Snapshot | None) -> tuple[Finding, ...]:
    if report is not None:
        return report.findings
    return snapshot.findings if snapshot is not None else ()


def _host_entry(number: int, finding: Finding, picture: Picture, width: int, keys: Keys) -> Entry:
    return Entry(
        tuple(clipped(line, width) for line in finding_lines(finding, picture.now, width, keys)), f"host {number}"
    )


def _entry(microvm: MicroVM, picture: Picture, width: int, keys: Keys) -> Entry:
    head: Line = ((clean(microvm.name), "strong"), (f"  {state_text(microvm.state, picture.now)}", "dim"))
    lines = [head, *[line for finding in microvm.findings for line in finding_lines(finding, picture.now, width, keys)]]
    return Entry(tuple(clipped(line, width) for line in lines), f"{_MICROVM}{microvm.name}")


def _told(report: HostReport, width: int) -> Iterator[Entry]:
    for number, (subject, told) in enumerate(report.told):
        lines = [*([()] if number == 0 else []), *paragraph(subject, told, width, "dim")]
        yield Entry(tuple(clipped(line, width) for line in lines), f"told {number}")


class DoctorTitle(Lines):
    """How many errors and warnings there are, and how it is left."""

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def present(self, words: str) -> None:
        """Show this from now on."""
        if words != self._words:
            self._words = words
            self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """One line for this width."""
        return (ruled(self._words, size.width),)


class DoctorPanel(Vertical, Dialog):
    """Docked over the foot. `examine` looks at the host itself, once; `open_page` opens a microVM. It follows the
    microVMs while it is open."""

    def __init__(self, examine: Examine, open_page: Callable[[str], None]) -> None:
        super().__init__()
        self._examine = examine
        self._open_page = open_page
        self._asked = False
        self._report: HostReport | None = None
        self._shown: Picture | None = None
        self._title, self._sheet = DoctorTitle(), Sheet()

    def compose(self) -> ComposeResult:
        """Title and findings."""
        yield self._title
        yield self._sheet

    def on_mount(self) -> None:
        """The keys are its own from now on."""
        self.take_focus()
        self.watch(self.screen, "picture", self._renew)

    def take_focus(self) -> None:
        """The keys are the sheet's."""
        self.screen.set_focus(self._sheet)

    async def _look(self, snapshot: Snapshot) -> None:
        self._report = await self._examine(snapshot)
        self._renew(self._shown)

    def _renew(self, picture: Picture | None) -> None:
        if picture is None:
            return
        if picture.snapshot is not None and not self._asked:
            self._asked = True
            self.run_worker(self._look(picture.snapshot), name="doctor", group="doctor")
        self._shown, report = picture, self._report
        keys = all_keys(self.app)
        summary, leave = _summary(picture.snapshot, report), leave_label(keys)
        self._title.present(f"{clean(picture.host)}: {summary}; Enter opens, {leave} leaves")
        self._sheet.present(lambda width, _cursor: doctor_entries(picture, report, width, keys))

    def on_key(self, event: Key) -> None:
        """Move, open the microVM under the cursor, or leave; no other key goes on to anything else."""
        event.stop()
        if self._sheet.move(event.key):
            return
        keys, key = live_keys(self.screen), self._sheet.cursor_key
        if event.key == "enter" and key is not None and key.startswith(_MICROVM):
            name = key.removeprefix(_MICROVM)
            self.post_message(DialogClosed(self, lambda: self._open_page(name)))
        elif leaves(event.key, keys, "doctor", "back"):
            self.post_message(DialogClosed(self))


def _summary(snapshot: Snapshot | None, report: HostReport | None) -> str:
    found = [finding for one in (snapshot.microvms if snapshot is not None else ()) for finding in one.findings]
    counted = Counter(finding.severity for finding in (*found, *_of_host(report, snapshot)))
    words = [
        f"{counted[severity]} {severity.name.lower()}{'' if counted[severity] == 1 else 's'}"
        for severity in (Severity.ERROR, Severity.WARNING)
        if counted[severity]
    ]
    return ", ".join(words) or "nothing wrong"

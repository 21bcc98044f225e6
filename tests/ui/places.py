"""Every place of the panel where a key can be pressed, how one gets there, and what can change from there."""

from collections.abc import Mapping
from dataclasses import dataclass

from textual.css.query import DOMQuery
from textual.widgets import Input

from mvtui.model.definition import Definition, Runner, Share, ShareProto
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import Snapshot
from mvtui.ui.forms.definition_panel import DefinitionPanel
from mvtui.ui.widgets.cursor_lines import CursorLines
from mvtui.ui.widgets.help import Help
from mvtui.ui.widgets.log_view import LogView
from mvtui.ui.widgets.microvm_list import MicroVMList
from mvtui.ui.widgets.sheet import Sheet
from mvtui.ui.widgets.tab_bar import TabBar
from tests.ui.conftest import Panel
from tests.ui.full_samples import HEALTHY
from tests.ui.growth_samples import GROWABLE
from tests.ui.overlay_samples import KEEPING, RUNNING, UNKNOWN
from tests.ui.samples import EMPTY, LAB, LACKING, PRODUCT, STOPPING, WEB, snapshot

FULL = snapshot(HEALTHY)
# As it is built; its file can't be written.
_DOCS = Share("docs", ShareProto.NINE_P, "/docs", "/docs")
ADOPTABLE = LAB._replace(
    built=Runner("/r", Definition(Hypervisor.QEMU, host_name="lab", fstab_read=True, shares=(_DOCS,)))
)


@dataclass(frozen=True)
class Where:
    """`keys` lead there; then the host looks like `then`. `types`: what is printable is typed into a field. `unknown`:
    nothing tells where the overlay of lab is."""

    snapshot: Snapshot
    keys: str = ""
    then: Snapshot | None = None
    types: bool = False
    unknown: bool = False


PLACES = {
    "list": Where(PRODUCT, "j j j"),
    "overview": Where(FULL, "1 ctrl+d"),
    "shares": Where(FULL, "2 j"),
    "volumes": Where(FULL, "3 j j"),
    "processes": Where(FULL, "4 j j"),
    "logs": Where(FULL, "5 ctrl+u ctrl+u"),
    "timeline": Where(FULL, "6 j j j"),
    "gone": Where(FULL, "2", EMPTY),
    "help": Where(PRODUCT, "question_mark j j"),
    "doctor": Where(PRODUCT, "D j j"),
    "calls": Where(PRODUCT, "at j j"),
    "copy": Where(PRODUCT, "y j j"),
    "palette": Where(PRODUCT, "colon t down down", types=True),
    "filter": Where(PRODUCT, "slash a", types=True),
    "search": Where(FULL, "5 slash e", types=True),
    "level": Where(FULL, "5 v"),
    "bar": Where(snapshot(WEB), "T"),
    "facts": Where(snapshot(STOPPING), "T"),
    "typed": Where(snapshot(WEB), "K w", types=True),
    "count": Where(PRODUCT, "asterisk r 4", types=True),
    "state": Where(PRODUCT, "f"),
    "plan": Where(snapshot(KEEPING), "O"),
    "running": Where(snapshot(RUNNING), "O"),
    "fresh": Where(snapshot(RUNNING), "O f w", types=True),
    "overlays": Where(snapshot(KEEPING, LAB._replace(name="old")), "asterisk O 1", types=True),
    "which": Where(snapshot(KEEPING), "O", unknown=True),
    "back": Where(snapshot(KEEPING), "u"),
    "free": Where(snapshot(KEEPING), "x"),
    "arm": Where(snapshot(KEEPING), "A"),
    "growth": Where(snapshot(GROWABLE), "3 j j Z"),
    "source": Where(snapshot(LACKING), "M"),
    "adopt": Where(snapshot(ADOPTABLE), "a j j"),
    "definition": Where(FULL, "e j j j"),
    "form": Where(FULL, "3 e down", types=True),
}
TABS = ("overview", "shares", "volumes", "processes", "logs", "timeline")
LEVELS = ("list", *TABS, "gone")


async def go(panel: Panel, where: Where) -> None:
    """Be there."""
    if where.unknown:
        panel.host.plans["lab"] = UNKNOWN
    await panel.press(*where.keys.split())
    if where.then is not None:
        await panel.tell(where.then)


def seen(panel: Panel) -> Mapping[str, object]:
    """All that a key can change, by a word for it."""
    app = panel.app
    if not app.is_running:
        return {"exits": True}
    screen, picture = app.panel, app.shown
    log = next(iter(screen.query(LogView)), None) if screen.opened is not None else None
    listing = screen.query_one(MicroVMList)
    fields, helps = screen.query(Input), screen.query(Help)
    dialog = screen._dialog
    return {
        "exits": False,
        "opened": screen.opened,
        "tab": screen.query_one(TabBar).chosen if screen.opened is not None else None,
        "filter": (listing.listing.text, listing.listing.state, listing.listing.wrong),
        "sort": (listing.listing.sort, listing.listing.reverse),
        "marks": listing.marks,
        "read-only": picture.read_only,
        "paused": picture.paused,
        "mouse": app.mouse,
        "says": picture.message,
        "looks": panel.host.looks,
        "does": (
            tuple(panel.host.asked),
            tuple(panel.host.cancelled),
            tuple(panel.host.overlays),
            tuple(panel.host.grown),
            tuple(panel.host.made),
        ),
        "asks": screen._question.question.text if screen._question.question else type(dialog).__name__,
        "types": fields.first().value if fields else _typed(screen.query(DefinitionPanel)),
        "draft": _draft(screen.query(DefinitionPanel)),
        "shows": (log.walk.wanted, log._look.wrap, log._look.times) if log is not None else None,
        "unfolds": [one.unfolded for one in screen.query(Sheet) if one.unfolded],
        "notes": log.walk.note if log is not None else "",
        "cursor": ({id(log): (log.walk.viewport.top, log.walk.follows)} if log is not None else {})
        | {id(one): (one.cursor_key, one.scroll_offset) for one in screen.query(CursorLines)}
        | {id(one): one.scroll_offset for one in helps},
    }


def _typed(panels: DOMQuery[DefinitionPanel]) -> tuple[str, ...]:
    """What stands in the fields of a form."""
    form = panels.first()._form.form if panels else None
    return tuple(form.line(each.key).text for each in form.fields) if form is not None else ()


def _draft(panels: DOMQuery[DefinitionPanel]) -> tuple[object, ...]:
    """What a definition is meant to be, the form that is open, what is asked."""
    editing = panels.first().editing if panels else None
    if editing is None:
        return ()
    form = editing.form
    return editing.draft.text, (form.kind, form.at) if form is not None else None, panels.first()._keys.asks


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    """The words of what is otherwise; a cursor counts where its lines are there before and after."""
    words = {word for word in before.keys() & after.keys() if before[word] != after[word]}
    if "tab" in words:
        words -= {"shows", "notes"}  # of a log that was not there
    was, now = before.get("cursor"), after.get("cursor")
    if isinstance(was, dict) and isinstance(now, dict) and all(was[one] == now[one] for one in was.keys() & now.keys()):
        words.discard("cursor")
    if "draft" in words:  # a form opens or is closed, and what the cursor stood on may be gone
        words -= {"types", "cursor"}
    return words - ({"types", "draft"} if "asks" in words else set())

"""One microVM as a row of the list: the texts of its cells, the same in the panel and in `mvtui list`. Pure."""

from dataclasses import dataclass
from datetime import datetime

from mvtui.model.format import NOTHING, age, duration, percent, size
from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.state import State, StateWord
from mvtui.model.text import clean


@dataclass(frozen=True, slots=True)
class Row:
    """Texts without control characters; `-` where nobody knows. `mem` is used / most."""

    name: str
    state: str
    age: str
    cpu: str
    mem: str
    fsd: str
    overlay: str
    note: str


def row(microvm: MicroVM, now: datetime) -> Row:
    """The row of `microvm` as it is at `now`."""
    return Row(
        name=clean(microvm.name),
        state=state_text(microvm.state, now),
        age=age(microvm.state.since, now),
        cpu=percent(_cpu(microvm)),
        mem=_mem(microvm),
        fsd=_fsd(microvm),
        overlay=_overlay(microvm),
        note=clean(microvm.note),
    )


def state_text(state: State, now: datetime) -> str:
    """The STATE column: the word, and what goes with it (`looping ×12`, `starting 12s`, `stopping 40s` until killed)."""
    if state.word is StateWord.LOOPING and state.restarts is not None:
        return f"looping ×{state.restarts}"
    if state.word is StateWord.STARTING and state.since is not None:
        return f"starting {age(state.since, now)}"
    if state.word is StateWord.STOPPING and state.deadline is not None:
        return f"stopping {duration((state.deadline - now).total_seconds())}"
    if state.word is StateWord.FAILED and state.detail:
        return f"failed {clean(state.detail)}"
    return str(state.word)


def _cpu(microvm: MicroVM) -> float | None:
    known = [process.cpu_percent for process in microvm.processes if process.cpu_percent is not None]
    return sum(known) if known else None


def _mem(microvm: MicroVM) -> str:
    definition = microvm.definition
    most = size(definition.mem * 2**20 if definition is not None and definition.mem is not None else None)
    used = size(microvm.hypervisor.memory) if microvm.hypervisor is not None else NOTHING
    return f"{used} / {most}"


def _fsd(microvm: MicroVM) -> str:
    """Virtiofs shares served, of all; `-` while it does not run or where there are none."""
    virtiofs = [status for status in microvm.shares if status.share.socket is not None]
    if not virtiofs or all(status.health is ShareHealth.OFF for status in virtiofs):
        return NOTHING
    return f"{sum(status.health is ShareHealth.UP for status in virtiofs)}/{len(virtiofs)}"


def _overlay(microvm: MicroVM) -> str:
    """What the overlay's image takes on the host, and how much of its full size that is."""
    overlay = microvm.overlay
    if overlay is None or overlay.image is None or overlay.image.problem is not None or not overlay.image.size:
        return NOTHING
    image = overlay.image
    return f"{size(image.allocated)} {min(100, round(100 * image.allocated / image.size)):d}%"

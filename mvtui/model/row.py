"""One microVM as a row of the list: the texts of its cells, the same in the panel and in `mvtui list`. Pure."""

from datetime import datetime
from typing import NamedTuple

from mvtui.model.definition import ShareProto
from mvtui.model.format import NOTHING, age, duration, percent, size
from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.state import State, StateWord
from mvtui.model.text import clean


class Row(NamedTuple):
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
        age=age(state_since(microvm), now),
        cpu=percent(cpu_percent(microvm)),
        mem=_mem(microvm),
        fsd=_fsd(microvm),
        overlay=_overlay(microvm),
        note=clean(microvm.note),
    )


def up_since(microvm: MicroVM) -> datetime | None:
    """When its hypervisor started; None where nothing runs."""
    return microvm.hypervisor.started if microvm.hypervisor is not None else None


def state_since(microvm: MicroVM) -> datetime | None:
    """Since when it is in its state: of one that runs, or is nobody's, its hypervisor's start does where no unit tells.
    What went wrong meanwhile has not been so since then."""
    runs = microvm.state.word in (StateWord.RUNNING, StateWord.ORPHAN)
    return microvm.state.since or (up_since(microvm) if runs else None)


def state_text(state: State, now: datetime) -> str:
    """The STATE column: the word, and what goes with it: `looping ×12`, `starting 12s`, `failed exit 1`; `stopping 40s`
    counts down to when it is killed, or up where nobody knows when."""
    word = str(state.word)
    if state.word is StateWord.LOOPING and state.restarts is not None:
        return f"{word} ×{state.restarts}"
    if state.word is StateWord.STOPPING and state.deadline is not None:
        return f"{word} {duration((state.deadline - now).total_seconds())}"
    if state.word in (StateWord.STARTING, StateWord.STOPPING) and state.since is not None:
        return f"{word} {age(state.since, now)}"
    if state.word is StateWord.FAILED and state.detail:
        return clean(f"{word} {state.detail}")
    return word


# What stands behind `failed` where the column has no room for more.
_SHORT_DETAILS = {
    "dependency": "depend.",
    "too many starts": "too many",
    "protocol error": "protocol",
    "core dump": "dumped",
    "resources": "resource",
    "its start or stop script failed": "script",
    "its keeper was killed": "keeper",
    "exec-condition": "cond.",
}


def short_state_text(text: str, cells: int) -> str:
    """`state_text` in a word that fits into so many cells (15 or more), where it has one."""
    word, _, detail = text.partition(" ")
    return f"{word} {_SHORT_DETAILS[detail]}" if len(text) > cells and detail in _SHORT_DETAILS else text


def cpu_percent(microvm: MicroVM) -> float | None:
    """Percent of one core that all of its processes take; None where nobody knows."""
    known = [process.cpu_percent for process in microvm.processes if process.cpu_percent is not None]
    return sum(known) if known else None


def _mem(microvm: MicroVM) -> str:
    definition = microvm.definition
    most = definition.mem * 2**20 if definition is not None and definition.mem is not None else None
    used = microvm.hypervisor.memory if microvm.hypervisor is not None else None
    return NOTHING if used is None and most is None else f"{size(used):>4} / {size(most):>4}"


def _fsd(microvm: MicroVM) -> str:
    """Virtiofs shares served, of all: `1/2`, `?/2` where that can't be told; `-` while it does not run or where there
    are none."""
    virtiofs = [status for status in microvm.shares if status.share.proto is ShareProto.VIRTIOFS]
    if not virtiofs or not microvm.state.word.is_up:
        return NOTHING
    if any(status.health is ShareHealth.UNKNOWN for status in virtiofs):
        return f"?/{len(virtiofs)}"
    return f"{sum(status.health is ShareHealth.UP for status in virtiofs)}/{len(virtiofs)}"


def overlay_percent(microvm: MicroVM) -> float | None:
    """How full the overlay's file system is; None where that can't be told."""
    image = microvm.overlay.image if microvm.overlay is not None else None
    return image.fill_percent if image is not None else None


def _overlay(microvm: MicroVM) -> str:
    """What is used in the overlay, and how full that makes it; where its file system can't be read, what the image
    takes on the host."""
    image = microvm.overlay.image if microvm.overlay is not None else None
    if image is None or image.problem is not None:
        return f"{NOTHING:>4}"
    fill = image.fill_percent
    return f"{size(image.allocated):>4}" if fill is None else f"{size(image.fs_used):>4} {int(fill):>3}%"

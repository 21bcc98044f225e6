"""What of microVMs can be copied, each by a letter. Pure.

All of it is one line without control characters: what is pasted into a shell does not run before somebody has read it.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from mvtui.model.microvm import MicroVM
from mvtui.model.row import state_text
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind, unit_name
from mvtui.ui.widgets.why_line import cause


class Later(Enum):
    """What has to be looked for first."""

    LOGIN = "the way in is looked for first"
    LAST_ERROR = "the log is read first"


@dataclass(frozen=True, slots=True)
class Copyable:
    """`key` is its letter, `title` what it is, `text` what is copied, or `later` where that is not known yet.
    `refusal`: why it can't be, "" where it can."""

    key: str
    title: str
    text: str = ""
    refusal: str = ""
    later: Later | None = None


def copyables(
    targets: Sequence[MicroVM], under_cursor: tuple[str, str | None], now: datetime, *, with_units: bool
) -> tuple[Copyable, ...]:
    """All of one, or what several have alike, with a blank between. `under_cursor`: the tab that is open, and the key
    of the entry under its cursor. `with_units`: systemd runs them."""
    if len(targets) == 1:
        return (*_under_cursor(targets[0], *under_cursor), *_of_one(targets[0], now, with_units=with_units))
    several = [
        Copyable("n", "names", _joined(one.name for one in targets)),
        Copyable("d", "directories", _joined(one.path for one in targets)),
    ]
    if with_units:
        several.append(Copyable("u", "units", _joined(_unit(one) for one in targets)))
    return tuple(several)


def _of_one(microvm: MicroVM, now: datetime, *, with_units: bool) -> Iterator[Copyable]:
    hypervisor = microvm.hypervisor
    yield Copyable("n", "name", clean(microvm.name))
    yield Copyable("d", "directory", clean(microvm.path))
    if with_units:
        yield Copyable("u", "unit", clean(_unit(microvm)))
    yield Copyable("w", "why", _why(microvm, now))
    yield Copyable("e", "last error", later=Later.LAST_ERROR)
    off = "" if hypervisor is not None else f"it {microvm.has_none}"
    yield Copyable("s", "ssh command", refusal=off, later=Later.LOGIN)
    yield Copyable("p", "pid", str(hypervisor.pid) if hypervisor is not None else "", off)
    yield Copyable("c", "command line", clean(shlex.join(hypervisor.argv)) if hypervisor is not None else "", off)
    yield Copyable("f", "definition", clean(microvm.document or ""), "" if microvm.document else "it has no file")
    runner = microvm.built.path if microvm.built is not None else ""
    yield Copyable("r", "runner", clean(runner), "" if runner else "none was read")
    overlay = microvm.overlay
    if overlay is not None:
        yield Copyable("o", "overlay", clean(os.path.join(microvm.path, overlay.volume.image)))


def _why(microvm: MicroVM, now: datetime) -> str:
    """As people would write it down: name, state, since when, why."""
    since = microvm.state.since
    began = f" since {since.astimezone(now.tzinfo):%Y-%m-%d %H:%M}" if since is not None else ""
    why = cause(microvm)
    return clean(f"{microvm.name}: {state_text(microvm.state, now)}{began}") + (f". {why}" if why else "")


def _under_cursor(microvm: MicroVM, tab: str, key: str | None) -> Iterator[Copyable]:
    """The source of the share, the image of the volume, the command line of the process that the cursor is on."""
    if tab == "shares":
        sources = [status.share.source for status in microvm.shares if status.share.tag == key]
        found = [Copyable("t", f"source of {clean(key or '')}", clean(source)) for source in sources if source]
    elif tab == "volumes":
        images = [status.volume.image for status in microvm.volumes if status.volume.image == key]
        found = [Copyable("t", "this image", clean(os.path.join(microvm.path, image))) for image in images]
    elif tab == "processes":
        lines = [one.argv for one in microvm.processes if str(one.pid) == key]
        found = [Copyable("t", f"command {key}", clean(shlex.join(argv))) for argv in lines]
    else:
        found = []
    yield from found[:1]


def _joined(words: Iterator[str]) -> str:
    return clean(" ".join(map(shlex.quote, words)))


def _unit(microvm: MicroVM) -> str:
    unit = microvm.unit(UnitKind.HYPERVISOR)
    return unit.name if unit is not None else unit_name(UnitKind.HYPERVISOR, microvm.name)

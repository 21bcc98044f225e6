"""The overview: what is wrong, and all parts of a microVM in a line each. Beside the list, the same in less width."""

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

from mvtui.model.definition import Definition
from mvtui.model.format import age, percent, size
from mvtui.model.guest import GuestStage
from mvtui.model.guest_words import guest_facts
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth, ShareStatus, VolumeStatus
from mvtui.model.row import cpu_percent
from mvtui.model.state import StateWord
from mvtui.model.text import clean
from mvtui.model.unit import UnitKind, UnitStatus
from mvtui.ui.charset import fit, fit_end
from mvtui.ui.glyphs import share_glyph, unit_glyph
from mvtui.ui.lines import Line, Piece, clipped, folded, ruled
from mvtui.ui.sparkline import ONE_CORE, gauge, sparkline
from mvtui.ui.tabs.drift import DRIFT, drift_lines
from mvtui.ui.tabs.overlay import overlay_lines
from mvtui.ui.tabs.page import LABEL_WIDTH, Entry, Page, finding_lines, labelled, paragraph

# With fewer columns, each share and each volume take two lines.
NARROW = 80
_TREND_WIDTH = 24
_GAUGE_WIDTH = 10
# What a volume's line has beside label, image and mount point: its name, the sizes, `btrfs 100%`, gaps.
_AROUND_PATHS = 9 + 11 + 10 + 3


def entries(page: Page, width: int) -> list[Entry]:
    """All of it; there is nothing to choose."""
    drift = tuple(drift_lines(page.microvm, width))
    lines = [*_wrong(page, width), *_parts(page, width)]
    stages = _stages(page.microvm, width)
    return [
        Entry(tuple(clipped(line, width) for line in lines)),
        Entry(tuple(clipped(line, width) for line in (*drift, *stages)), section=DRIFT if drift else ""),
    ]


def beside_list(page: Page, width: int) -> list[Line]:
    """The same under the microVM's name, for the right of the list; what is worst says the why-line."""
    rest = [
        line for finding in page.microvm.findings[1:] for line in finding_lines(finding, page.now, width, page.keys)
    ]
    lines = [*rest, *_parts(page, width), *drift_lines(page.microvm, width), *_stages(page.microvm, width)]
    return [ruled(clean(page.microvm.name), width), *[clipped(line, width) for line in lines]]


def _parts(page: Page, width: int) -> list[Line]:
    return [
        *_hypervisor(page, width),
        *_loads(page, width),
        *_guest(page, width),
        *_section("Units", _units(page, width)),
        *_section("Shares", [line for status in page.microvm.shares for line in _share(page, status, width)]),
        *_section("Volumes", [line for status in page.microvm.volumes for line in _volume(status, width)]),
        *_section("Overlay", list(overlay_lines(page))),
    ]


def _section(label: str, lines: list[Line]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        yield labelled(label if number == 0 else "", line)


def _wrong(page: Page, width: int) -> Iterator[Line]:
    microvm = page.microvm
    said = any(finding.what == microvm.state.why for finding in microvm.findings)
    if not said and (microvm.state.word is not StateWord.DEGRADED or not microvm.findings):  # a finding says it better
        yield from paragraph("State", microvm.state.why, width)
    for finding in microvm.findings:
        yield from finding_lines(finding, page.now, width, page.keys)


def _hypervisor(page: Page, width: int) -> Iterator[Line]:
    microvm, definition = page.microvm, page.microvm.definition
    facts = [str(definition.hypervisor) if definition is not None and definition.hypervisor else "unknown"]
    process = microvm.hypervisor
    if process is not None:
        facts += [f"pid {process.pid}", f"up {age(process.started, page.now):>3}"]
    figures = _figures(definition)
    unit = microvm.unit(UnitKind.HYPERVISOR)
    if unit is not None and unit.n_restarts is not None:
        figures.append(f"restarts {unit.n_restarts}")
    for number, line in enumerate(_beside([*facts, *figures], width)):
        yield labelled("" if number else "Hypervisor", ((line, "text"),))


def _beside(facts: Sequence[str], width: int) -> list[str]:
    """The facts (of the host) one beside the other, in as many lines as it takes; a long one is folded."""
    room = max(10, width - LABEL_WIDTH - 1)
    lines: list[str] = []
    for fact in facts:
        first, *rest = folded(clean(fact), room, 50)
        if lines and cell_len(lines[-1]) + 3 + cell_len(first) <= room:
            lines[-1] += f"   {first}"
        else:
            lines.append(first)
        lines += rest
    return lines


def _figures(definition: Definition | None) -> list[str]:
    if definition is None:
        return []
    figures = [f"vcpu {definition.vcpu}"] if definition.vcpu is not None else []
    return [*figures, f"vsock {definition.vsock_cid}"] if definition.vsock_cid is not None else figures


def _loads(page: Page, width: int) -> Iterator[Line]:
    """CPU of all its processes, memory of the hypervisor against what the guest has."""
    microvm, definition = page.microvm, page.microvm.definition
    if microvm.hypervisor is None:
        return
    trend = _trend(page, min(_TREND_WIDTH, max(0, width - LABEL_WIDTH - 8)))
    yield labelled("CPU", ((f"{percent(cpu_percent(microvm)):>4}%  ", "text"), (trend, "dim")))
    used = microvm.hypervisor.memory
    most = definition.mem * 2**20 if definition is not None and definition.mem is not None else None
    pieces: list[Piece] = [(f"{size(used):>4} of {size(most):>4}", "text")]
    if most:
        pieces += [
            (f" {100 * used // most:>3}%  ", "text"),
            (gauge(used / most, min(_GAUGE_WIDTH, max(0, width - 32)), ascii_only=page.ascii_only), "dim"),
        ]
    yield labelled("Memory", pieces)


def _guest(page: Page, width: int) -> Iterator[Line]:
    """What it tells itself, and what its hypervisor says of it; nothing while it does not run."""
    guest = page.microvm.guest
    if guest is None:
        return
    stage, *facts = guest_facts(guest)
    since = guest.console.since if guest.console is not None else None
    if since is not None and guest.stage is not GuestStage.BOOTING:
        stage += f" {age(since, page.now)} ago"
    bad = guest.against() is not None and not guest.lost_shares  # which says nothing of how far it has come
    lines = [stage, *_beside(facts, width)] if bad else _beside([stage, *facts], width)
    for number, line in enumerate(lines):
        yield labelled("" if number else "Guest", ((line, "error" if bad and number == 0 else "text"),))


def _trend(page: Page, width: int) -> str:
    """The CPU of all its processes together."""
    series = [list(page.trends.of(process).cpu.last(width)) for process in page.microvm.processes]
    columns = zip_longest(*[reversed(one) for one in series], fillvalue=math.nan)
    # NaN: nobody looked, or it did not run yet.
    known = [[value for value in column if not math.isnan(value)] for column in columns]
    together = [sum(values) if values else math.nan for values in known]
    return sparkline(together[::-1], width, most=ONE_CORE, ascii_only=page.ascii_only)


def _units(page: Page, width: int) -> list[Line]:
    if width < NARROW:
        return [_unit(page, unit, unit.kind.removeprefix("microvm-")) for unit in page.microvm.units]
    names = [clean(unit.name.removesuffix(".service")) for unit in page.microvm.units]
    widest = max([cell_len(name) for name in names], default=0)
    return [_unit(page, unit, fit(name, min(widest, 40))) for unit, name in zip(page.microvm.units, names, strict=True)]


def _unit(page: Page, unit: UnitStatus, name: str) -> Line:
    glyph, role = unit_glyph(page.microvm, unit, page.ascii_only)
    words = [f"{unit.active_state} {age(unit.since, page.now)}" if unit.since else unit.active_state]
    words += [unit.sub_state] if unit.sub_state not in ("running", "exited", "dead", unit.active_state) else []
    words += [f"{unit.job.kind} {unit.job.state or 'queued'}"] if unit.job is not None else []
    words += [f"restarts {unit.n_restarts}"] if unit.n_restarts else []
    return ((f"{glyph} ", role), (f"{name}  ", "text"), (clean(", ".join(words)), "dim"))


def _share(page: Page, status: ShareStatus, width: int) -> Iterator[Line]:
    share = status.share
    access = {True: " ro", False: " rw", None: ""}[share.read_only]
    glyph, role = share_glyph(status.health, page.ascii_only)
    tag, source = clean(share.tag or "?"), clean(share.source or "?")
    widest = max(cell_len(clean(one.share.source or "?")) for one in page.microvm.shares)
    target = f"→ {clean(share.mount_point or '?')}"
    wrong = "no source" if status.source_exists is False else "down" if status.health is ShareHealth.DOWN else ""
    if width < NARROW:
        yield ((f"{glyph} ", role), (f"{tag} ", "strong"), (f"{wrong} " if wrong else "", "error"), (target, "text"))
        yield (("  ", "text"), (fit_end(source, max(0, width - LABEL_WIDTH - 3)), "dim"))
        return
    yield (
        (f"{glyph} ", role),
        (f"{fit(tag, 10)} ", "strong"),
        (f"{fit_end(source, max(15, min(widest, width - 65)))} ", "text"),
        (f"{fit(target, 16)} ", "text"),
        (f"{share.proto}{access}", "dim"),
        (f"  {wrong}" if wrong else "", "error"),
    )


def _volume(status: VolumeStatus, width: int) -> Iterator[Line]:
    volume, image = status.volume, status.image
    name = "overlay" if status.overlay else f"vd{volume.letter}" if volume.letter else ""
    # Of the path, which the problem begins with, the end stands before it.
    problem = clean((image.problem or "").removeprefix(f"{image.path}: ")) if image is not None else ""
    sizes, fs = (_sizes(image), _file_system(image)) if image is not None and not problem else ("", "")
    if width < NARROW:
        start: Line = ((f"{fit(name, 7)} ", "strong"),)
        yield (*start, (problem, "warning")) if problem else (*start, (f"{sizes} ", "text"), (fs, "dim"))
        yield ((" " * 8, "text"), (fit_end(clean(volume.image), max(0, width - LABEL_WIDTH - 9)), "dim"))
        return
    room = min(30, (width - LABEL_WIDTH - _AROUND_PATHS) // 2)
    start = ((f"{fit(name, 8)} ", "strong"), (f"{fit_end(clean(volume.image), room)} ", "text"))
    if problem:  # which needs more room than the other columns have
        yield (*start, (problem, "warning"))
        return
    target = f"→ {fit_end(clean(volume.mount_point), room - 2)}" if volume.mount_point else " " * room
    yield (*start, (f"{sizes:>9}  ", "text"), (f"{target} ", "text"), (fs, "dim"))


def _file_system(image: ImageFacts) -> str:
    """Its type, and how full it is where that can be told."""
    full = f" {int(image.fill_percent)}%" if image.fill_percent is not None else ""
    return f"{clean(image.fs_type or 'blank')}{full}"


def _sizes(image: ImageFacts) -> str:
    """What is used of its file system; where that can't be read, what the image takes on the host."""
    if image.fs_room is None or image.fs_used is None:
        return f"{size(image.allocated)}/{size(image.size)}"
    return f"{size(image.fs_used)}/{size(image.fs_room)}"


def _stages(microvm: MicroVM, width: int) -> Iterator[Line]:
    entry = microvm.entry
    if entry is None:
        return
    if microvm.document is not None:
        yield from paragraph("Defined", microvm.document, width, "dim")
    yield from paragraph("Built", entry.current or "nothing", width, "dim")
    if entry.booted is not None and entry.booted != entry.current:
        yield from paragraph("Booted", entry.booted, width, "warning" if entry.stale else "dim")

"""The processes of a microVM: the tree under each unit, what each takes now and took in the last minutes."""

import re
import shlex
from collections.abc import Iterator, Sequence

from mvtui.model.format import age, percent, size
from mvtui.model.microvm import MicroVM
from mvtui.model.process import ProcessSample
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.glyphs import unit_glyph
from mvtui.ui.lines import Line, clipped, folded
from mvtui.ui.sparkline import ONE_CORE, sparkline
from mvtui.ui.tabs.page import Entry, Page

_WHAT_WIDTH, _LEAST_WHAT_WIDTH = 26, 14
_NUMBERS = "  CPU%   MEM  THR      FILES  AGE"
# So many lines of a command line stand under the cursor until it is unfolded: the other processes stay in sight.
_FEW_LINES = 3
# A command line may have 2 MB; more lines than these say nothing to people.
_MOST_LINES = 200
_INDENT = " " * 11
_INTERPRETERS = ("python", "bash", "sh")
# What every path into the store has and nobody reads; of another store (a demo's) the path would look whole without.
_HASHES = re.compile(r"(?<![\w./-])/nix/store/[0-9a-z]{32}-")


def entries(page: Page, width: int) -> list[Entry]:
    """A title, then each unit with its processes; the process under the cursor shows more of its command line,
    and all of it where it is unfolded."""
    if not page.microvm.processes:
        return [Entry(((), clipped((("  No process of it runs.", "text"),), width)))]
    head: Line = ((f"{'    PID':<11}{'WHAT':<{_what_width(width)}}{_NUMBERS}  {_trend_title(width)}".rstrip(), "dim"),)
    found = [Entry((clipped(head, width),))]
    in_units = any(process.unit is not None for process in page.microvm.processes)
    for unit, processes in _by_unit(page.microvm):
        if in_units:  # without systemd, none is in one
            found.append(Entry((clipped(_unit(page, unit), width),)))
        found += [_entry(page, process, depth, width) for process, depth in _tree(processes)]
    return found


def _what_width(width: int) -> int:
    """The numbers keep their room as long as there is any."""
    return max(_LEAST_WHAT_WIDTH, min(_WHAT_WIDTH, width - 11 - len(_NUMBERS)))


def _trend_width(width: int) -> int:
    return max(0, min(60, width - 11 - _WHAT_WIDTH - len(_NUMBERS) - 2))


def _trend_title(width: int) -> str:
    room = _trend_width(width)
    return "CPU, last minutes" if room >= 17 else "CPU" if room >= 3 else ""


def _by_unit(microvm: MicroVM) -> list[tuple[str | None, list[ProcessSample]]]:
    """The units that have processes, the hypervisor's first; what stands in none comes last."""
    names = dict.fromkeys(unit.name for unit in reversed(microvm.units))
    names |= dict.fromkeys(process.unit for process in microvm.processes if process.unit is not None)
    grouped = [(name, [one for one in microvm.processes if one.unit == name]) for name in (*names, None)]
    return [(name, processes) for name, processes in grouped if processes]


def _tree(processes: Sequence[ProcessSample]) -> Iterator[tuple[ProcessSample, int]]:
    """Each process with how deep it stands below those of the same unit, children behind their parent."""
    pids = {process.pid for process in processes}
    children: dict[int, list[ProcessSample]] = {}
    for process in sorted(processes, key=lambda one: (one.started, one.pid)):
        children.setdefault(process.ppid if process.ppid in pids and process.ppid != process.pid else 0, []).append(
            process
        )
    # A pid that is given again between two reads may make a ring of parents: what is left begins at any of them.
    for root in (0, *sorted(children.keys() - {0})):
        waiting = [(process, 0) for process in reversed(children.pop(root, []))]
        while waiting:
            process, depth = waiting.pop()
            yield process, depth
            waiting += [(child, depth + 1) for child in reversed(children.pop(process.pid, []))]


def _unit(page: Page, name: str | None) -> Line:
    unit = next((one for one in page.microvm.units if one.name == name), None)
    if name is None:
        return (("· ", "dim"), ("in no unit of it", "dim"))
    if unit is None:
        return (("? ", "orphan"), (clean(name), "text"))
    glyph, role = unit_glyph(page.microvm, unit, page.ascii_only)
    return ((f"{glyph} ", role), (f"{clean(name)}  ", "text"), (unit.active_state, "dim"))


def _entry(page: Page, process: ProcessSample, depth: int, width: int) -> Entry:
    key = str(process.pid)
    files = "-" if process.open_files is None else f"{process.open_files}/{_limit(process.open_files_limit)}"
    trend = sparkline(
        page.trends.of(process).cpu.last(60), _trend_width(width), most=ONE_CORE, ascii_only=page.ascii_only
    )
    row: Line = (
        (f"{process.pid:>7}    ", "text"),
        (f"{fit('  ' * depth + _what(page.microvm, process), _what_width(width))} ", "strong"),
        (f"{percent(process.cpu_percent):>5}  ", "text"),
        (f"{size(process.memory):>4}", "text"),
        (f"{process.threads:>5} ", "text"),
        (f"{files:>10}  ", "text"),
        (f"{age(process.started, page.now):>3}", "text"),
        (f"  {trend}" if trend else "", "dim"),
    )
    room = max(10, width - 11)
    if page.cursor == key:
        lines = [row, *_command_line(page, process, room), _memory(page, process, width)]
    else:
        line = fit(clean(_HASHES.sub("", " ".join(process.argv)[: 4 * width])), room)
        lines = [row, ((_INDENT, "text"), (line, "dim"))]
    return Entry(tuple([clipped(line, width) for line in lines]), key)


def _command_line(page: Page, process: ProcessSample, room: int) -> Iterator[Line]:
    """Its beginning, without hashes, or where it is unfolded, all of it; and how one gets to the other."""
    text = clean(shlex.join(process.argv))
    bare = _HASHES.sub("", text)
    whole, short = folded(text, room, _MOST_LINES), folded(bare, room, _FEW_LINES)
    if bare == text and len(whole) == _FEW_LINES + 1:
        short = whole  # the line that offers the last one would take its room
    unfolded = page.unfolded == str(process.pid)
    for line in whole if unfolded else short:
        yield ((_INDENT, "text"), (line, "dim"))
    if whole != short:
        many = f"{len(whole)} lines" if len(whole) > 1 else "of it"
        yield ((_INDENT[2:], "text"), *page.offer("unfold", "folds it" if unfolded else f"shows all {many}"))


def _memory(page: Page, process: ProcessSample, width: int) -> Line:
    memory = sparkline(
        page.trends.of(process).memory.last(60),
        min(60, max(0, width - 22)),
        most=_most_memory(page.microvm, process),
        ascii_only=page.ascii_only,
    )
    return ((_INDENT, "text"), ("memory  ", "dim"), (memory.strip(), "dim"))


def _most_memory(microvm: MicroVM, process: ProcessSample) -> float:
    """Bytes: what the guest has, for the hypervisor; 0 where there is no such bound."""
    definition = microvm.definition
    if microvm.hypervisor is None or process.pid != microvm.hypervisor.pid or definition is None:
        return 0.0
    return float((definition.mem or 0) * 2**20)


def _limit(limit: int | None) -> str:
    """A limit in at most five characters: `1024`, `1024k`."""
    return "?" if limit is None else str(limit) if limit < 10_000 else f"{min(limit // 1000, 9999)}k"


def _what(microvm: MicroVM, process: ProcessSample) -> str:
    """`hypervisor`, `virtiofsd home`, or the name that the program goes by."""
    for status in microvm.shares:
        for number, daemon in enumerate(status.daemons):
            if daemon.pid == process.pid:
                return clean(f"{'child' if number else 'virtiofsd'} {status.share.tag or '?'}")
    if microvm.hypervisor is not None and process.pid == microvm.hypervisor.pid:
        return "hypervisor"
    return clean(_program(process))


def _program(process: ProcessSample) -> str:
    """The name that it goes by; of a script, the script's, without what Nix's wrappers add to it."""
    words = [word.rpartition("/")[2] for word in process.argv] or [process.exe or "?"]
    is_script = words[0].startswith(_INTERPRETERS) and len(words) > 1 and not words[1].startswith("-")
    return words[is_script].removeprefix(".").removesuffix("-wrapped")

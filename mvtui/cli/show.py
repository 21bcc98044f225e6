"""`mvtui show NAME` for people: everything about one microVM, in the order in which people ask."""

from collections.abc import Iterator
from datetime import datetime

from mvtui.cli.columns import aligned
from mvtui.cli.glyphs import Glyphs
from mvtui.model.drift_words import place_words, stage_words
from mvtui.model.facts import SourceFacts, SourceKind
from mvtui.model.finding import Finding
from mvtui.model.format import age, percent, size
from mvtui.model.guest_words import guest_facts
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus, VolumeStatus
from mvtui.model.overlay_words import kept_words
from mvtui.model.process import ProcessSample
from mvtui.model.telling import told_holders, told_source
from mvtui.model.text import clean
from mvtui.model.timeline import Timeline
from mvtui.operations.checks.check import rebuild_command

# So many of what happened are told; `--json` has all.
MOST_EVENTS = 10
_NO_TIMELINE = Timeline()


def show_lines(microvm: MicroVM, glyphs: Glyphs, now: datetime, timeline: Timeline = _NO_TIMELINE) -> list[str]:
    """The page of `microvm`, one line each, control characters replaced."""
    lines = [
        *_state(microvm, glyphs, now),
        *_findings(microvm, now),
        *_hypervisor(microvm, now),
        *_section("Guest", [clean(fact) for fact in guest_facts(microvm.guest)] if microvm.guest is not None else []),
        *_section("Units", aligned(_units(microvm, now))),
        *_section("Shares", _shares(microvm, glyphs)),
        *_section("Volumes", _volumes(microvm)),
        *_section("Set aside", [f"{clean(kept.path)}: {kept_words(kept, now)}" for kept in microvm.kept]),
        *_section("Processes", aligned(_processes(microvm, now))),
        *_section("Drift", _drift(microvm)),
        *_section("Stages", _stages(microvm)),
        *_section("Timeline", [*aligned(event_rows(timeline, now)), *_older(timeline)]),
    ]
    return glyphs.lines(lines)


def event_rows(timeline: Timeline, now: datetime, most: int = MOST_EVENTS) -> list[tuple[str, ...]]:
    """The newest so many: when, of which kind, what."""
    rows: list[tuple[str, ...]] = []
    for event in timeline.events[:most]:
        by = f"({event.user})" if event.user else f"({event.why})" if event.why else ""
        rows.append((local_time(event.at, now), str(event.kind), clean(f"{event.what} {by}".rstrip())))
    return rows


def _older(timeline: Timeline) -> list[str]:
    more = len(timeline.events) - MOST_EVENTS
    words = [f"and {more} more, which --json has"] if more > 0 else []
    return [*words, *[clean(trouble) for trouble in timeline.troubles]]


def local_time(at: datetime | None, now: datetime) -> str:
    """`00:51` today, else with its date; "" where nobody knows."""
    if at is None:
        return ""
    local, today = at.astimezone(), now.astimezone()
    return local.strftime("%H:%M" if local.date() == today.date() else "%Y-%m-%d %H:%M")


def finding_text(finding: Finding, now: datetime) -> str:
    """What is wrong, why and since when."""
    since = f" Since {local_time(finding.since, now)} ({age(finding.since, now)})." if finding.since else ""
    return clean(f"{finding.what} {finding.why}".strip()) + since


def _state(microvm: MicroVM, glyphs: Glyphs, now: datetime) -> Iterator[str]:
    state = microvm.state
    since = f" since {local_time(state.since, now)} ({age(state.since, now)})" if state.since else ""
    restarts = f" ×{state.restarts}" if state.restarts else ""
    detail = f" ({clean(state.detail)})" if state.detail else ""
    yield f"{clean(microvm.name)}  {glyphs.state(state.word)} {state.word}{restarts}{detail}{since}"
    if not any(finding.what == state.why for finding in microvm.findings):
        yield f"  {clean(state.why)}"


def _findings(microvm: MicroVM, now: datetime) -> Iterator[str]:
    for finding in microvm.findings:
        yield f"  {finding.severity.name.lower()}: {finding_text(finding, now)}"
        if finding.fix:
            yield f"    mend it: {clean(finding.fix)}"


def _hypervisor(microvm: MicroVM, now: datetime) -> Iterator[str]:
    definition, process = microvm.definition, microvm.hypervisor
    kind = definition.hypervisor if definition and definition.hypervisor else "unknown"
    facts = [str(kind)]
    if definition is not None:
        facts += [f"vcpu {definition.vcpu}"] if definition.vcpu else []
        facts += [f"memory {size(definition.mem * 2**20)}"] if definition.mem else []
        facts += [f"vsock {definition.vsock_cid}"] if definition.vsock_cid else []
    if process is not None:
        facts += [f"pid {process.pid}", f"up {age(process.started, now)}", f"uses {size(process.memory)}"]
    yield f"Hypervisor  {'  '.join(facts)}"


def _section(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{title if number == 0 else '':<10}  {line}".rstrip()


def _units(microvm: MicroVM, now: datetime) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for unit in microvm.units:
        job = f"job: {unit.job.kind}" if unit.job else ""
        restarts = f"restarts {unit.n_restarts}" if unit.n_restarts else ""
        state = f"{unit.active_state} ({unit.sub_state})"
        rows.append((clean(unit.name), state, age(unit.since, now), restarts, job))
    return rows


def _shares(microvm: MicroVM, glyphs: Glyphs) -> list[str]:
    lines = aligned([_share(status, glyphs) for status in microvm.shares])
    return _interleaved(lines, [_source(status.source) for status in microvm.shares])


def _volumes(microvm: MicroVM) -> list[str]:
    lines = aligned([_volume(status) for status in microvm.volumes])
    return _interleaved(lines, [_held(status) for status in microvm.volumes])


def _interleaved(lines: list[str], below: list[str]) -> list[str]:
    """Each line with what belongs below it, where there is something."""
    pairs = zip(lines, below, strict=True)
    return [text for line, more in pairs for text in (line, f"    {more}" if more else "") if text]


def _source(facts: SourceFacts | None) -> str:
    """ "" where the line above says it already."""
    told = told_source(facts) if facts is not None and facts.kind is not SourceKind.NOTHING else ""
    return f"source: {told}" if told else ""


def _held(status: VolumeStatus) -> str:
    told = told_holders(status)
    return f"held by {told}" if told else ""


_HEALTH = {ShareHealth.UP: "up", ShareHealth.DOWN: "down", ShareHealth.OFF: "off", ShareHealth.UNKNOWN: "unknown"}


def _share(status: ShareStatus, glyphs: Glyphs) -> tuple[str, ...]:
    share = status.share
    access = {True: "ro", False: "rw", None: ""}[share.read_only]
    pids = ",".join(str(daemon.pid) for daemon in status.daemons)
    source = clean(share.source or "?") + (" (missing)" if status.source_exists is False else "")
    return (
        _HEALTH[status.health],
        clean(share.tag or "?"),
        source,
        f"{glyphs.arrow} {clean(share.mount_point or '?')}",
        f"{share.proto} {access}".strip(),
        f"virtiofsd {pids}" if pids else "",
        clean(status.why),
    )


def _volume(status: VolumeStatus) -> tuple[str, ...]:
    volume, image = status.volume, status.image
    if image is None or image.problem is not None:
        facts = clean(image.problem or "") if image else ""
    else:
        used = image.fill_percent
        full = f", {int(used)}% full" if used is not None else ""
        facts = f"{size(image.allocated)} of {size(image.size)} {image.fs_type or 'no file system'}{full}"
    return (
        clean(volume.image),
        f"vd{volume.letter}" if volume.letter else "",
        clean(volume.mount_point or ""),
        "store overlay" if status.overlay else "",
        facts,
    )


def _processes(microvm: MicroVM, now: datetime) -> list[tuple[str, ...]]:
    shares = {daemon.pid: status.share.tag for status in microvm.shares for daemon in status.daemons}
    rows = [("PID", "WHAT", "CPU%", "MEM", "THR", "FILES", "AGE", "COMMAND")] if microvm.processes else []
    return rows + [_process(microvm, process, shares.get(process.pid), now) for process in microvm.processes]


def _process(microvm: MicroVM, process: ProcessSample, share: str | None, now: datetime) -> tuple[str, ...]:
    is_hypervisor = microvm.hypervisor is not None and process.pid == microvm.hypervisor.pid
    what = "hypervisor" if is_hypervisor else f"share {clean(share)}" if share else ""
    files = "-" if process.open_files is None else f"{process.open_files}/{process.open_files_limit or '?'}"
    return (
        str(process.pid),
        what,
        percent(process.cpu_percent),
        size(process.memory),
        str(process.threads),
        files,
        age(process.started, now),
        clean(" ".join(process.argv))[:60],
    )


def _drift(microvm: MicroVM) -> list[str]:
    places = [
        (clean(place_words(one)), clean(stage_words(one)), f"({', '.join(one.follows)})") for one in microvm.drift
    ]
    return aligned(places)


def _stages(microvm: MicroVM) -> list[str]:
    entry = microvm.entry
    if entry is None:
        return []
    kind = "fully declarative" if entry.fully_declarative else f"flake {clean(entry.flake)}" if entry.flake else ""
    lines = [f"defined {clean(microvm.document)}"] if microvm.document is not None else []
    lines += [f"built   {clean(entry.current or 'nothing')}", f"booted  {clean(entry.booted or 'nothing')}"]
    return [*lines, f"updated by {rebuild_command(clean(microvm.name), entry)}  {kind}".rstrip()]

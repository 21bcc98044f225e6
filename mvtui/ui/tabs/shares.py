"""The shares of a microVM: each stage by stage, what serves it, its socket, its source on the host."""

from collections.abc import Iterator

from mvtui.model.definition import Share, ShareProto
from mvtui.model.format import age, percent, size
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus
from mvtui.model.process import ProcessSample
from mvtui.model.telling import told_source
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.lines import Line, clipped, folded
from mvtui.ui.tabs.overview import share_mark
from mvtui.ui.tabs.page import Entry, Page

_INDENT = "    "
_LABEL_WIDTH = 8


def entries(page: Page, width: int) -> list[Entry]:
    """One for each share; or that there is none."""
    if not page.microvm.shares:
        return [Entry(((), clipped((("  ", "text"), (_none(page.microvm), "text")), width)))]
    return [
        Entry(tuple(clipped(line, width) for line in _share(page, status, width)), status.share.tag or f"#{number}")
        for number, status in enumerate(page.microvm.shares)
    ]


def _none(microvm: MicroVM) -> str:
    return "It has no shares." if microvm.definition is not None else "What it has can't be told: no runner was read."


def _share(page: Page, status: ShareStatus, width: int) -> Iterator[Line]:
    share = status.share
    glyph, role = share_mark(status.health, page.ascii_only)
    yield (
        (f"{glyph} ", role),
        (f"{fit(clean(share.tag or '?'), 12)} ", "strong"),
        (f"{status.health:<8}", role),
        (f"{share.proto}  ", "dim"),
        (clean(f"{share.source or '?'} → {share.mount_point or '?'}"), "text"),
    )
    if status.why:
        yield from detail("why", status.why, width, "error" if status.health is ShareHealth.DOWN else "text")
    yield from _stages(page.microvm, share, width)
    if share.proto is ShareProto.VIRTIOFS:
        yield from _daemons(page, status, width)
        yield from detail("socket", _socket(status), width)
    yield from detail("source", _source(status), width, "error" if status.source_exists is False else "text")
    yield ()


def detail(label: str, text: str, width: int, role: str = "text") -> Iterator[Line]:
    """Text (of the host) in as many lines as it takes, below the first line of an entry."""
    lines = folded(clean(text), max(10, width - len(_INDENT) - _LABEL_WIDTH - 1), 50)
    for number, line in enumerate(lines):
        yield ((f"{_INDENT}{label if number == 0 else '':<{_LABEL_WIDTH}} ", "dim"), (line, role))


def _stages(microvm: MicroVM, share: Share, width: int) -> Iterator[Line]:
    """As built and as booted, where each can be told; what differs between them stands out."""
    built = microvm.built.definition if microvm.built is not None else None
    stages: list[tuple[str, Share | None]] = []
    if built is not None:
        stages.append(("built", next((one for one in built.shares if one.tag == share.tag), None)))
    if microvm.booted is not None:
        stages.append(("booted", next((one for one in microvm.booted.shares if one.tag == share.tag), None)))
    texts = [(stage, _stage(one) if one is not None else "not there") for stage, one in stages]
    differ = len({text for _, text in texts}) > 1
    for stage, text in texts:
        yield from detail(stage, text, width, "warning" if differ else "text")


def _stage(share: Share) -> str:
    access = {True: "read-only", False: "writable", None: "access ?"}[share.read_only]
    options = [
        f"cache {share.cache}" if share.cache is not None else "",
        {True: "posixAcl", False: "no posixAcl", None: ""}[share.posix_acl],
        f"securityModel {share.security_model}" if share.security_model is not None else "",
    ]
    return ", ".join([f"{share.source or '?'} → {share.mount_point or '?'}", access, *filter(None, options)])


def _daemons(page: Page, status: ShareStatus, width: int) -> Iterator[Line]:
    if not status.daemons:
        yield from detail("daemon", "no virtiofsd of it lives", width)
    for number, daemon in enumerate(status.daemons):
        yield from detail("" if number else "daemon", _daemon(page, daemon, child=number > 0), width)


def _daemon(page: Page, daemon: ProcessSample, *, child: bool) -> str:
    files = f"  files {daemon.open_files}/{daemon.open_files_limit or '?'}" if daemon.open_files is not None else ""
    frozen = "  frozen by a signal" if daemon.frozen else ""
    what = "child" if child else "virtiofsd"
    return (
        f"{what} {daemon.pid}  cpu {percent(daemon.cpu_percent):>4}%  {size(daemon.memory):>4}  "
        f"threads {daemon.threads}{files}  up {age(daemon.started, page.now)}{frozen}"
    )


def _socket(status: ShareStatus) -> str:
    there = {True: "there", False: "not there", None: "not looked at"}[status.socket_exists]
    connected = {True: ", the hypervisor is connected", False: ", nobody is connected", None: ""}[status.connected]
    return f"{status.share.socket or '?'}  {there}{connected}"


def _source(status: ShareStatus) -> str:
    facts = status.source
    return f"{status.share.source or '?'}  {told_source(facts) if facts is not None else 'not looked at yet'}"

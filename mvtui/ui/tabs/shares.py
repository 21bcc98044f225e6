"""The shares of a microVM: each stage by stage, what serves it, its socket, its source on the host."""

from collections.abc import Iterator

from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.model.format import age, percent, size
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.model.process import ProcessSample
from mvtui.model.telling import told_source
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.glyphs import share_glyph
from mvtui.ui.lines import Line, clipped
from mvtui.ui.tabs.details import detail, elsewhere, none_of, not_yet, stages
from mvtui.ui.tabs.overlay import overlay_details, overlay_share
from mvtui.ui.tabs.page import Entry, Page


def entries(page: Page, width: int) -> list[Entry]:
    """One for each share; or that there is none."""
    others = elsewhere(page, "shares", [status.share.tag for status in page.microvm.shares])
    if not page.microvm.shares and not others:
        return none_of("shares", page.microvm, width)
    overlay = overlay_share(page)
    return [
        *[
            Entry(
                tuple(clipped(line, width) for line in _share(page, status, width, overlay=overlay)),
                status.share.tag or f"#{number}",
            )
            for number, status in enumerate(page.microvm.shares)
        ],
        *[Entry(tuple(clipped(line, width) for line in _elsewhere(page, tag, width)), tag) for tag in others],
    ]


def _share(page: Page, status: ShareStatus, width: int, *, overlay: str | None) -> Iterator[Line]:
    share = status.share
    holds_overlay = overlay is not None and share.tag == overlay
    glyph, role = share_glyph(status.health, page.ascii_only)
    yield (
        (f"{glyph} ", role),
        (f"{fit(clean(share.tag or '?'), 12)} ", "strong"),
        (f"{status.health:<8}", role),
        (f"{share.proto}  ", "dim"),
        (clean(f"{share.source or '?'} → {share.mount_point or '?'}"), "text"),
        ("   writable store overlay" if holds_overlay else "", "key"),
    )
    if status.why:
        yield from detail("why", status.why, width, "error" if status.health is ShareHealth.DOWN else "text")
    yield from stages(page, "shares", share.tag, lambda definition: _told(definition, share.tag), width)
    if share.proto is ShareProto.VIRTIOFS:
        yield from _daemons(page, status, width)
        yield from detail("socket", _socket(status), width)
    yield from detail("source", _source(status), width, "error" if status.source_exists is False else "text")
    if holds_overlay:
        yield from overlay_details(page, width)
    yield ()


def _elsewhere(page: Page, tag: str, width: int) -> Iterator[Line]:
    """A share that the guest does not have yet, or will not have any more."""
    yield ((f"  {fit(clean(tag), 12)} ", "strong"), (not_yet(page), "warning"))
    yield from stages(page, "shares", tag, lambda definition: _told(definition, tag), width)
    yield ()


def _told(definition: Definition, tag: str | None) -> str | None:
    return next((_stage(one) for one in definition.shares if one.tag == tag), None)


def _stage(share: Share) -> str:
    access = {True: "read-only", False: "writable", None: "access ?"}[share.read_only]
    is_virtiofs = share.proto is ShareProto.VIRTIOFS
    options = [
        f"cache {share.cache}" if share.cache is not None and is_virtiofs else "",
        {True: "posixAcl", False: "no posixAcl", None: ""}[share.posix_acl if is_virtiofs else None],
        f"securityModel {share.security_model}" if share.security_model is not None and not is_virtiofs else "",
        " ".join(share.extra_args or ()),
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

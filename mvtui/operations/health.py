"""What is wrong with a microVM, from what a look has seen: findings, worst first. Pure."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from mvtui.model.arming import ArmedState
from mvtui.model.definition import Runner
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus, StateDirEntry, VolumeStatus
from mvtui.model.overlay import Armed
from mvtui.model.state import State, StateWord
from mvtui.operations.states import Evidence

# An image with less than this left is full for whoever builds in it.
FULL_PERCENT = 95.0

# systemd.unit(5), "valid unit names": what an instance may consist of without escaping, which microvm.nix does not do.
_UNIT_INSTANCE = re.compile(r"[A-Za-z0-9:_.\\-]+")


def findings(
    seen: Evidence,
    state: State,
    built: Runner | None,
    volumes: tuple[VolumeStatus, ...],
    autostart: bool | None,
    armed: ArmedState | None = None,
    drifted: Iterable[Finding] = (),
) -> tuple[Finding, ...]:
    """All findings of one microVM, worst first; within a severity in the order of the checks below. `drifted` are those
    of `operations.drift`."""
    found = [
        *_share_findings(seen.name, state, seen.shares),
        *_entry_findings(seen.name, seen.manager, seen.entry),
        *_overlay_findings(volumes),
        *_start_findings(seen.name, seen.manager, state, autostart),
        *drifted,
        *_runner_findings(built),
        *_armed_findings(seen.name, armed),
    ]
    return tuple(sorted(found, key=lambda finding: -finding.severity))


def hidden_finding(microvms: Sequence[MicroVM], uid: int) -> Finding | None:
    """What the user `uid` can't see of the host as a whole, and which right is missing; None for root, and where
    nothing is hidden."""
    hidden = sum(
        one.state.word.is_up and any(status.health is ShareHealth.UNKNOWN for status in one.shares) for one in microvms
    )
    if uid == 0 or not hidden:
        return None
    return Finding(
        Severity.INFO,
        "rights",
        "hidden",
        f"Of {hidden} microVM{'' if hidden == 1 else 's'} can't be told whether all shares are served.",
        f"/proc shows the open files of others to root alone, and mvtui runs as uid {uid}.",
        "run mvtui as root (sudo mvtui)",
    )


def _share_findings(name: str, state: State, shares: tuple[ShareStatus, ...]) -> Iterator[Finding]:
    alone = sum(status.health is ShareHealth.DOWN for status in shares) == 1
    for status in shares:
        tag = status.share.tag or "?"
        if status.health is ShareHealth.DOWN:
            fix = f"restart {name}: a dead virtiofsd can't come back under a running guest"
            if status.source_exists is False:
                fix = f"create {status.share.source}, then restart {name}"
            since = status.since or (state.since if alone else None)
            what = f'Share "{tag}" is down.'
            yield Finding(Severity.ERROR, f"share {tag}", f"fsd {tag}", what, _sentence(status.why), fix, since)
        elif status.source_exists is False:
            yield Finding(
                Severity.ERROR,
                f"share {tag}",
                "no source",
                f'Share "{tag}": {status.share.source} does not exist.',
                "The next start waits for it and fails." if not state.word.is_up else "",
                f"create {status.share.source}",
            )


def _sentence(text: str) -> str:
    """Words that stood behind a colon, as a sentence of their own; one may begin with a path, which stays as it is."""
    return f"I{text[1:]}" if text.startswith("its ") else text


def _entry_findings(name: str, manager: str, entry: StateDirEntry | None) -> Iterator[Finding]:
    if entry is None:
        return
    for problem in entry.problems:
        fix = "run mvtui as root, or in group kvm" if "permission denied" in problem else ""
        yield Finding(Severity.WARNING, "directory", "unreadable", problem, "", fix)
    if "current" in entry.dangling:
        yield Finding(
            Severity.ERROR,
            "current",
            "no current",
            f"current points to {entry.current}, which does not exist.",
            "Its store path is gone, most often by garbage collection: the next start does nothing.",
            f"rebuild it: {rebuild_command(name, entry)}",
        )
    if manager == "systemd" and not _UNIT_INSTANCE.fullmatch(name):
        yield Finding(
            Severity.WARNING,
            "name",
            "bad name",
            "Its name has characters that no systemd unit can have.",
            "microvm@NAME.service takes the name as it is.",
            "rename it, or start it without systemd: mvtui --manager direct",
        )


def _overlay_findings(volumes: tuple[VolumeStatus, ...]) -> Iterator[Finding]:
    for status in volumes:
        used = status.image.fill_percent if status.image is not None else None
        if used is None or used < FULL_PERCENT:
            continue
        what = "The writable store overlay" if status.overlay else f"Volume {status.volume.image}"
        note = "ov full" if status.overlay else "vol full"
        yield Finding(Severity.WARNING, f"volume {status.volume.image}", note, f"{what} is {used:.0f}% full.")


def _start_findings(name: str, manager: str, state: State, autostart: bool | None) -> Iterator[Finding]:
    if autostart and state.word is StateWord.STOPPED:
        fix = (
            f"start {name}"
            if manager == "direct"
            else f"start {name}, or see why it ended: journalctl -u {shlex.quote(f'microvm@{name}')}"
        )
        yield Finding(
            Severity.WARNING, "autostart", "autostart", "Autostart wants it, and it is stopped.", "", fix, state.since
        )


def _runner_findings(built: Runner | None) -> Iterator[Finding]:
    shares = built.definition.shares if built is not None and built.definition is not None else ()
    if built is not None and not built.has_virtiofsd_run and any(share.socket is not None for share in shares):
        yield Finding(
            Severity.ERROR,
            "runner",
            "no virtiofsd",
            "current has virtiofs shares, but no bin/virtiofsd-run: nothing will serve them.",
            "It was built by a microvm.nix that served shares in another way.",
            "rebuild it with the microvm.nix of the host",
        )
    for problem in built.problems if built is not None else ():
        yield Finding(Severity.INFO, "runner", "runner ?", problem)


def _armed_findings(name: str, armed: ArmedState | None) -> Iterator[Finding]:
    if armed is None:
        return
    arming, again = armed.arming, f"mvtui arm {shlex.quote(name)}"
    if arming is None:
        if armed.idle:
            what = "Nobody can tell how it is armed, and no start resets its overlay."
            yield Finding(Severity.WARNING, "arming", "armed ?", what, armed.idle, f"{again} --once, --always or --off")
        return
    if armed.idle:
        what = "It is armed, but nothing will reset its overlay."
        yield Finding(Severity.WARNING, "arming", "arm again", what, f"{armed.idle}.", f"{again} --{arming.how}")
    if arming.refused:
        what = "The reset of its overlay that is armed was refused at its last start."
        fix = f"see mvtui reset --dry-run {shlex.quote(name)}"
        yield Finding(Severity.WARNING, "arming", "not reset", what, f"{arming.refused}.", fix, arming.refused_at)
    when = "before its next start" if arming.how is Armed.ONCE else "before every start"
    why = "A reset that is refused keeps it from starting." if arming.strict else ""
    what = f"It is armed: its overlay is reset {when}."
    yield Finding(Severity.INFO, "arming", "armed", what, why, f"{again} --off ends that")


def rebuild_command(name: str, entry: StateDirEntry) -> str:
    """The command that builds a microVM anew: with its host where it is fully declarative, else by itself."""
    return "nixos-rebuild switch" if entry.fully_declarative else f"microvm -u {shlex.quote(name)}"

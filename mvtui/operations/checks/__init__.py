"""What goes wrong on real hosts: each a small function over facts, that changes nothing and reads nothing."""

from collections.abc import Iterable

from mvtui.model.finding import Finding, Severity
from mvtui.operations.checks import directory, shares, starting, volumes
from mvtui.operations.checks.check import DISK, Check, Seen

# Within a severity, what stands first here is told first.
CHECKS: tuple[Check, ...] = (
    shares.down,
    shares.no_source,
    shares.no_directory,
    shares.gave_up,
    shares.left_daemon,
    shares.socket_path,
    shares.nine_p_overlay,
    volumes.removed,
    volumes.missing,
    volumes.blank,
    volumes.cut_off,
    volumes.other_type,
    volumes.label,
    volumes.used_twice,
    directory.unreadable,
    directory.dangling_current,
    directory.bad_name,
    starting.frozen,
    starting.wrong_state,
    starting.slow_stop,
    starting.orphan,
    volumes.full,
    volumes.overlay_written,
    volumes.disk_full,
    shares.disk_full,
    shares.too_many_open_files,
    shares.unknown_source,
    volumes.other_size,
    starting.autostart,
)
# After these come those of `closely`, where somebody looked so close, and what `operations.drift` finds; then
LAST_CHECKS: tuple[Check, ...] = (
    directory.no_virtiofsd,
    shares.relative_source,
    directory.runner_unknown,
    starting.armed,
)


def check(seen: Seen, drifted: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """All findings of one microVM, worst first. `drifted` are those of `operations.drift`."""
    closer: tuple[Check, ...] = ()
    if seen.microvm.closer is not None or seen.microvm.guest is not None:
        from mvtui.operations.checks.closely import CLOSE_CHECKS as closer  # noqa: N811, PLC0415 (not for `list`)
    found = [
        *(finding for one in (*CHECKS, *closer) for finding in one(seen)),
        *drifted,
        *(finding for one in LAST_CHECKS for finding in one(seen)),
    ]
    if any(finding.severity is Severity.ERROR and finding.subject != starting.STATE for finding in found):
        found = [finding for finding in found if finding.subject != starting.STATE]  # it is told why
    # Shares and volumes on one disk say the same of it.
    disks: dict[object, Finding] = {}
    for finding in found:
        disks.setdefault((finding.subject, finding.note if finding.subject == DISK else finding), finding)
    return tuple(sorted(disks.values(), key=lambda finding: -finding.severity))

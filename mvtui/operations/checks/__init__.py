"""What goes wrong on real hosts: each a small function over facts, that changes nothing and reads nothing."""

from collections.abc import Iterable

from mvtui.model.finding import Finding
from mvtui.operations.checks import directory, shares, starting, volumes
from mvtui.operations.checks.check import Check, Seen

# Within a severity, what stands first here is told first.
CHECKS: tuple[Check, ...] = (
    shares.down,
    shares.no_source,
    directory.unreadable,
    directory.dangling_current,
    directory.bad_name,
    volumes.full,
    starting.autostart,
)
# Told after what `operations.drift` finds.
LAST_CHECKS: tuple[Check, ...] = (
    directory.no_virtiofsd,
    directory.runner_unknown,
    starting.armed,
)


def check(seen: Seen, drifted: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """All findings of one microVM, worst first. `drifted` are those of `operations.drift`."""
    found = [
        *(finding for one in CHECKS for finding in one(seen)),
        *drifted,
        *(finding for one in LAST_CHECKS for finding in one(seen)),
    ]
    return tuple(sorted(found, key=lambda finding: -finding.severity))

"""Checks of shares: is each served, and is there something to serve?"""

from collections.abc import Iterator

from mvtui.model.finding import Finding
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.operations.checks.check import Seen, error, is_up


def down(seen: Seen) -> Iterator[Finding]:
    """A directory of the guest hangs, or it never gets to its login.

    Cause: the virtiofsd of a share has ended, is frozen, or serves nobody, while its units are active (supervisord is
    what they watch). Seen: no process of the unit's cgroup with the socket's path, or none connected to it.
    Source: table 1 and 2, #260 #312 #257 #265.
    """
    shares = seen.microvm.shares
    alone = sum(status.health is ShareHealth.DOWN for status in shares) == 1
    for status in shares:
        if status.health is ShareHealth.DOWN:
            tag = status.share.tag or "?"
            since = status.since or (seen.microvm.state.since if alone else None)
            what, why, fix = f'Share "{tag}" is down.', _sentence(status.why), _mends_down(seen, status)
            yield error(f"share {tag}", f"fsd {tag}", what, why, fix, since)


def no_source(seen: Seen) -> Iterator[Finding]:
    """The next start waits 90 s, and fails.

    Cause: the directory that a share serves is not there: never made, removed, not mounted, or behind a link to
    nothing. Seen: nothing stands at its path. Source: table 14, #316.
    """
    for status in seen.microvm.shares:
        if status.source_exists is False and status.health is not ShareHealth.DOWN:
            tag, source = status.share.tag or "?", status.share.source
            why = "" if is_up(seen) else "The next start waits for it and fails."
            yield error(
                f"share {tag}", "no source", f'Share "{tag}": {source} does not exist.', why, f"create {source}"
            )


def _mends_down(seen: Seen, status: ShareStatus) -> str:
    name = seen.microvm.name
    if status.source_exists is False:
        return f"create {status.share.source}, then restart {name}"
    return f"restart {name}: a dead virtiofsd can't come back under a running guest"


def _sentence(text: str) -> str:
    """Words that stood behind a colon, as a sentence of their own; one may begin with a path, which stays as it is."""
    return f"I{text[1:]}" if text.startswith("its ") else text

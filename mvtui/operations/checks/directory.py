"""Checks of what stands in the state directory: the links, the runner behind them, the name."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from mvtui.operations.checks.check import Seen, error, info, rebuild_command, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.finding import Finding

# systemd.unit(5), "valid unit names": what an instance may consist of without escaping, which microvm.nix does not do.
_UNIT_INSTANCE = re.compile(r"[A-Za-z0-9:_.\\-]+")


def unreadable(seen: Seen) -> Iterator[Finding]:
    """Parts of the picture are missing.

    Cause: who runs mvtui may not read the directory, or something else stands where microvm.nix has a link or a file.
    Seen: what reading it was answered. Source: microvm.nix, `current`, `booted`, `toplevel` and `flake`.
    """
    entry = seen.microvm.entry
    for problem in entry.problems if entry is not None else ():
        fix = f"see what is there: ls -la {shlex.quote(seen.microvm.path)}"
        if "permission denied" in problem:
            fix = "run mvtui as root, or in group kvm"
        elif problem.endswith((" is no link", " is no file")):
            fix = f"move it away, and rebuild it: {rebuild_command(seen.microvm.name, entry)}"
        yield warning("directory", "unreadable", f"{problem}.", "What it says is not known.", fix)


def dangling_current(seen: Seen) -> Iterator[Finding]:
    """A start does nothing, and says that all is well.

    Cause: the store path behind `current` was collected as garbage; the unit's condition on bin/microvm-run then skips
    the start. Seen: a link to nothing. Source: table 16, #508 #302.
    """
    entry = seen.microvm.entry
    if entry is not None and "current" in entry.dangling:
        what = f"current points to {entry.current}, which does not exist."
        why = "Its store path is gone, most often by garbage collection: the next start does nothing."
        yield error("current", "no current", what, why, f"rebuild it: {rebuild_command(entry.name, entry)}")


def bad_name(seen: Seen) -> Iterator[Finding]:
    """systemctl says that the name of the unit is not valid.

    Cause: the directory's name has characters that systemd allows in no unit, and microvm.nix does not escape them.
    Seen: the name. Source: systemd.unit(5).
    """
    if seen.manager == "systemd" and not _UNIT_INSTANCE.fullmatch(seen.microvm.name):
        what = "Its name has characters that no systemd unit can have."
        why = "microvm@NAME.service takes the name as it is."
        yield warning("name", "bad name", what, why, "rename it, or start it without systemd: mvtui --manager direct")


def no_virtiofsd(seen: Seen) -> Iterator[Finding]:
    """No share is served, and no unit fails.

    Cause: the runner is of a microvm.nix that served shares in another way than the host's units do: the condition on
    bin/virtiofsd-run skips the unit. Seen: virtiofs shares in the runner, and no such script. Source: the host module.
    """
    built = seen.microvm.built
    shares = built.definition.shares if built is not None and built.definition is not None else ()
    if built is not None and not built.has_virtiofsd_run and any(share.socket is not None for share in shares):
        what = "current has virtiofs shares, but no bin/virtiofsd-run: nothing will serve them."
        why = "It was built by a microvm.nix that served shares in another way."
        yield error("runner", "no virtiofsd", what, why, "rebuild it with the microvm.nix of the host")


def runner_unknown(seen: Seen) -> Iterator[Finding]:
    """Shares, volumes or mount points are missing from the picture.

    Cause: the runner is not made as mvtui knows it. Seen: what reading it was answered. Source: lib/runner.nix.
    """
    entry, built = seen.microvm.entry, seen.microvm.built
    if entry is not None and "current" in entry.dangling:
        return  # it is told
    for problem in built.problems if built is not None else ():
        fix = f"rebuild it: {rebuild_command(seen.microvm.name, entry)}"
        yield info("runner", "runner ?", f"{problem}.", "What it says is not known.", fix)

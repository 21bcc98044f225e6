"""What a check is: one thing that goes wrong on real hosts, told from facts alone.

The docstring of each says the symptom, the cause, how it is seen, and where that is from: `table N` is the row of what
goes wrong on real hosts, `#N` an issue of microvm-nix/microvm.nix.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from mvtui.model.finding import Finding, Severity
from mvtui.model.own_command import own_command

if TYPE_CHECKING:
    from datetime import datetime

    from mvtui.model.arming import ArmedState
    from mvtui.model.microvm import MicroVM, StateDirEntry

# The subject of what is wrong with a disk of the host.
DISK = "disk"


class Seen(NamedTuple):
    """What the checks of one microVM look at: all that is known of it, but for its findings. `manager` is `systemd` or
    `direct`; `armed` is what is recorded of its armed resets, None where there is nothing.
    `long_stop`: to stop it takes longer than with most. `root_serves`: a virtiofsd that is started is root.

    A fact that is None is not known (yet), and no check finds anything in it.
    """

    microvm: MicroVM
    manager: str = "systemd"
    armed: ArmedState | None = None
    long_stop: bool = False
    root_serves: bool = True


# Gives a finding for each place where something is wrong; changes nothing, reads nothing.
Check = Callable[[Seen], Iterator[Finding]]


def error(subject: str, note: str, what: str, why: str = "", fix: str = "", since: datetime | None = None) -> Finding:
    """What keeps it from running, or from having what it should have."""
    return Finding(Severity.ERROR, subject, note, what, why, fix, since)


def warning(subject: str, note: str, what: str, why: str = "", fix: str = "", since: datetime | None = None) -> Finding:
    """What will hurt, or works otherwise than it looks."""
    return Finding(Severity.WARNING, subject, note, what, why, fix, since)


def info(subject: str, note: str, what: str, why: str = "", fix: str = "", since: datetime | None = None) -> Finding:
    """What is right, and good to know."""
    return Finding(Severity.INFO, subject, note, what, why, fix, since)


def is_up(seen: Seen) -> bool:
    """Whether the guest may be running."""
    return seen.microvm.state.word.is_up


def verb(word: str, microvm: MicroVM, option: str = "") -> str:
    """mvtui's command that does this to it."""
    return own_command(word, microvm.name, option=option)


def mends(seen: Seen, first: str = "") -> str:
    """What gets a guest that runs to see something new: `first`, then a restart; alone for one that is stopped."""
    restart = verb("restart", seen.microvm) if is_up(seen) else ""
    return ", then ".join(part for part in (first, restart) if part)


def rebuild_command(name: str, entry: StateDirEntry | None) -> str:
    """The command that builds a microVM anew: with its host where it is fully declarative, else by itself."""
    declarative = entry is not None and entry.fully_declarative
    return "nixos-rebuild switch" if declarative else f"microvm -u {shlex.quote(name)}"

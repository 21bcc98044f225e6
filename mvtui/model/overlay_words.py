"""A reset in words, the same in `mvtui reset` and in the panel: the plan, what is kept, when it is armed. Pure.

All of it is clean: nothing in it acts on a terminal.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mvtui.model.format import age, size
from mvtui.model.overlay import (
    Armed,
    Check,
    KeptOverlay,
    NewImage,
    OverlayFacts,
    OverlayKind,
    OverlayTarget,
    ResetPlan,
    ToldBy,
)
from mvtui.model.text import clean


class Role(StrEnum):
    """How a line is meant: `ok` speaks for the reset, `bad` against it, `strong` is what it is about, `plain` is what
    is known."""

    PLAIN = "plain"
    STRONG = "strong"
    OK = "ok"
    BAD = "bad"

    def mark(self, *, ascii_only: bool) -> str:
        """What stands before the line, so that its colour is not all that tells: `ok` or `×`; "" for the others."""
        return {Role.OK: "ok", Role.BAD: "x" if ascii_only else "×"}.get(self, "")


class Told(NamedTuple):
    """One line. `title` is that of its section, on the section's first line alone (`Image`), else ""."""

    title: str
    text: str
    role: Role = Role.PLAIN


# As wide as the widest title.
TITLE_WIDTH = 9

_TOLD_BY = {
    ToldBy.BUILT: "as built, by the guest's fstab",
    ToldBy.DEFINED: "by its definition file",
    ToldBy.CHOSEN: "as a person chose it",
}


def told_plan(plan: ResetPlan, now: datetime, *, steps: bool = True) -> tuple[Told, ...]:
    """All of the plan, one section after the other; without `steps` what the panel has no room for is left out."""
    return (
        *told_target(plan, now),
        *section("Lost", plan.lost),
        *section("Stays", plan.stays),
        *section("Set aside", plan.aside),
        *(section("Steps", _numbered(plan.steps)) if steps else ()),
        *told_checks(plan),
    )


def told_target(plan: ResetPlan, now: datetime) -> tuple[Told, ...]:
    """What is reset: where it is, how large, how old, which file system; the one that comes in its place."""
    target, facts = plan.target, plan.facts
    if target.path is None:
        return ()
    lines = [target.path if target.tag is None else f"{target.tag}: {target.path}"]
    if facts is not None:
        lines.append(facts_words(facts, target, now))
    if target.told_by is not None:
        lines.append(f"it is the overlay {_TOLD_BY[target.told_by]}")
    first, *more = section("Share" if target.kind is OverlayKind.SHARE else "Image", lines)
    new = section("New", [new_words(plan.new)] if plan.new is not None else ())
    return (first._replace(role=Role.STRONG), *more, *new)


def told_checks(plan: ResetPlan) -> tuple[Told, ...]:
    """Every precondition; of those that do not hold, why, and what mends it."""
    if plan.nothing:
        return (Told("Overlay", clean(f"nothing to reset: {plan.nothing}"), Role.BAD),)
    return told_preconditions(plan.checks)


def told_preconditions(checks: Sequence[Check]) -> tuple[Told, ...]:
    """Each with why it does not hold; what mends several is told once."""
    lines: list[Told] = []
    told: set[str] = set()
    for number, check in enumerate(checks):
        words = check.what if check.ok or not check.why else f"{check.what}: {check.why}"
        fix = f" ({check.fix})" if check.fix and not check.ok and check.fix not in told else ""
        told.add(check.fix)
        lines.append(Told("" if number else "Checks", clean(words + fix), Role.OK if check.ok else Role.BAD))
    return tuple(lines)


def told_kept(kept: Sequence[KeptOverlay], now: datetime) -> tuple[Told, ...]:
    """What was set aside before, newest first."""
    return tuple(section("Kept", [f"{each.path}: {kept_words(each, now)}" for each in kept]))


def facts_words(facts: OverlayFacts, target: OverlayTarget, now: datetime) -> str:
    """`300M allocated of 2.0G, 9d old, ext4, label nix-rw`, without an age where nobody knows it; of a share its age
    alone, since nobody counts it."""
    if facts.problem is not None:
        return clean(facts.problem)
    if facts.file_id is None:
        return "does not exist"
    old = [f"{age(facts.made, now)} old"] if facts.made is not None else []
    if target.kind is OverlayKind.SHARE:
        return ", ".join(["its directories store and work", *old])
    label = f"label {facts.label}" if facts.label else "no label"
    kind = [facts.fs_type, label] if facts.fs_type else ["no file system"]
    return clean(", ".join([f"{size(facts.allocated)} allocated of {size(facts.size)}", *old, *kind]))


def new_words(new: NewImage) -> str:
    """`2.0G, ext4, label nix-rw, mkfs.ext4 with -m 0`."""
    words = [size(new.size), new.fs_type, f"label {new.label}" if new.label else "no label"]
    if new.mkfs_extra_args:
        words.append(f"mkfs.{new.fs_type} with {' '.join(new.mkfs_extra_args)}")
    return clean(", ".join(words))


def kept_words(kept: KeptOverlay, now: datetime) -> str:
    """`300M of 2.0G, set aside 9d ago`; of directories their age alone."""
    ago = f"set aside {age(kept.set_aside, now)} ago"
    if kept.size is None:
        return ago
    return f"{size(kept.allocated)} of {size(kept.size)}, {ago}"


def armed_words(armed: Armed) -> str:
    """When the overlay is reset by itself."""
    return {
        Armed.ONCE: "its overlay is reset before its next start",
        Armed.ALWAYS: "its overlay is reset before every start",
    }[armed]


def may_reset(names: Sequence[str], host: str) -> str:
    """The question: `reset the overlay of web on hv01?`; of several, those that are named."""
    return f"reset the {'overlays' if len(names) > 1 else 'overlay'} of {_listed(names)} on {clean(host)}?"


def may_discard(names: Sequence[str], host: str) -> str:
    """The question before what was set aside is freed."""
    return f"free for good what was set aside of {_listed(names)} on {clean(host)}?"


def _listed(names: Sequence[str]) -> str:
    *others, last = [clean(name) for name in names]
    return f"{', '.join(others)} and {last}" if others else last


def section(title: str, lines: Sequence[str]) -> list[Told]:
    """Lines under one title."""
    return [Told("" if number else title, clean(line)) for number, line in enumerate(lines)]


def _numbered(steps: Sequence[str]) -> list[str]:
    width = len(str(len(steps)))
    return [f"{number:>{width}} {step}" for number, step in enumerate(steps, 1)]

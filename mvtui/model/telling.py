"""Facts in words, the same in `mvtui show` and on a microVM's page. Pure."""

from mvtui.model.facts import Holder, SourceFacts, SourceKind
from mvtui.model.format import size
from mvtui.model.microvm import VolumeStatus
from mvtui.model.text import clean


def told_source(facts: SourceFacts) -> str:
    """Its kind, owner, group, mode, and the file system that it lies on: as much as is known; "" where nothing is."""
    if facts.problem is not None:
        return clean(facts.problem)
    if facts.mode is None:
        if facts.kind is not None and facts.kind is not SourceKind.NOTHING:
            return str(facts.kind)
        return {True: "is there", False: "does not exist", None: ""}[facts.exists]
    owner = f"{clean(facts.user or str(facts.uid))}:{clean(facts.group or str(facts.gid))} {facts.mode:04o}"
    fs = f"{clean(facts.fs_type or 'unknown file system')}{' read-only' if facts.fs_read_only else ''}"
    # Those of the kernel (proc, sysfs) have no size.
    space = f", {size(facts.fs_free)} of {size(facts.fs_size)} free" if facts.fs_size else ""
    return f"{facts.kind} {owner} on {fs}{space}"


def told_holders(status: VolumeStatus) -> str:
    """Who holds the image of a volume; "" where that was not looked at."""
    if status.image is None or (status.holders is None and status.image.problem is not None):
        return ""
    if status.holders is None:
        return "nobody found, but not every process can be seen"
    if not status.holders:
        return "nobody"
    others = "" if status.holders_complete else "; there may be others that can't be seen"
    return f"{', '.join(told_holder(holder) for holder in status.holders)}{others}"


def told_holder(holder: Holder) -> str:
    """Who it is, of which microVM, and whether it has a lock."""
    if holder.pid is None:
        return "a process that can't be seen (it has a lock)" if holder.how == "lock" else clean(holder.how)
    whose = f"of {clean(holder.microvm)}" if holder.microvm is not None else "of no microVM"
    locked = ", locked" if holder.how == "lock" else ""
    return f"{clean(holder.command or '?')} (pid {holder.pid} {whose}{locked})"

"""Paths of the host that begin as what was typed."""

import heapq
import os
import posixpath
import stat
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mvtui.host.ports import Host
from mvtui.host.way import Way
from mvtui.model.microvm import MicroVM
from mvtui.operations.in_time import LOOKS

MOST_NAMES = 200
# A directory of 100,000 names takes a tenth of that; a mount that takes longer is as good as dead.
COMPLETION_SECONDS = 1.0
# How many names are read between two looks at the clock.
_STEP = 1024


def complete_path(host: Host, microvm: MicroVM, typed: str, *, directories: bool) -> tuple[str, ...]:
    """What is on the host under names that begin as `typed`: at most MOST_NAMES, sorted; with `directories` those
    alone, else also files and block devices. What is typed relative lies in the microVM's state directory, and is
    offered so. Of a directory that is typed whole, what is in it.

    A name that has a control character is not offered, nor one that begins with a dot unless that was typed. `()` where
    nothing is, where it can't be told, and where the host does not answer within COMPLETION_SECONDS. Blocking for no
    longer than that; nothing is opened but the directory, and no link is followed that another than root and this
    process' user could have put there. Raises nothing."""
    work = partial(_complete, host.root, microvm.path, typed, directories)
    return LOOKS.one(("complete", host.root, microvm.path, typed, directories), work, COMPLETION_SECONDS) or ()


def _complete(root: Path, state_directory: str, typed: str, directories: bool) -> tuple[str, ...]:
    above, begins = posixpath.split(typed)
    found = _names(root, posixpath.join(state_directory, above), begins, directories)
    if found == (begins,) and begins:
        within = _names(root, posixpath.join(state_directory, typed), "", directories)
        if within:
            return tuple(posixpath.join(typed, name) for name in within)
    return tuple(posixpath.join(above, name) for name in found)


def _names(root: Path, directory: str, begins: str, directories: bool) -> tuple[str, ...]:
    try:
        with Way(directory, root) as way:
            if way.end is None or way.planted or not stat.S_ISDIR(os.fstat(way.end).st_mode):
                return ()
            listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=way.end)
        try:
            kind_of = partial(_kind, root, directory)
            with os.scandir(listed) as entries:
                wanted = (stat.S_IFDIR,) if directories else (stat.S_IFDIR, stat.S_IFREG, stat.S_IFBLK)
                offered = (entry.name for entry in _beginning(entries, begins) if kind_of(entry) in wanted)
                return tuple(heapq.nsmallest(MOST_NAMES, offered))
        finally:
            os.close(listed)
    except (OSError, ValueError):
        return ()


def _beginning(entries: "Iterator[os.DirEntry[str]]", begins: str) -> "Iterator[os.DirEntry[str]]":
    until = time.monotonic() + COMPLETION_SECONDS / 2
    for number, entry in enumerate(entries):
        if number % _STEP == 0 and time.monotonic() > until:
            return
        name = entry.name
        if name.startswith(begins) and name.isprintable() and name.startswith(".") <= begins.startswith("."):
            yield entry


def _kind(root: Path, directory: str, entry: "os.DirEntry[str]") -> int | None:
    """Its kind, behind all links; None where nothing is. What no link is tells that without a look at it."""
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    try:
        with Way(posixpath.join(directory, entry.name), root) as way:
            return stat.S_IFMT(os.fstat(way.end).st_mode) if way.end is not None else None
    except OSError:
        return None

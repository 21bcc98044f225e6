"""The state directory (`microvm.stateDir`): its microVMs, and what else lies there."""

import errno
import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from mvtui.host.rooted_files import RootedFiles
from mvtui.host.state_dir_entry import EntryReading, Look, read_entry, sign, sign_flake, with_targets, words
from mvtui.model.finding import NO_RIGHTS, Finding, Severity
from mvtui.model.microvm import StateDirEntry, StrayEntry

# What was changed this short ago (nanoseconds) may change again under the same time stamp: file systems count in steps
# of up to 2 s.
_SETTLED_NS = 2_000_000_000

# mvtui's own: there stand the keepers of who is not root, and what was moved aside.
_OWN = ".mvtui"
# The subject of the finding that it could not be read.
STATE_DIRECTORY = "state directory"
_KINDS = {
    stat.S_IFLNK: "a link, which is not followed",
    stat.S_IFREG: "a file",
    stat.S_IFIFO: "a fifo",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class StateDirReading(NamedTuple):
    """One look, sorted by name. `finding` says why the state directory could not be read, None where it was."""

    entries: tuple[StateDirEntry, ...] = ()
    strays: tuple[StrayEntry, ...] = ()
    finding: Finding | None = None


class StateDir:
    """Reads the state directory again and again; what has not changed is taken from the look before.

    A directory with any of `current`, `booted`, `toplevel` and `flake` is a microVM, also where it can't be read; the
    rest are strays. Names and targets are as they are on disk, with surrogates for what is no UTF-8.
    """

    def __init__(self, state_dir: Path, root: Path = Path("/")) -> None:
        """`state_dir` is the host's path; `root` is where the host's file system is for this process."""
        self._state_dir = str(state_dir)
        self._on_disk = self._state_dir if root == Path("/") else os.path.join(root, self._state_dir.lstrip("/"))
        self._files = RootedFiles(root)
        self._kept: dict[str, EntryReading] = {}

    def read(self) -> StateDirReading:
        """What is there now. Never raises."""
        try:
            directory = os.open(self._on_disk, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                return self._read(directory)
            finally:
                os.close(directory)
        except OSError as error:
            return StateDirReading(finding=_finding(self._state_dir, error))
        except ValueError:
            return StateDirReading(finding=_unreadable(self._state_dir, "is no path."))

    def _read(self, directory: int) -> StateDirReading:
        entries: list[StateDirEntry] = []
        strays: list[StrayEntry] = []
        kept: dict[str, EntryReading] = {}
        look = self._look_behind()
        settled_ns = time.time_ns() - _SETTLED_NS
        for name in sorted(os.listdir(directory)):
            if name == _OWN:
                continue
            try:
                found = self._entry(directory, name, kept, look)
            except FileNotFoundError:
                continue
            except OSError as error:
                path = f"{self._state_dir}/{name}"
                found = StateDirEntry(name, path, problems=(f"{path}: {words(error)}",))
            if isinstance(found, str):
                strays.append(StrayEntry(name, found))
            else:
                entries.append(found)
        self._kept = {name: reading for name, reading in kept.items() if reading.changed_ns < settled_ns}
        return StateDirReading(tuple(entries), tuple(strays))

    def _entry(self, directory: int, name: str, kept: dict[str, EntryReading], look: Look) -> StateDirEntry | str:
        """A microVM, or what the entry is instead. Raises OSError, FileNotFoundError where it is gone again."""
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            return _KINDS.get(stat.S_IFMT(status.st_mode), "no directory")
        if name == "lost+found":
            return "of the file system (fsck)"
        if name.startswith("."):
            return "a hidden directory"
        path = f"{self._state_dir}/{name}"
        last = self._kept.get(name)
        if last is None or last.signature != sign(status) or not _same_flake(directory, name, last):
            last = read_entry(directory, name, path)
        kept[name] = last
        return last.found if isinstance(last.found, str) else with_targets(last.found, look)

    def _look_behind(self) -> Look:
        """Looks once for each path."""
        known: dict[str, int] = {}

        def look(path: str) -> int:
            if path not in known:
                try:
                    self._files.stat(path)
                except OSError as error:
                    known[path] = error.errno or errno.EIO
                else:
                    known[path] = 0
            return known[path]

        return look


def _same_flake(directory: int, name: str, last: EntryReading) -> bool:
    """A file that is not there can't appear without a change of its directory."""
    return last.flake_signature is None or last.flake_signature == sign_flake(directory, name)


def _finding(path: str, error: OSError) -> Finding:
    match error.errno:
        case errno.ENOENT:
            return _unreadable(
                path,
                "does not exist.",
                "microvm.nix makes it where microvm.host.enable is set (option microvm.stateDir).",
                "name another with --state-dir DIR, or see a sample host: mvtui demo",
            )
        case errno.ENOTDIR:
            return _unreadable(path, "is not a directory.")
        case errno.EACCES | errno.EPERM:
            return _unreadable(
                path,
                "can't be read: permission denied.",
                f"It is read by root and group kvm; mvtui runs as uid {os.geteuid()}.",
                "run mvtui as root, or in group kvm",
                note=NO_RIGHTS,
            )
        case errno.ELOOP:
            return _unreadable(path, "is a loop of links.")
        case errno.ENAMETOOLONG:
            return _unreadable(path[:80] + "…", "is too long for a path.")
    return _unreadable(path, f"can't be read: {words(error)}.", fix="")


def _unreadable(
    path: str,
    what: str,
    why: str = "No microVM can be found without it.",
    fix: str = "name another with --state-dir DIR",
    note: str = "no directory",
) -> Finding:
    return Finding(Severity.ERROR, STATE_DIRECTORY, note, f"{path} {what}", why, fix)

"""One directory of the state directory: a microVM, or what it is instead."""

import errno
import os
import stat
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mvtui.model.microvm import StateDirEntry

_LINKS = ("current", "booted", "toplevel")
_FLAKE = "flake"
_FLAKE_BYTES = 4096

Look = Callable[[str], int]
Signature = tuple[int, ...]


class EntryReading(NamedTuple):
    """`found` is a microVM, but for what is behind its links, or says in words what the directory is instead. It stays
    as it is while the signatures of the directory and of the flake file stay."""

    found: StateDirEntry | str
    signature: Signature
    flake_signature: Signature | None

    @property
    def changed_ns(self) -> int:
        """When what was read was changed last (ctime, nanoseconds)."""
        return max(self.signature[-1], self.flake_signature[-1] if self.flake_signature else 0)


def sign(status: os.stat_result) -> Signature:
    """What is another one once a directory's links, or a file's content, were changed; ctime is last, and nobody can
    set it."""
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, status.st_ctime_ns


def sign_flake(state_dir: int, name: str) -> Signature | None:
    """The signature of the microVM's flake file, None where there is none to look at."""
    try:
        return sign(os.stat(f"{name}/{_FLAKE}", dir_fd=state_dir, follow_symlinks=False))
    except OSError:
        return None


def read_entry(state_dir: int, name: str, path: str) -> EntryReading:
    """The directory `name` of the open directory `state_dir`; `path` is the host's path of it. Raises OSError where the
    directory can't even be opened.

    It belongs to an unprivileged user: no link in it is followed, and only a regular file is read.
    """
    # O_PATH needs no right to list: what may be entered can be read.
    directory = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=state_dir)
    try:
        status = os.fstat(directory)
        owner = (status.st_uid, status.st_gid)
        problems: list[str] = []
        try:
            links = _read_links(directory, path, problems)
            flake, flake_signature = _read_flake(directory, path, problems)
        except OSError as error:
            entry = StateDirEntry(name, path, owner=owner, problems=(f"{path}: {words(error)}",))
            return EntryReading(entry, sign(status), None)
        if not links and flake_signature is None:
            return EntryReading(_other_directory(directory), sign(status), None)
    finally:
        os.close(directory)
    targets = links.get("current"), links.get("booted"), links.get("toplevel")
    entry = StateDirEntry(name, path, *targets, flake, (), owner, tuple(problems))
    return EntryReading(entry, sign(status), flake_signature)


def with_targets(entry: StateDirEntry, look: Look) -> StateDirEntry:
    """`entry` with what is behind its links now: garbage collection takes a target away without a trace in the
    directory. `look` follows an absolute path of the host and returns the errno that it meets, 0 where something is
    there.

    A link dangles where nothing is there; what can't be told is a problem.
    """
    dangling: list[str] = []
    problems: list[str] = []
    for link, target in zip(_LINKS, (entry.current, entry.booted, entry.toplevel), strict=True):
        if target is None:
            continue
        met = look(target if target.startswith("/") else f"{entry.path}/{target}")
        if met in (errno.ENOENT, errno.ENOTDIR):
            dangling.append(link)
        elif met:
            problems.append(f"{entry.path}/{link}{_of_target(met)}")
    if not dangling and not problems:
        return entry
    return entry._replace(dangling=tuple(dangling), problems=(*entry.problems, *problems))


def _of_target(met: int) -> str:
    match met:
        case errno.ELOOP:
            return " is a loop of links"
        case errno.EACCES | errno.EPERM:
            return ": permission denied; root can read what it points to"
    return f": {os.strerror(met).lower()}"


def words(error: OSError) -> str:
    """What an error of the file system means here."""
    if isinstance(error, PermissionError):
        return "permission denied; root or group kvm can read it"
    return (error.strerror or "can't be read").lower()


def _read_links(directory: int, path: str, problems: list[str]) -> Mapping[str, str | None]:
    """The target of each that is there, as written; None where it is no link. Raises OSError."""
    found: dict[str, str | None] = {}
    for link in _LINKS:
        try:
            found[link] = os.readlink(link, dir_fd=directory)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            found[link] = None
            problems.append(f"{path}/{link} is no link")
    return found


def _read_flake(directory: int, path: str, problems: list[str]) -> tuple[str | None, Signature | None]:
    """Its first line, and its signature where there is something of that name. Raises OSError."""
    try:
        status = os.stat(_FLAKE, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None, None
    if not stat.S_ISREG(status.st_mode):
        problems.append(f"{path}/{_FLAKE} is no file")
        return None, sign(status)
    try:
        file = os.open(_FLAKE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError as error:
        problems.append(f"{path}/{_FLAKE}: {words(error)}")
        return None, sign(status)
    try:
        status = os.fstat(file)
        content = os.read(file, _FLAKE_BYTES) if stat.S_ISREG(status.st_mode) else b""
    finally:
        os.close(file)
    return content.decode("utf-8", "replace").strip().partition("\n")[0], sign(status)


def _other_directory(directory: int) -> str:
    try:
        listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
        try:
            with os.scandir(listed) as entries:
                empty = next(entries, None) is None
        finally:
            os.close(listed)
    except OSError:
        empty = False
    return "an empty directory" if empty else "no current, booted, toplevel or flake"

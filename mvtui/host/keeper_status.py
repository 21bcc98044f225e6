"""What a keeper says of its microVM's units, in a file that others read; who holds its directory is the keeper.

    BASE/PARTS…/MICROVM/status.json

The document's `keeper` is its pid and start, null once it is done; its `units` are UnitStatus fields by template
(`microvm`, `microvm-virtiofsd` …). Times are seconds of Unix time, starts are clock ticks since boot. The file is
removed after a clean stop and stays after a failure, as systemd keeps `failed`.
"""

import contextlib
import errno
import fcntl
import os
import stat
import time
from typing import Any

from mvtui.host.keeper_place import RefusedError
from mvtui.host.keeper_process import is_alive, read_stat

SCHEMA = 1
STATUS_FILE = "status.json"
MAX_STATUS_BYTES = 1 << 16
# Opening what somebody else put there: a directory that is closed to us, a link, a socket, a file under a lease.
_NONE_OF_OURS = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENXIO, errno.EAGAIN)
_INACTIVE = {
    "active_state": "inactive",
    "sub_state": "dead",
    "result": "success",
    "n_restarts": 0,
    "main_pid": None,
    "main_start": None,
    "exec_status": None,
    "exec_by_signal": False,
    "condition_failed": False,
    "last_run": None,
    "job": None,
}


class BusyError(Exception):
    """Another keeper works on this microVM: its pid, None where it has not said so yet."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


def boot_id() -> str:
    """Names this boot of the host (random(4)): pids and clock ticks mean nothing in another."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def read_status(path: str) -> dict[str, Any] | None:
    """The document at `path`, None where there is none, one of another boot, or one that neither root nor this user
    wrote. Raises ValueError for one that is not understood, OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NONE_OF_OURS:
            return None
        raise
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid not in (0, os.geteuid()):
            return None
        import json  # noqa: PLC0415 - where no keeper is there is nothing to read

        document = json.loads(os.read(descriptor, MAX_STATUS_BYTES))
    finally:
        os.close(descriptor)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError("not a status that this version writes")
    return document if document.get("boot") == boot_id() else None


def live_keeper(document: dict[str, Any]) -> int | None:
    """The pid of the keeper that wrote it, None where it lives no more or is done."""
    if document["keeper"] is None:
        return None
    pid, start = document["keeper"]
    return pid if is_alive(pid, start) else None


class Status:
    """The status file of one microVM, held by this process until it ends."""

    def __init__(self, base: str, parts: list[str], microvm: str) -> None:
        """`base` is trusted and stays; `parts` below it come and go. Raises BusyError, RefusedError, OSError."""
        os.makedirs(base, exist_ok=True)
        self.microvm = microvm
        self.directory = os.path.join(base, *parts)
        self._levels = [os.path.join(base, *parts[: depth + 1]) for depth in range(len(parts))]
        self._levels.append(os.path.join(self.directory, microvm))
        self.path = os.path.join(self._levels[-1], STATUS_FILE)
        self._lock = self._hold()
        self._done = False
        try:
            self.before = read_status(self.path)
        except ValueError:  # another version's: what runs is found by looking
            self.before = None
        self.units: dict[str, dict[str, Any]] = {}
        self._entered: dict[str, float] = {}  # when each became active; not by the clock on the wall, which may jump

    def _hold(self) -> int:
        for _ in range(100):  # the last keeper may be removing the directories right now
            try:
                for level in self._levels:
                    _make_own(level)
                descriptor = os.open(self._levels[-1], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self._levels[-1])):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                document = read_status(self.path)
                raise BusyError(None if document is None else live_keeper(document)) from None
            except FileNotFoundError:
                pass
            os.close(descriptor)
        raise RefusedError(f"{self._levels[-1]} vanishes again and again")

    def set(self, unit: str, active: str | None = None, sub: str | None = None, **facts: object) -> None:
        """Change what is said of a unit, and write it."""
        known = self.units.setdefault(unit, _INACTIVE | {"since": time.time()})
        if active is not None and active != known["active_state"]:
            if known["active_state"] == "active":
                entered = self._entered.pop(unit, None)
                known["last_run"] = None if entered is None else time.monotonic() - entered
            elif active == "active":
                self._entered[unit] = time.monotonic()
                known["last_run"] = None
            known["since"] = time.time()
            known["active_state"] = active
        known["sub_state"] = sub or known["sub_state"]
        known.update(facts)
        self.write()

    def failed(self) -> bool:
        """True where a unit is `failed`."""
        return any(unit["active_state"] == "failed" for unit in self.units.values())

    def write(self) -> None:
        """Replace the file. A full disk must not end what keeps a microVM: it is then written at the next change."""
        import json  # noqa: PLC0415

        me = read_stat(os.getpid())
        document = {
            "schema": SCHEMA,
            "boot": boot_id(),
            "microvm": self.microvm,
            "keeper": None if self._done or me is None else [os.getpid(), me.start],
            "units": self.units,
        }
        new = f"{self.path}.new"
        with contextlib.suppress(OSError):
            with open(new, "w", encoding="ascii") as file:
                json.dump(document, file)
            os.replace(new, self.path)
            self._touch()

    def release(self) -> None:
        """The next keeper may begin. After a failure the file stays; else it goes, and what is then empty above it."""
        self._done = True
        if self.failed():
            self.write()
        else:
            self._remove()
        os.close(self._lock)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            for name in os.listdir(self._levels[-1]):
                os.unlink(os.path.join(self._levels[-1], name))
            os.rmdir(self._levels[-1])
            self._touch()
            for level in reversed(self._levels[:-1]):
                os.rmdir(level)

    def _touch(self) -> None:
        """One stat of the directory of all microVMs tells that something changed in one of them."""
        now = time.time_ns()
        os.utime(self.directory, ns=(now, now))


def _make_own(path: str) -> None:
    """A directory that is ours and that nobody else can write, made where missing. Raises RefusedError."""
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        pass
    except PermissionError as error:
        hint = f"run mvtui as root, or as who owns {os.path.dirname(path)}"
        raise RefusedError(f"{path} can't be made: {error.strerror}", hint) from None
    facts = os.lstat(path)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise RefusedError(f"{path} is no directory that this user alone can write", f"remove {path}")

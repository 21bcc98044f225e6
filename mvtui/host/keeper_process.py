"""The processes of one keeper: how it starts, finds, watches and ends them. Standard library alone, one thread.

A session (setsid(2)) is to a keeper what a control group is to systemd: each main process leads one of its own, and
what it starts stays in it or descends from it.
"""

import contextlib
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

# systemd.exec(5), "Process exit codes": what systemd says of a command that could not be executed.
EXIT_EXEC = 203
# LimitNOFILE= of microvm@ and microvm-virtiofsd@ in microvm.nix's host module.
LIMIT_NOFILE = 1_048_576
# systemd.service(5), SuccessExitStatus=: the signals that are a clean exit.
CLEAN_SIGNALS = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE))
POLL_SECONDS = 0.05

_PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
_HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1)
_MAX_CMDLINE = 1 << 16


class Identity(NamedTuple):
    """Whom a process runs as."""

    uid: int
    gid: int
    groups: tuple[int, ...]


class Stat(NamedTuple):
    """What /proc/PID/stat says (proc(5)): `start` is in clock ticks since boot; with the pid it names a process."""

    pid: int
    state: str
    ppid: int
    session: int
    start: int


def read_stat(pid: int) -> Stat | None:
    """The process of that pid, None where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            text = file.read(4096)
    except OSError:
        return None
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    return Stat(pid, fields[0].decode(), int(fields[1]), int(fields[3]), int(fields[19]))


def is_alive(pid: int, start: int) -> bool:
    """True while the very process lives that had `pid` and `start`; a zombie does not."""
    stat = read_stat(pid)
    return stat is not None and stat.start == start and stat.state not in "ZX"


def all_processes() -> Iterator[Stat]:
    """Every living process of this pid namespace."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            stat = read_stat(int(name))
            if stat is not None and stat.state not in "ZX":
                yield stat


def family(pid: int) -> list[int]:
    """The living pids of the session that `pid` leads, and of all who descend from it."""
    processes = list(all_processes())
    members = {pid}
    grown = True
    while grown:
        more = {each.pid for each in processes if each.session == pid or each.ppid in members} - members
        members |= more
        grown = bool(more)
    return sorted(members & {each.pid for each in processes})


def children() -> list[int]:
    """The living pids of this process's children, to which those come whose parents have ended (Watch)."""
    me = os.getpid()
    try:
        with open("/proc/thread-self/children", "rb", buffering=0) as file:
            pids = [int(pid) for pid in file.readall().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return [each.pid for each in all_processes() if each.ppid == me]
    return [pid for pid in pids if (stat := read_stat(pid)) is not None and stat.state not in "ZX"]


def command_line(pid: int) -> list[str]:
    """Its argv, empty where it can't be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            return [os.fsdecode(word) for word in file.read(_MAX_CMDLINE).split(b"\0")]
    except OSError:
        return []


def working_in(directory: os.stat_result) -> list[int]:
    """The living pids whose working directory is `directory`, as far as this user may look."""
    found = []
    for each in all_processes():
        try:
            cwd = os.stat(f"/proc/{each.pid}/cwd")
        except OSError:
            continue
        if (cwd.st_dev, cwd.st_ino) == (directory.st_dev, directory.st_ino):
            found.append(each.pid)
    return found


class Process:
    """A process that is watched: a child of the keeper, or one that an earlier keeper left behind.

    `status` is its wait status (waitpid(2)) once it has ended, None before, and for ever where it is no child.
    """

    def __init__(self, pid: int, *, is_child: bool) -> None:
        """Raises ProcessLookupError where there is no such process."""
        self.pid = pid
        self.is_child = is_child
        self.pidfd = os.pidfd_open(pid)
        stat = read_stat(pid)
        self.start = stat.start if stat is not None else 0
        self.ended = False
        self.status: int | None = None

    def exit_facts(self) -> tuple[str, int | None, bool]:
        """systemd's Result, ExecMainStatus, and whether that is a signal's number."""
        if self.status is None:
            return "success", None, False
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            if number in CLEAN_SIGNALS:
                return "success", number, True
            return ("core-dump" if os.WCOREDUMP(self.status) else "signal"), number, True
        code = os.WEXITSTATUS(self.status)
        return ("exit-code" if code else "success"), code, False


class Watch:
    """What a keeper waits for: its processes, and what it is asked by signals (SIGTERM: stop; SIGUSR1: kill)."""

    def __init__(self) -> None:
        self.asked = ""
        self._watched: list[Process] = []
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.ask("stop"))
        signal.signal(signal.SIGUSR1, lambda *_: self.ask("kill"))
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        # Daemons that fork twice become this process's children: they can be found, and leave no zombies.
        import ctypes  # noqa: PLC0415 - keepers alone need it

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def ask(self, what: str) -> None:
        """Ask for `stop` or `kill`; a kill is never taken back."""
        if self.asked != "kill":
            self.asked = what

    def is_asked(self, what: str = "") -> bool:
        """True where that is asked; without `what`, where anything is."""
        return self.asked == what if what else bool(self.asked)

    def spawn(
        self, argv: Sequence[str], *, directory: int, log: int, identity: Identity | None, env: Mapping[str, str]
    ) -> Process:
        """Start `argv` in the open directory, its output into `log`, as `identity` (None: as this process); it is
        executed when this returns. Raises OSError where no process can be made; one that can't be executed ends with
        EXIT_EXEC."""
        executed, unexecuted = os.pipe2(os.O_CLOEXEC)
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)  # none gets lost between fork and exec
        try:
            pid = os.fork()
            if pid == 0:
                _become(argv, directory, log, identity, env)
        except OSError:
            os.close(executed)
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
            os.close(unexecuted)
        os.read(executed, 1)  # ends when execve(2) has closed the other side
        os.close(executed)
        process = Process(pid, is_child=True)
        self._watched.append(process)
        return process

    def adopt(self, pid: int, start: int | None = None) -> Process | None:
        """Watch a process that is no child; None where it (with this `start`) lives no more."""
        try:
            process = Process(pid, is_child=False)
        except OSError:
            return None
        if not is_alive(pid, process.start) or start not in (None, process.start):
            os.close(process.pidfd)
            return None
        self._watched.append(process)
        return process

    def wait(self, done: Callable[[], bool], timeout: float | None = None, every: float | None = None) -> bool:
        """Until `done()`: True; False when `timeout` seconds are over. `done` is asked again whenever a process ended
        or a signal came, and `every` so many seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._reap()
            if done():
                return True
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._sleep(min((each for each in (left, every) if each is not None), default=None))

    def _sleep(self, seconds: float | None) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        for process in self._watched:
            poll.register(process.pidfd, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000 + 1)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)

    def _reap(self) -> None:
        exits = {}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            exits[pid] = status
        for process in list(self._watched):
            if process.is_child:
                process.status = exits.get(process.pid)
                process.ended = process.status is not None
            else:
                process.ended = not is_alive(process.pid, process.start)
            if process.ended:
                os.close(process.pidfd)
                self._watched.remove(process)


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each that still lives."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _become(
    argv: Sequence[str], directory: int, log: int, identity: Identity | None, env: Mapping[str, str]
) -> NoReturn:
    """The child's side of `spawn`: never returns."""
    try:
        os.setsid()
        for number in (*_HANDLED, signal.SIGHUP, signal.SIGINT, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _raise_limit(resource.RLIMIT_NOFILE, LIMIT_NOFILE)
        _raise_limit(resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY)
        if identity is not None:
            os.setgroups(identity.groups)
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
        os.fchdir(directory)
        os.umask(0o022)
        os.execve(argv[0], list(argv), env)  # noqa: S606
    except OSError as error:
        os.write(2, os.fsencode(f"mvtui: {argv[0]}: {error.strerror}\n"))
    finally:
        os._exit(EXIT_EXEC)


def _raise_limit(kind: int, wanted: int) -> None:
    """To `wanted`, else as far as it goes: the hard limit of this process."""
    _, hard = resource.getrlimit(kind)
    for limits in ((wanted, wanted), (hard, hard)):
        try:
            resource.setrlimit(kind, limits)
        except (OSError, ValueError):
            continue
        return

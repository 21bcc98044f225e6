"""Takes the place of qemu-system-x86_64: reads the command line that microvm.nix writes and does what is seen of QEMU
from outside. It answers QMP on its socket, locks its images, keeps the connection to each virtiofsd; nothing computes.
"""

import contextlib
import ctypes
import fcntl
import itertools
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence

from .console import BOOT, BYE, EMERGENCY, EMERGENCY_KERNEL, MURMURS
from .qmp import Json, Monitor

Options = dict[str, str]

# QEMU's image locks (block/file-posix.c): 100 + i is a right taken, 200 + i a right not shared; i: 0 read, 1 write.
_READS, _WRITES, _LETS_NOBODY_WRITE = 100, 101, 201
_FLOCK = "hhqqi4x"  # struct flock: l_type, l_whence, l_start, l_len, l_pid

_VERSION: Json = {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": "stand-in of mvtui demo"}
_NO_FAILURES = {"failed_rd_operations": 0, "failed_wr_operations": 0, "failed_flush_operations": 0}
_SHUTDOWN_SECONDS = 1.0
_TICK_SECONDS = 2.0
_BUSY_SECONDS = 0.01
_TICKS_A_MURMUR = 5


class RefusedError(Exception):
    """QEMU would not start; the text is what it says of the option."""


def options(argument: str) -> Options:
    """`socket,id=fs0,path=x` as a mapping; the first word without `=` is under ""."""
    pairs = [word.partition("=") for word in argument.split(",")]
    return {key if equals else "": value if equals else key for key, equals, value in reversed(pairs)}


def arguments(argv: Sequence[str], name: str) -> Iterator[str]:
    """The argument of every option `name`."""
    return (argument for word, argument in itertools.pairwise(argv) if word == name)


@contextlib.contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turns an OSError into QEMU's words for it."""
    try:
        yield
    except OSError as error:
        raise RefusedError(f"{what}: {error.strerror}") from None


def lock_image(path: str, *, read_only: bool) -> int:
    """Open the image and take QEMU's locks; the descriptor holds them. Raises RefusedError."""
    with refusing(f"Could not open '{path}'"):
        image = os.open(path, os.O_RDONLY if read_only else os.O_RDWR)
    for byte in (_READS, _LETS_NOBODY_WRITE) if read_only else (_READS, _WRITES, _LETS_NOBODY_WRITE):
        fcntl.fcntl(image, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, byte, 1, 0))
    for byte, right in ((_LETS_NOBODY_WRITE, '"write"'), (_WRITES, 'shared "write"')):
        if not (read_only and byte == _LETS_NOBODY_WRITE) and _held_by_another(image, byte):
            raise RefusedError(f"Failed to get {right} lock\nIs another process using the image [{path}]?")
    return image


def _held_by_another(image: int, byte: int) -> bool:
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    kind: int = struct.unpack(_FLOCK, fcntl.fcntl(image, fcntl.F_OFD_GETLK, asked))[0]
    return kind != fcntl.F_UNLCK


def connect(path: str) -> socket.socket:
    """The connection to a virtiofsd, which QEMU keeps as long as it lives. Raises RefusedError."""
    connection = socket.socket(socket.AF_UNIX)
    with refusing(f"Failed to connect to '{path}'"):
        connection.connect(path)
    return connection


def listen(path: str) -> socket.socket:
    """The control socket. Raises RefusedError."""
    server = socket.socket(socket.AF_UNIX)
    with refusing(f"Failed to bind socket to {path}"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        server.bind(path)
    server.listen(1)
    return server


def check_directory(path: str, name: str) -> None:
    """What the `local` file system driver of a 9p share looks at. Raises RefusedError."""
    with refusing(f"cannot initialize fsdev '{name}': failed to open '{path}'"):
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY))


class Machine:
    """What the command line describes, opened, and what QMP tells of it. Raises RefusedError."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.memory = int(next(arguments(argv, "-m"), "128M").split(",")[0].rstrip("M")) << 20
        self.memory_size = self.memory
        self.connections: dict[str, socket.socket] = {}
        self.has_balloon = any("balloon" in device for device in arguments(argv, "-device"))
        self.ends_at: float | None = None
        self.end = ""
        self.events: list[tuple[str, Json]] = []
        self.drives: list[Options] = []
        self.kept: list[int] = []
        self.server: socket.socket | None = None
        self.socket_path = ""
        for name, argument in itertools.pairwise(argv):
            if name in ("-chardev", "-qmp", "-drive", "-fsdev"):
                try:
                    self._open(name, options(argument))
                except RefusedError as refused:
                    raise RefusedError(f"{name} {argument}: {refused}") from None

    def _open(self, name: str, given: Options) -> None:
        if name == "-chardev" and given[""] == "socket":
            self.connections[given.get("id", "")] = connect(given["path"])
        elif name == "-drive":
            self.kept.append(lock_image(given["file"], read_only=given.get("read-only") == "on"))
            self.drives.append(given)
        elif name == "-fsdev":
            check_directory(given["path"], given["id"])
        elif name == "-qmp":
            self.socket_path = given[""].removeprefix("unix:")
            self.server = listen(self.socket_path)

    def end_after(self, seconds: float, cause: str) -> None:
        """`cause` is QMP's word for it (ShutdownCause)."""
        self.ends_at, self.end = time.monotonic() + seconds, cause

    def answer(self, command: str, given: Json) -> object:
        """The value of QMP's `return`. Raises LookupError for what it does not know, ValueError for what it refuses."""
        match command:
            case "query-balloon" | "balloon" if not self.has_balloon:
                raise ValueError("No balloon device has been activated")
            case "query-balloon":
                return {"actual": self.memory}
            case "balloon":
                wanted = given.get("value")
                if not isinstance(wanted, int) or wanted <= 0:
                    raise ValueError("Parameter 'target' expects a size")
                self.memory = min(wanted, self.memory)
                self.events.append(("BALLOON_CHANGE", {"actual": self.memory}))
            case "input-send-event":
                if "delete" in _keys(given):
                    self.end_after(_SHUTDOWN_SECONDS, "guest-reset")
            case "quit":
                self.end_after(0, "host-qmp-quit")
            case _:
                return self._told(command)
        return {}

    def _told(self, command: str) -> object:
        """What it only tells. Raises LookupError for what it does not know."""
        match command:
            case "query-status":
                return {"status": "running", "singlestep": False, "running": True}
            case "query-version":
                return _VERSION
            case "query-block":
                return [_block(drive) for drive in self.drives]
            case "query-blockstats":
                return [{"device": drive["id"], "stats": _NO_FAILURES} for drive in self.drives]
            case "query-memory-size-summary":
                return {"base-memory": self.memory_size}
            case "query-chardev":
                return [_chardev(label, connection) for label, connection in self.connections.items()]
        raise LookupError(f"The command {command} has not been found")


def _chardev(label: str, connection: socket.socket) -> Json:
    """QEMU says `disconnected:` of one whose other side has left."""
    try:
        is_lost = connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        is_lost = False
    except OSError:
        is_lost = True
    return {"label": label, "filename": "disconnected:unix:" if is_lost else "unix:", "frontend-open": not is_lost}


def _block(drive: Options) -> Json:
    image = {"filename": drive["file"], "format": drive["format"], "virtual-size": os.stat(drive["file"]).st_size}
    read_only = drive.get("read-only") == "on"
    inserted = {"file": drive["file"], "ro": read_only, "drv": drive["format"], "image": image}
    return {"device": drive["id"], "locked": False, "removable": False, "type": "unknown", "inserted": inserted}


def _keys(given: Json) -> set[str]:
    """The key names of an `input-send-event`; whatever else it holds is no key."""
    found = set()
    events = given.get("events")
    for event in events if isinstance(events, list) else ():
        with contextlib.suppress(KeyError, TypeError):
            found.add(str(event["data"]["key"]["data"]))
    return found


def run(machine: Machine, woken: socket.socket) -> None:
    """Live until `ends_at`. `woken` becomes readable when a signal has come."""
    monitor: Monitor | None = None
    ticks = 0
    while machine.ends_at is None or time.monotonic() < machine.ends_at:
        # While a client is served the next one waits in the listening socket's queue.
        speaker = monitor.connection if monitor is not None else machine.server
        wait = _TICK_SECONDS if machine.ends_at is None else max(machine.ends_at - time.monotonic(), 0)
        ready, _, _ = select.select([woken, *([speaker] if speaker is not None else [])], [], [], wait)
        if woken in ready:
            woken.recv(64)
        if monitor is not None and speaker in ready and not monitor.read():
            monitor.connection.close()
            monitor = None
        elif monitor is None and machine.server is not None and machine.server in ready:
            monitor = Monitor(machine.server.accept()[0], _VERSION, machine.answer)
        if machine.ends_at is not None and time.monotonic() >= machine.ends_at:
            machine.events.append(("SHUTDOWN", {"guest": machine.end.startswith("guest"), "reason": machine.end}))
        while machine.events:
            name, data = machine.events.pop(0)
            if monitor is not None:
                monitor.event(name, data)
        if not ready:
            _be_busy()
            ticks += 1
            if ticks % _TICKS_A_MURMUR == 0:
                print(MURMURS[ticks // _TICKS_A_MURMUR % len(MURMURS)], flush=True)  # noqa: T201


def _be_busy() -> None:
    """Some of a core, now more, now less, as a guest that idles takes."""
    until = time.thread_time() + time.monotonic_ns() % 1000 / 1000 * _BUSY_SECONDS
    while time.thread_time() < until:
        pass


def look_like_qemu() -> None:
    """Leave Python's script out of the command line that /proc shows of this process, where it was started under
    QEMU's name: the kernel reads it from memory that belongs to the process. Its length can't change, so the
    guest's command line ends in as many spaces."""
    with open("/proc/self/cmdline", "rb") as file:
        before = file.read()
    name, _, *words = before.split(b"\0")
    if not name.startswith(b"microvm@") or b"-append" not in words:
        return
    after = [name, *words]
    after[after.index(b"-append") + 1] += b" " * (len(before) - len(b"\0".join(after)))
    with open("/proc/self/stat", "rb") as file:
        arg_start = int(file.read().rpartition(b")")[2].split()[45])
    ctypes.memmove(arg_start, b"\0".join(after), len(before))


def main(argv: Sequence[str]) -> int:
    """Start, live, end as QEMU does: 0 after a shutdown or a signal, 1 where it would not start."""
    look_like_qemu()
    try:
        machine = Machine(argv)
    except RefusedError as refused:
        sys.stderr.write(f"microvm@{next(arguments(argv, '-name'), '')}: {refused}\n")
        return 1
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: machine.end_after(0, "host-signal"))
    fails = next(arguments(argv, "-kernel"), "").endswith(EMERGENCY_KERNEL)
    shown = EMERGENCY if fails else BOOT
    print(f"command line: {next(arguments(argv, '-append'), '')}\n{shown}", end="", flush=True)  # noqa: T201
    run(machine, woken)
    if machine.end.startswith("guest"):
        print(BYE, end="", flush=True)  # noqa: T201
    with contextlib.suppress(OSError):
        os.unlink(machine.socket_path)
    return 0

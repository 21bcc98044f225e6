"""How the file system is made: the same program with the same arguments as in the runner."""

from __future__ import annotations

import os
import select
import time

from mvtui.host.overlay.stop import FAILED, Stop
from mvtui.model.mkfs import PACKAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mvtui.host.overlay.effects import Effects

USUAL = ("/run/current-system/sw/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

_OUTPUT_BYTES = 4096
_PIPE_BYTES = 1 << 20
_SIGKILL = 9


class Recipe:
    """The new image: see NewImage. `seconds` is how long its mkfs may take."""

    def __init__(
        self, size: int, fs_type: str, label: str | None, extra: list[str], gid: int, mode: int, seconds: float
    ) -> None:
        self.size, self.fs_type, self.label, self.extra = size, fs_type, label, extra
        self.gid, self.mode, self.seconds = gid, mode, seconds


def need_mkfs(fs_type: str, tool_path: list[str]) -> str:
    """Its path. Raises Stop, with the package that has it."""
    program = find_mkfs(fs_type, tool_path)
    if program is None:
        package = PACKAGES.get(fs_type)
        hint = f"install {package}" if package else f"microvm.nix makes {', '.join(PACKAGES)}"
        raise Stop(f"there is no mkfs.{fs_type} on this host", hint)
    return program


def fill(
    effects: Effects, fd: int, path: str, program: str, recipe: Recipe, tool_path: list[str], control: int
) -> None:
    """Make of the empty file `fd`, which is at `path`, the complete image, in the order of microvm.nix's runner. Raises
    Stop, OSError."""
    try:
        effects.nocow(fd)
    except OSError:  # most file systems know no such flag: `chattr +C || true`
        pass
    effects.truncate(fd, recipe.size)
    argv = mkfs_argv(program, recipe.fs_type, recipe.label, recipe.extra, path)
    run_mkfs(effects, argv, tool_path, recipe.seconds, control)
    status = os.fstat(fd)
    if status.st_size != recipe.size:
        raise Stop(f"mkfs.{recipe.fs_type} changed the image's size to {status.st_size}", code=FAILED)
    if status.st_gid != recipe.gid:
        effects.chown(fd, -1, recipe.gid)
    effects.chmod(fd, recipe.mode)


def find_mkfs(fs_type: str, tool_path: list[str]) -> str | None:
    """The first mkfs for it in these absolute directories, and then the usual ones."""
    return find_program(f"mkfs.{fs_type}", tool_path)


def find_program(name: str, tool_path: list[str]) -> str | None:
    """The first program of that name in these absolute directories, and then the usual ones."""
    for directory in (*tool_path, *USUAL):
        path = f"{directory}/{name}"
        if directory.startswith("/") and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def mkfs_argv(program: str, fs_type: str, label: str | None, extra: list[str], image: str) -> list[str]:
    """As microvm.nix's lib/volumes.nix has it: `mkfs.TYPE -L LABEL ARGS IMAGE`, where vfat calls its label -n."""
    option = "-n" if fs_type == "vfat" else "-L"
    return [program, *((option, label) if label is not None else ()), *extra, image]


def run_mkfs(effects: Effects, argv: list[str], tool_path: list[str], seconds: float, control: int) -> None:
    """Run it to its end. Raises Stop where it fails, takes longer than `seconds`, or where the other side of the pipe
    `control` is closed meanwhile; OSError where it can't be started."""
    status, said = run_program(lambda theirs: effects.spawn(argv, search_path(tool_path), theirs), seconds, control)
    name = os.path.basename(argv[0])
    if status is None:
        raise Stop(f"{name} did not end within {seconds:g} s", code=FAILED)
    if status != 0:
        raise Stop(f"{name}: {told_end(status, said)}", code=FAILED)


def search_path(tool_path: list[str]) -> str:
    """The PATH of what is run."""
    return ":".join((*tool_path, *USUAL))


def run_program(start: Callable[[int], int], seconds: float, control: int | None) -> tuple[int | None, list[str]]:
    """The wait status of what `start` starts (its pid; it gets where to write what it says), None where it did not end
    in `seconds`, and the last lines that it said. Raises Stop where the other side of the pipe `control` is closed
    meanwhile; OSError where it can't be started."""
    output, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(output, False)
    try:
        try:
            pid = start(theirs)
        finally:
            os.close(theirs)
        try:
            said, in_time = _listen(pid, output, time.monotonic() + seconds, control)
        finally:
            _, status = _end(pid)
    finally:
        os.close(output)
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return status if in_time else None, lines


def told_end(status: int, said: list[str]) -> str:
    """How a program ended, by its wait status, and what it said last."""
    ended = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
    return f"{ended}{': ' + said[-1] if said else ''}"


def _end(pid: int) -> tuple[int, int]:
    """Kill it, and what it left behind; its wait status is its own where it had ended before."""
    try:
        os.killpg(pid, _SIGKILL)
    except ProcessLookupError:  # it has not come to be a group's leader
        os.kill(pid, _SIGKILL)
    return os.waitpid(pid, 0)


def _listen(pid: int, output: int, until: float, control: int | None) -> tuple[bytes, bool]:
    """The end of what it says until it has ended, and whether that was in time."""
    said = b""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    for fd in (ended, output, control):
        if fd is not None:
            poll.register(fd, select.POLLIN)
    try:
        while (left := until - time.monotonic()) > 0:
            ready = {fd for fd, _ in poll.poll(left * 1000 + 1)}
            if control in ready:
                raise Stop("mvtui has ended", code=FAILED)
            if output in ready or ended in ready:
                more, is_open = _read(output)
                said = (said + more)[-_OUTPUT_BYTES:]
                if not is_open and output in ready:
                    poll.unregister(output)
            if ended in ready:
                return said, True
        return said, False
    finally:
        os.close(ended)


def _read(output: int) -> tuple[bytes, bool]:
    """What is there, as much as a pipe holds; false where nothing more can come."""
    try:
        more = os.read(output, _PIPE_BYTES)
    except BlockingIOError:
        return b"", True
    return more, bool(more)

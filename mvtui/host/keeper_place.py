"""A microVM's directory as its keeper uses it: the owner, `current` and `booted`, the logs, the shares.

The directory belongs to an unprivileged user and a keeper may be root. So everything that is written here is written
with the owner's identity, through the directory's descriptor, following no link; and what runs as root comes from
where root alone can write.
"""

import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mvtui.host.keeper_process import Identity

MAX_LOG_BYTES = 10 << 20
_KEPT_LOG_BYTES = 1 << 20
_MAX_TAIL_BYTES = 1 << 16
_MAX_FACT_BYTES = 4096


class RefusedError(Exception):
    """What a keeper will not do, in one sentence, and what would mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Place:
    """`state_dir`/`microvm`, opened once."""

    def __init__(self, state_dir: str, microvm: str) -> None:
        """Raises RefusedError where it can't be opened, where it belongs to root, as whom no hypervisor may run, and
        where it is not sure that root wanted it to belong to its owner."""
        self.path = os.path.join(state_dir, microvm)
        try:
            self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise RefusedError(f"{self.path}: {error.strerror}") from None
        self.facts = os.fstat(self.fd)
        self.owner: Identity | None = None
        if os.geteuid() == 0:
            self.owner = _identity(self.path, self.facts, os.stat(state_dir))

    def environment(self, identity: Identity | None) -> dict[str, str]:
        """What a script gets: as systemd.exec(5) does it where mvtui is root (nothing of root's shell but PATH), else
        the caller's own."""
        if os.geteuid() != 0:
            return dict(os.environ)
        uid = 0 if identity is None else identity.uid
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        # What is not absolute would be looked for in the microVM's directory.
        env["PATH"] = ":".join(place for place in env.get("PATH", os.defpath).split(":") if place.startswith("/"))
        try:
            user = pwd.getpwuid(uid)
        except KeyError:
            return env
        return env | {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": user.pw_shell}

    def resolve(self, link: str) -> str | None:
        """The runner behind `current` or `booted`, None where there is none."""
        path = os.path.realpath(os.path.join(self.path, link))
        return path if os.path.isdir(path) else None

    def set_booted(self) -> None:
        """`booted` becomes what `current` is, as microvm-set-booted@ does it. Raises OSError."""
        with self._as_owner():
            self.clear_booted()
            os.symlink(os.readlink("current", dir_fd=self.fd), "booted", dir_fd=self.fd)

    def clear_booted(self) -> None:
        """Remove `booted`. Raises OSError, as for a directory of that name."""
        with self._as_owner():
            try:
                os.unlink("booted", dir_fd=self.fd)
            except FileNotFoundError:
                return

    def open_log(self, name: str) -> int:
        """A descriptor of the log `name`, for appending; a long one is `name`.1 from now on.
        Raises RefusedError where a link or something else lies there, OSError."""
        with self._as_owner():
            descriptor = self._open_log(name)
            if os.fstat(descriptor).st_size > MAX_LOG_BYTES:
                os.close(descriptor)
                os.rename(name, f"{name}.1", src_dir_fd=self.fd, dst_dir_fd=self.fd)
                descriptor = self._open_log(name)
        return descriptor

    def write_log(self, name: str, line: str) -> None:
        """Say it in the log `name`, where that can be written. Raises nothing."""
        with suppress(OSError, RefusedError):
            log = self.open_log(name)
            try:
                os.write(log, f"{line}\n".encode(errors="backslashreplace"))
            finally:
                os.close(log)

    def _open_log(self, name: str) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, 0o640, dir_fd=self.fd)
        except OSError as error:
            raise RefusedError(f"{self.path}/{name}: {error.strerror}", f"remove {name}") from None
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            os.close(descriptor)
            raise RefusedError(f"{self.path}/{name} is no regular file with one link", f"remove {name}")
        return descriptor

    def shorten_log(self, name: str) -> None:
        """Of a log that became long while it is written only the end stays, as `name`.1: guests say what they like.
        Does nothing to what is no log; where the disk is full, nothing stays."""
        with suppress(OSError, RefusedError), self._as_owner():
            size = os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_size
            if size <= MAX_LOG_BYTES:
                return
            descriptor = self._open_log(name)
            try:
                end = os.pread(descriptor, _KEPT_LOG_BYTES, size - _KEPT_LOG_BYTES)
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)
            with suppress(FileNotFoundError):
                os.unlink(f"{name}.1", dir_fd=self.fd)
            descriptor = self._open_log(f"{name}.1")
            try:
                os.write(descriptor, end)
            finally:
                os.close(descriptor)

    @contextmanager
    def _as_owner(self) -> Iterator[None]:
        """Touch files with the owner's rights, where this process is root."""
        if self.owner is None or os.geteuid() != 0:
            yield
            return
        gid, groups = os.getegid(), os.getgroups()
        os.setgroups(self.owner.groups)
        os.setegid(self.owner.gid)
        os.seteuid(self.owner.uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(gid)
            os.setgroups(groups)

    def shares(self, runner: str) -> dict[str, tuple[str, str]]:
        """Source and socket of each virtiofs share by tag, absolute."""
        base = os.path.join(runner, "share/microvm/virtiofs")
        shares = {}
        with self._as_owner():
            try:
                tags = sorted(os.listdir(base))
            except OSError:
                return {}
            for tag in tags:
                source, socket = (_read_fact(os.path.join(base, tag, fact)) for fact in ("source", "socket"))
                shares[tag] = (os.path.join(self.path, source), os.path.join(self.path, socket))
        return shares


def log_size(descriptor: int) -> int:
    """Bytes in the log now."""
    return os.fstat(descriptor).st_size


def log_tail(descriptor: int, since: int) -> bytes:
    """The end of what was logged after byte `since`."""
    start = max(since, log_size(descriptor) - _MAX_TAIL_BYTES)
    return os.pread(descriptor, _MAX_TAIL_BYTES, start)


def last_line(text: bytes) -> str:
    """The last line that says something, fit for a sentence."""
    for line in reversed(text.decode(errors="replace").splitlines()):
        words = "".join(char if char.isprintable() else " " for char in line).strip()
        if words:
            return words[:200]
    return ""


def _identity(path: str, facts: os.stat_result, above: os.stat_result) -> Identity:
    """The owner of the directory at `path`; `above` is the state directory.

    Whose the state directory is can move into it what belongs to others: a guest makes that on a share."""
    if 0 in (facts.st_uid, facts.st_gid):
        raise RefusedError(
            f"{path} belongs to root, and the hypervisor runs as its owner: it must not run as root",
            f"chown microvm:kvm {shlex.quote(path)}",
        )
    if above.st_uid != 0 and (facts.st_uid, facts.st_gid) != (above.st_uid, above.st_gid):
        raise RefusedError(
            f"{path} belongs to {facts.st_uid}:{facts.st_gid}, and the state directory to "
            f"{above.st_uid}:{above.st_gid}, who may have put it there: the hypervisor must not run as another user",
            f"chown {above.st_uid}:{above.st_gid} {shlex.quote(path)}",
        )
    try:
        groups = os.getgrouplist(pwd.getpwuid(facts.st_uid).pw_name, facts.st_gid)
    except KeyError:
        groups = [facts.st_gid]
    return Identity(facts.st_uid, facts.st_gid, tuple(groups))


def _read_fact(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with open(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return ""
        return os.fsdecode(file.read(_MAX_FACT_BYTES).removesuffix(b"\n"))

"""mvtui's drop-in of `microvm@NAME.service` (systemd.unit(5)): what runs an armed reset before the hypervisor starts.

    /run/systemd/system/microvm@NAME.service.d/50-mvtui-reset.conf     until the host boots again
    /etc/systemd/system/…                                              persistent

microvm.nix takes a microVM's name for the instance as it is, not as systemd-escape(1) would write it: so does this,
and the command gets it as `%i`. No other file is ever written or removed, nor one of that name which is not mvtui's.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.host.replaced_file import replace_file
from mvtui.model.unit import UnitKind, unit_name

RUNTIME = "/run/systemd/system"
PERSISTENT = "/etc/systemd/system"
FILE = "50-mvtui-reset.conf"
_MARK = "# Made by `mvtui arm`."
_MAX_BYTES = 1 << 14
# VALID_CHARS of an instance in systemd's unit-name.c, and UNIT_NAME_MAX.
_INSTANCE = re.compile(r"[A-Za-z0-9:_.\\@-]+")
_MAX_NAME = 255
_PROGRAM = re.compile(r'^ExecStartPre=[-+]*(?:"([^"]+)"|(\S+))', re.MULTILINE)
# What can stand in a unit file's word as it is.
_PLAIN = re.compile(r"[A-Za-z0-9/_.,:=@+-]+")

NIXOS_LINES = (
    'systemd.services."microvm@".serviceConfig.ExecStartPre = '
    '[ "-+/run/current-system/sw/bin/mvtui reset --if-armed -- %i" ];'
)


def refuse_what_is_no_instance(microvm: str) -> None:
    """Raises MvtuiError for a name that no instance of a unit can have."""
    if not _INSTANCE.fullmatch(microvm) or len(unit_name(UnitKind.HYPERVISOR, microvm)) > _MAX_NAME:
        raise MvtuiError(
            f"{microvm!r} can't be the name of a systemd unit, so that systemd never starts it",
            "rename the microVM, or start it without systemd: mvtui --manager direct",
            ExitCode.REFUSED,
        )


def path_of(microvm: str, *, persistent: bool) -> str:
    """The host's path of the drop-in."""
    return f"{PERSISTENT if persistent else RUNTIME}/{unit_name(UnitKind.HYPERVISOR, microvm)}.d/{FILE}"


def has(host: Host, microvm: str, *, persistent: bool) -> bool:
    """Whether mvtui's drop-in is there; also where this user can't tell."""
    return program_of(host, microvm, persistent=persistent) is not None


def program_of(host: Host, microvm: str, *, persistent: bool) -> str | None:
    """The program (the host's path) that mvtui's drop-in runs; None where there is no such drop-in, "" where this user
    can't tell."""
    try:
        with _directory(host, microvm, persistent=persistent) as directory:
            text = _read_own(directory)
    except PermissionError:
        return ""
    except (OSError, ValueError):
        return None
    found = _PROGRAM.search(text)
    return (found[1] or found[2]).replace("%%", "%") if found else None


def write(host: Host, microvm: str, program: Sequence[str], *, persistent: bool, strict: bool) -> None:
    """Make or replace it; systemd has to be reloaded then. `program` are the absolute words that start mvtui. Raises
    RightsMissingError, MvtuiError (also where the place is NixOS's own, with the configuration that does the same)."""
    refuse_what_is_no_instance(microvm)
    text = _text(host, program, strict=strict)
    place = PERSISTENT if persistent else RUNTIME
    path = path_of(microvm, persistent=persistent)
    _refuse_what_nixos_made(host, place)
    try:
        os.makedirs(host.on_disk(place), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(own := os.path.dirname(host.on_disk(path)))
            os.chmod(own, 0o755)  # noqa: S103 - whatever the umask
        with _directory(host, microvm, persistent=persistent) as directory:
            _refuse_foreign(directory, path)
            # Before it is whole, its name begins with a dot: that is no drop-in for systemd.
            replace_file(directory, FILE, text.encode("utf-8", "surrogateescape"), 0o644)
    except PermissionError as error:
        raise RightsMissingError(f"{place} can't be written: {error.strerror}", "run mvtui as root (sudo)") from None
    except OSError as error:
        if error.errno == errno.EROFS:
            raise _not_writable(place, "it is read-only") from None
        raise MvtuiError(f"{path} can't be written: {error.strerror}") from None


def remove(host: Host, microvm: str, *, persistent: bool) -> bool:
    """Remove it, and its directory where nothing else is in it; whether it was there. systemd has to be reloaded then.
    Raises RightsMissingError, MvtuiError."""
    path = path_of(microvm, persistent=persistent)
    try:
        with _directory(host, microvm, persistent=persistent) as directory:
            if not _is_own(directory):
                return False
            os.unlink(FILE, dir_fd=directory)
        with suppress(OSError):
            os.rmdir(os.path.dirname(host.on_disk(path)))
    except FileNotFoundError:
        return False
    except PermissionError as error:
        raise RightsMissingError(f"{path} can't be removed: {error.strerror}", "run mvtui as root (sudo)") from None
    except OSError as error:
        raise MvtuiError(f"{path} can't be removed: {error.strerror}") from None
    return True


def is_armed_reset(command: Sequence[str]) -> bool:
    """Whether a command that systemd runs before the start (ExecStartPre=) is mvtui's armed reset."""
    return "reset" in command and "--if-armed" in command and any("mvtui" in word for word in command)


def is_own(command: Sequence[str]) -> bool:
    """Whether such a command stands in mvtui's drop-in, which names all that it needs; a host's own line need not."""
    return {"--manager", "--state-dir"} <= set(command)


def _text(host: Host, program: Sequence[str], *, strict: bool) -> str:
    """`+`: as root, whatever the unit's User=. `-`: the microVM starts also where mvtui is gone or hangs."""
    where = ["--manager", "systemd", "--state-dir", str(host.state_dir), *host.options]
    words = [*program, "reset", "--if-armed", *(["--strict"] if strict else []), *where, "--"]
    command = " ".join([_executable(words[0]), *map(_word, words[1:]), "%i"])
    return f"{_MARK} `mvtui arm NAME --off` removes it.\n[Service]\nExecStartPre={'' if strict else '-'}+{command}\n"


def _executable(path: str) -> str:
    """systemd takes no quotes, backslashes and control characters there (string_is_safe()), and escapes no `$`."""
    if any(char in "$\\\"'\x7f" or char < " " for char in path):
        raise MvtuiError(f"{path!r} can't be named in a unit file", "install mvtui under a plain name")
    return _word(path).replace("$$", "$")


def _word(word: str) -> str:
    """As systemd.service(5), "Command lines", has it: C-style escapes in double quotes, `%%` and `$$`."""
    try:
        word.encode()
    except UnicodeEncodeError:
        raise MvtuiError(f"{word!r} is no UTF-8, as a unit file has to be", "rename it") from None
    if _PLAIN.fullmatch(word):
        return word
    escaped = "".join(f"\\x{ord(char):02x}" if char < " " or char in "\\\"'\x7f" else char for char in word)
    return f'"{escaped}"'.replace("%", "%%").replace("$", "$$")


@contextmanager
def _directory(host: Host, microvm: str, *, persistent: bool) -> Iterator[int]:
    path = os.path.dirname(host.on_disk(path_of(microvm, persistent=persistent)))
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


def _is_own(directory: int) -> bool:
    return bool(_read_own(directory))


def _read_own(directory: int) -> str:
    """The text of mvtui's file, "" where there is none."""
    try:
        file = os.open(FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return ""
    try:
        text = os.read(file, _MAX_BYTES) if stat.S_ISREG(os.fstat(file).st_mode) else b""
    finally:
        os.close(file)
    return text.decode(errors="replace") if text.startswith(_MARK.encode()) else ""


def _refuse_foreign(directory: int, path: str) -> None:
    with suppress(FileNotFoundError):
        os.stat(FILE, dir_fd=directory, follow_symlinks=False)
        if not _is_own(directory):
            raise MvtuiError(f"{path} is not mvtui's", "move it away", ExitCode.REFUSED)


def _refuse_what_nixos_made(host: Host, place: str) -> None:
    """On NixOS /etc/systemd/system is a link into the store."""
    real = os.path.realpath(host.on_disk(place))
    if real != os.path.join(os.path.realpath(host.root), place.lstrip("/")):
        raise _not_writable(place, f"it is {real}")


def _not_writable(place: str, why: str) -> MvtuiError:
    return MvtuiError(
        f"nothing can be added to {place}: {why}",
        "arm it without --persistent, and let the host's NixOS configuration run it after each boot: "
        f"programs.mvtui.enable = true; or {NIXOS_LINES}",
        ExitCode.REFUSED,
    )

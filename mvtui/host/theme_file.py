"""The file of a theme that a person has put there: read by mvtui, which may be root, as the person could read it."""

import os
import stat
from pathlib import Path
from typing import Any

from mvtui.host.documents import DocumentError, parse, read_text

__all__ = ["DocumentError", "read_theme"]

# The largest one that is read, in bytes.
_LIMIT = 64 << 10
# What stands there is nobody's to change, and everybody's to read; home-manager(5) leads to it by links.
_NIX_STORE = "/nix/store/"


def read_theme(path: Path) -> tuple[dict[str, Any], str]:
    """Its tables, and its text. Raises DocumentError, also for a file that mvtui does not read for this person: a
    message would say what the person may not see."""
    text = _text(path)
    if text is None:
        raise DocumentError(path, "it is gone")
    return parse(path, text), text


def _text(path: Path) -> str | None:
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise DocumentError(path, (error.strerror or "can't be read").lower()) from None
    try:
        status = os.fstat(place)
        if stat.S_ISLNK(status.st_mode):
            target = os.path.realpath(path)
            if not target.startswith(_NIX_STORE):
                raise DocumentError(path, "it is a link", "mvtui reads a file, or a link into the Nix store")
            return read_text(Path(target))
        _refuse(path, status)
        # The very file that was looked at, whatever has its name by now.
        return read_text(Path(f"/proc/self/fd/{place}"))
    finally:
        os.close(place)


def _refuse(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(path, "it is no regular file", "a theme is a file: NAME.toml")
    if status.st_size > _LIMIT:
        raise DocumentError(
            path, f"it is larger than {_LIMIT >> 10} KiB", "a theme has one or two; is it another file?"
        )
    # Whoever has become root by sudo(8) is the same person.
    person = os.environ.get("SUDO_UID", str(os.geteuid()))
    if str(status.st_uid) not in ("0", str(os.geteuid()), person):
        raise DocumentError(path, f"it belongs to user {status.st_uid}", "chown it, or remove it")
    if str(status.st_uid) != person and not status.st_mode & stat.S_IROTH:
        raise DocumentError(path, "root alone may read it", "chmod a+r, or remove it")

"""What a panel that was ended from outside leaves for the next one: in `mvtui/left` of $XDG_STATE_HOME, which is
`~/.local/state`, so that it outlives the login."""

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mvtui.host import private_files

_MOST_BYTES = 4 << 20
_LETTERS = 80


def leave(about: Path, content: bytes, environ: Mapping[str, str]) -> Path:
    """Write what is left about that file; where it is then. Raises OSError."""
    folder = _folder(environ)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = private_files.open_own(folder)
    try:
        private_files.write(directory, _name(about), content)
    finally:
        os.close(directory)
    return folder / _name(about)


def find(about: Path, environ: Mapping[str, str]) -> bytes | None:
    """What was left about that file; None where nothing was, or it can't be read."""
    try:
        folder = _folder(environ)
        if not folder.is_dir():
            return None
        directory = private_files.open_own(folder)
        try:
            return private_files.read(directory, _name(about), _MOST_BYTES)
        finally:
            os.close(directory)
    except OSError:
        return None


def forget(about: Path, environ: Mapping[str, str]) -> None:
    """It is not needed any more."""
    with suppress(OSError):
        (_folder(environ) / _name(about)).unlink(missing_ok=True)


def _folder(environ: Mapping[str, str]) -> Path:
    """Raises FileNotFoundError where the person has no home."""
    state, home = environ.get("XDG_STATE_HOME", ""), environ.get("HOME", "")
    if os.path.isabs(state):
        return Path(state) / "mvtui" / "left"
    if os.path.isabs(home):
        return Path(home) / ".local" / "state" / "mvtui" / "left"
    raise FileNotFoundError("there is no home directory")


def _name(about: Path) -> str:
    """One that people can read, and that no other file has."""
    letters = re.sub(r"[^A-Za-z0-9._-]", "_", about.name)[:_LETTERS]
    return f"{letters}.{hashlib.sha256(os.fsencode(about)).hexdigest()[:16]}.json"

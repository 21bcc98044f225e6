"""Where a runner's own programs are."""

import re
from pathlib import Path

from mvtui.host.rooted_files import RootedFiles

_MAX_BYTES = 1 << 20
_MOST_DIRECTORIES = 64
_PATH = re.compile(r"^[ \t]*PATH=\$PATH:([^\s'\"$`;&|]+)$", re.MULTILINE)


def tool_path(runner: str, root: Path = Path("/")) -> tuple[str, ...]:
    """The absolute directories in which the runner at the host's path `runner` finds mkfs (`PATH=$PATH:…` in its
    bin/microvm-run), as paths of this process. Never raises; empty where it can't be read or makes no volume."""
    files = RootedFiles(root)
    try:
        text = files.read(f"{runner}/bin/microvm-run", _MAX_BYTES)
        directories = [part for line in _PATH.findall(text) for part in line.split(":") if part.startswith("/")]
        return tuple(files.resolve(part) for part in directories[:_MOST_DIRECTORIES])
    except (OSError, ValueError):
        return ()

"""The file in which a copied text stays: its owner's alone, in a directory that nobody else can write.

That is `mvtui` in $XDG_RUNTIME_DIR where that is the person's own (after sudo it may be another's), root's /run/mvtui,
else `mvtui-UID` where temporary files go. Nothing but a directory of one's own is used: no link is followed to it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from mvtui.host import private_files

NAME = "copied"
# Of the keepers, too, whose directory is to be seen by all.
_ROOTS = Path("/run/mvtui")


def leave(text: str, environ: Mapping[str, str]) -> Path:
    """Write it in the place of what was copied before, in one step, with mode 0600; where it is then. Raises OSError:
    of the last place that was tried."""
    trouble = OSError(f"there is no directory of {os.geteuid()}'s own")
    for folder in _folders(environ):
        try:
            directory = private_files.open_own(folder, 0o755 if folder == _ROOTS else 0o700)
        except OSError as error:
            trouble = error
            continue
        try:
            private_files.write(directory, NAME, text.encode("utf-8", "backslashreplace"))
            return folder / NAME
        except OSError as error:
            trouble = error
        finally:
            os.close(directory)
    raise trouble


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and _is_own(runtime):
        yield Path(runtime) / "mvtui"
    if os.geteuid() == 0:
        yield _ROOTS
    yield Path(tempfile.gettempdir()) / f"mvtui-{os.geteuid()}"


def _is_own(path: str) -> bool:
    try:
        return private_files.belongs_to_us_alone(os.stat(path))
    except OSError:
        return False

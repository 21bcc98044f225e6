"""The demo: a host of eight sample microVMs with real processes, in a directory of its own.

All functions block; none may be called where an asyncio loop runs.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mvtui.demo import ending
from mvtui.demo.account import find_account
from mvtui.demo.building import build
from mvtui.demo.guard import Guard
from mvtui.demo.marker import NAME, Marker
from mvtui.demo.starting import start
from mvtui.errors import ExitCode, MvtuiError

# Others would have to be quoted, differently in scripts, in supervisord's configuration and for QEMU.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._+@/-]+")


@dataclass(frozen=True, slots=True)
class DemoHost:
    """A demo that runs. `options` are those with which every verb reaches it; `real` says in words which of its
    programs and images are real."""

    state_dir: Path
    options: tuple[str, ...]
    real: str


def up(directory: Path, say: Callable[[str], None]) -> DemoHost:
    """Make a demo in `directory`, which must be empty or not there, start it and return; `say` gets what happens.

    Raises MvtuiError where the directory will not do, or something of the demo can't be made; then nothing is left.
    """
    directory = Path(os.path.realpath(directory))
    made_directory = _claim(directory)
    with contextlib.ExitStack() as undone:
        undone.callback(ending.end, directory, remove_root=made_directory)
        try:
            Marker.write(directory, made_directory=made_directory)
            made = _make(directory, say)
        except OSError as error:
            raise MvtuiError(f"the demo can't be made in {directory}: {error}", "choose another directory") from None
        undone.pop_all()  # whatever ended it before, nothing is left
    return made


def down(directory: Path) -> None:
    """End the demo in `directory` and remove what `up` made of it.
    Raises MvtuiError where there is no demo of this user, or something of it does not go."""
    directory = Path(os.path.realpath(directory))
    marker = Marker.read(directory)
    ending.end(directory, remove_root=marker.made_directory)


@contextlib.contextmanager
def temporary(say: Callable[[str], None]) -> Iterator[DemoHost]:
    """A demo that ends with the block, and also when this process is killed. Raises what `up` raises."""
    directory = Path(os.path.realpath(tempfile.mkdtemp(prefix="mvtui-demo-")))
    guard = Guard(directory)
    try:
        directory.chmod(0o711)
        host = up(directory, say)
        say(host.real)
        yield host
    finally:
        if not guard.end():
            ending.end(directory, remove_root=True)


def _claim(directory: Path) -> bool:
    """See that the directory is there and empty; True where it had to be made."""
    if not _PLAIN_PATH.fullmatch(str(directory)):
        raise MvtuiError(f"the path {str(directory)!r} is not plain enough", "use letters, digits and ._+@- alone")
    try:
        directory.mkdir()
        directory.chmod(0o755)
    except FileExistsError:
        pass
    except OSError as error:
        raise MvtuiError(f"{directory} can't be made: {error.strerror}", "choose another directory") from None
    else:
        return True
    try:
        entries = os.listdir(directory)
    except OSError as error:
        raise MvtuiError(f"{directory}: {error.strerror}", "choose another directory") from None
    if NAME in entries:
        raise MvtuiError(f"there is a demo in {directory}", f"mvtui demo --down {directory}", ExitCode.REFUSED)
    if entries:
        raise MvtuiError(f"{directory} is not empty", "choose an empty directory, or a new one", ExitCode.REFUSED)
    return False


def _make(directory: Path, say: Callable[[str], None]) -> DemoHost:
    account = find_account()
    account.check_reach(directory)
    say(f"Building eight microVMs in {directory} …")
    built = build(directory, account)
    say("Starting them …")
    start(built)
    state_dir = built.layout.state_dir
    return DemoHost(state_dir, ("--state-dir", str(state_dir), "--manager", "direct"), built.real)

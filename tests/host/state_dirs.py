"""State directories for tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mvtui.host.records import forget_records
from mvtui.host.state_dir import StateDir, StateDirReading
from mvtui.model.microvm import StateDirEntry

NOBODY = 65534


@contextmanager
def fresh_state_dir() -> Iterator[Path]:
    """A state directory that every user may enter, unlike tmp_path; nothing in it is dangling by itself. What mvtui has
    on record of it is forgotten with it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "store" / "one").mkdir(parents=True)
        (folder / "store" / "two").mkdir()
        (folder / "microvms").mkdir()
        try:
            yield folder / "microvms"
        finally:
            forget_records(folder / "microvms")


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may read everything; anybody else not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def microvm(state_dir: Path, name: str, **links: str) -> Path:
    """`links` are targets in the store."""
    directory = state_dir / name
    directory.mkdir()
    for link, target in links.items():
        (directory / link).symlink_to(state_dir.parent / "store" / target)
    return directory


def read(state_dir: Path) -> StateDirReading:
    return StateDir(state_dir).read()


def only(reading: StateDirReading) -> StateDirEntry:
    (entry,) = reading.entries
    return entry

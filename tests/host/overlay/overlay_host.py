"""A host with one microVM, whose files belong to an unprivileged user; where tests don't run as root, to who runs
them."""

import os
import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from mvtui.host.overlay.channel import ENTRY
from mvtui.host.overlay.kept import read_kept
from mvtui.host.overlay.worker import PATIENCE, OverlayWorker, Patience
from mvtui.host.ports import Host, Processes, Units
from mvtui.model.definition import Volume
from mvtui.model.overlay import KeptOverlay, NewImage, OverlayKind, OverlayTarget
from tests.host.living import found, until

OWNER = (54321, 54321) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
MIB = 1 << 20
WHO = "root: mvtui reset web"


class OverlayHost:
    """`state_dir`/web/rw.img is the overlay's image, of `size` bytes; `record` is for who works there (faulty)."""

    def __init__(self, folder: Path, image: str = "rw.img", size: int = MIB) -> None:
        folder.chmod(0o755)
        self.folder, self.size = folder, size
        self.state_dir = folder / "microvms"
        self.directory = self.state_dir / "web"
        self.directory.mkdir(parents=True)
        self.record = folder / "record"
        self.record.touch()
        self.give(self.state_dir, self.directory, self.record)
        self.host = Host("test", cast(Units, None), cast(Processes, None), self.state_dir)
        self.image = self.directory / image
        self.volume: Volume | None = Volume(image, size=size // MIB, fs_type="ext4", label="new", auto_create=True)
        self.target = OverlayTarget(OverlayKind.VOLUME, str(self.image), self.volume)
        self.holding = self.image.parent / ".mvtui" / "overlay" / self.image.name

    def give(self, *paths: Path) -> None:
        """To the microVM's user."""
        for path in paths:
            os.chown(path, *OWNER, follow_symlinks=False)

    def write(self, path: Path, content: str) -> Path:
        """An image that holds this."""
        path.write_text(content)
        os.truncate(path, self.size)
        path.chmod(0o640)
        self.give(path)
        return path

    def keep(self, name: str, content: str) -> Path:
        """Something that was set aside before."""
        self.holding.mkdir(parents=True, exist_ok=True)
        self.give(*(self.holding.parents[i] for i in range(2)), self.holding)
        return self.write(self.holding / name, content)

    def new(self, fs_type: str = "ext4", *arguments: str, label: str | None = "new", mode: int = 0o640) -> NewImage:
        return NewImage(self.size, fs_type, label, arguments, OWNER[1], mode)

    def worker(
        self, entry: str = ENTRY, *, tools: tuple[str, ...] = (), patience: Patience = PATIENCE, who: str = WHO
    ) -> OverlayWorker:
        return OverlayWorker.start(self.host, "web", self.target, tools, who=who, entry=entry, patience=patience)

    def file_id(self) -> tuple[int, int] | None:
        try:
            status = os.lstat(self.image if self.volume is not None else self.image / "store")
        except FileNotFoundError:
            return None
        return status.st_dev, status.st_ino

    def reset(self, new: NewImage | None = None, **how: object) -> KeptOverlay | None:
        with self.worker(**how) as worker:  # type: ignore[arg-type]
            worker.make(new or self.new() if self.volume is not None else None, self.file_id())
            return worker.commit()

    def restore(self, name: str | None = None) -> KeptOverlay | None:
        with self.worker() as worker:
            return worker.restore(name)

    def kept(self) -> tuple[KeptOverlay, ...]:
        return read_kept(self.host, "web", self.target)

    def names(self) -> list[str]:
        """What stands where it is set aside, without the lock."""
        try:
            return sorted(set(os.listdir(self.holding)) - {"lock"})
        except FileNotFoundError:
            return []

    def share(self) -> None:
        """From now on the overlay is on a share, whose `store` holds `old`."""
        self.image = self.directory / "overlay"
        self.volume = None
        self.target = OverlayTarget(OverlayKind.SHARE, str(self.image), tag="overlay")
        self.holding = self.image / ".mvtui" / "overlay"
        self.image.mkdir()
        self.give(self.image)
        self.fill(self.image, "old")

    def fill(self, directory: Path, content: str) -> None:
        """What a guest leaves there."""
        for name in ("store", "work", "store/pkg", "work/work"):
            (directory / name).mkdir()
            self.give(directory / name)
        (directory / "store" / "pkg" / "file").write_text(content)
        (directory / "store").chmod(0o1775)
        self.give(directory / "store" / "pkg" / "file")

    def keep_share(self, name: str, content: str) -> Path:
        """Directories that were set aside before."""
        (self.holding / name).mkdir(parents=True)
        self.give(self.holding.parent, self.holding, self.holding / name)
        self.fill(self.holding / name, content)
        return self.holding / name

    def rubbish(self) -> list[str]:
        return [name for name in self.names() if name.startswith("freeing.")]


def content(path: Path) -> str:
    """What `write` or `fill` wrote; for a new image its label; `nothing`, or `blank`."""
    if path.is_dir():
        store = path / "store"
        return "nothing" if not store.is_dir() else " ".join(each.read_text() for each in store.rglob("file")) or "new"
    try:
        with path.open("rb") as file:
            start = file.read(2048)
    except FileNotFoundError:
        return "nothing"
    if start[1080:1082] == b"\x53\xef":
        return start[1024 + 0x78 :][:16].rstrip(b"\0").decode()
    return start.rstrip(b"\0").decode() or "blank"


def is_sound(path: Path) -> bool:
    """Whether e2fsck(8) has nothing against it."""
    return subprocess.run([found("e2fsck"), "-fn", path], capture_output=True, check=False).returncode == 0


@contextmanager
def overlay_host(image: str = "rw.img", size: int = MIB) -> Iterator[OverlayHost]:
    folder = Path(tempfile.mkdtemp(prefix="mvtui-overlay-"))
    try:
        yield OverlayHost(folder, image, size)
    finally:
        until(lambda: _remove(folder))


def _remove(folder: Path) -> bool:
    """Whether it is gone: somebody may be freeing something in it."""
    with suppress(OSError):
        shutil.rmtree(folder)
    return not folder.exists()


def in_child(work: Callable[[], object], user: tuple[int, int] | None = OWNER) -> None:
    """Do it in a child, as that user (None: as it is); what it raises fails the test."""
    pid = os.fork()
    if pid == 0:
        try:
            if user is not None and os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(user[1], user[1], user[1])
                os.setresuid(user[0], user[0], user[0])
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (whatever it is, this process ends here)
            traceback.print_exc()
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0

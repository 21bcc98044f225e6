"""Nothing is exchanged that anybody has open, mapped, locked or on a loop device, or opens meanwhile; and of two mvtui
one wins."""

import fcntl
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from tests.host.living import dies_with_us, loop_device, until
from tests.host.overlay.overlay_host import WHO, OverlayHost, content

OFD = struct.pack("@hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 100, 1, 0)


@contextmanager
def opened(image: Path) -> Iterator[None]:
    with image.open("rb"):
        yield


@contextmanager
def opened_for_writing(image: Path) -> Iterator[None]:
    with image.open("r+b"):
        yield


@contextmanager
def mapped(image: Path) -> Iterator[None]:
    """And not open any more: Python's mmap keeps a descriptor, the C library's does not."""
    script = (
        "import ctypes, os, sys; libc = ctypes.CDLL(None, use_errno=True); libc.mmap.restype = ctypes.c_void_p\n"
        "fd = os.open(sys.argv[1], os.O_RDONLY); assert libc.mmap(None, 4096, 1, 1, fd, ctypes.c_long(0)) > 0\n"
        "os.close(fd); print(flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, image],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"\n"
        yield
        child.stdin.close()


@contextmanager
def locked(image: Path, lock: Callable[[int], object]) -> Iterator[None]:
    with image.open("r+b") as file:
        lock(file.fileno())
        yield


@contextmanager
def on_a_loop_device(image: Path) -> Iterator[None]:
    with loop_device(image):
        yield


HOLD: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "open": opened,
    "open for writing": opened_for_writing,
    "mapped": mapped,
    "loop device": on_a_loop_device,
    "ofd": lambda image: locked(image, lambda fd: fcntl.fcntl(fd, fcntl.F_OFD_SETLK, OFD)),
    "flock": lambda image: locked(image, lambda fd: fcntl.flock(fd, fcntl.LOCK_EX)),
    "posix": lambda image: locked(image, lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX, 1, 5)),
}


@pytest.mark.parametrize("how", HOLD)
def test_in_use(overlay: OverlayHost, how: str) -> None:
    overlay.keep("20250101T010101Z.img", "k0")
    with overlay.worker() as worker:
        worker.make(overlay.new(), overlay.file_id())
        with HOLD[how](overlay.image):
            assert worker.look().in_use is True
            with pytest.raises(MvtuiError, match="is in use") as refused:
                worker.commit()
            assert refused.value.exit_code is ExitCode.REFUSED
            with pytest.raises(MvtuiError, match="is in use"):
                worker.restore()
        assert content(overlay.image) == "old"
        assert worker.look().in_use is False
        worker.make(overlay.new(), overlay.file_id())
        worker.commit()
    assert content(overlay.image) == "new"


def test_what_is_kept_is_in_use(overlay: OverlayHost) -> None:
    kept = overlay.keep("20250101T010101Z.img", "k0")
    with kept.open("rb"), pytest.raises(MvtuiError, match=r"20250101T010101Z\.img is in use"):
        overlay.restore()
    assert content(overlay.image) == "old"


def test_who_only_looks_keeps_nobody_from_it(overlay: OverlayHost) -> None:
    """A panel reads superblocks again and again."""
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            with suppress(BlockingIOError):  # it is there at every moment
                os.close(os.open(overlay.image, os.O_RDONLY | os.O_NONBLOCK))
            done.wait(0.002)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(10):
            overlay.reset()
    finally:
        done.set()
        looker.join()
    assert content(overlay.image) == "new"
    assert len(overlay.kept()) == 10


# What the child does between the exchange and the look at the lease: `{}` happens once, in its first fsync after it.
INTERRUPTED = """
import os
from mvtui.host.overlay import child
from mvtui.host.overlay.effects import Effects
def breaking():  # leases of this process that somebody waits for; the file has those of the whole machine
    own = f' {{os.getpid()}} '
    with open('/proc/locks') as locks:
        return sum('BREAK' in line and own in line for line in locks)
class Interrupted(Effects):
    exchanged = 0
    def exchange(self, *args):
        super().exchange(*args)
        self.exchanged += 1
    def fsync(self, fd):
        super().fsync(fd)
        if self.exchanged == 1 and os.path.isdir(f'/proc/self/fd/{{fd}}'):
            self.exchanged += 1
            {}
child.main(Interrupted())
"""
# The opener has found the old image, and waits for the lease in open(2).
WAIT_FOR_OPENER = "open({fifo!r}, 'w').close(); import time\n            while not breaking(): time.sleep(0.001)"


def test_an_opener_that_comes_during_the_commit(overlay: OverlayHost) -> None:
    """He gets the old image, which has its name again by then, and the reset is refused."""
    place = os.open(overlay.image, os.O_PATH)  # as a path walk that came just before the exchange
    fifo = overlay.folder / "fifo"
    os.mkfifo(fifo)
    overlay.give(fifo)
    found: list[tuple[str, str]] = []
    may_close = threading.Event()

    def come() -> None:
        fifo.open().close()
        with open(f"/proc/self/fd/{place}", "rb") as file:
            found.append((file.read(3).decode(), content(overlay.image)))
            may_close.wait(30)

    opener = threading.Thread(target=come)
    opener.start()
    entry = INTERRUPTED.format(WAIT_FOR_OPENER.format(fifo=str(fifo)))
    try:
        with overlay.worker(entry) as worker:
            worker.make(overlay.new(), overlay.file_id())
            with pytest.raises(MvtuiError, match="is in use") as refused:
                worker.commit()
    finally:
        may_close.set()
        opener.join()
        os.close(place)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert found == [("old", "old")]
    assert (content(overlay.image), overlay.names()) == ("old", [])


@pytest.mark.parametrize(("old_mode", "new_mode"), [("rb", "rb"), ("rb", "r+b"), ("r+b", "r+b"), ("r+b", "rb")])
def test_one_waits_for_each_image(overlay: OverlayHost, old_mode: str, new_mode: str) -> None:
    """The new one would be removed if it were taken back; but of a hypervisor and one who looks, the hypervisor has
    what is then the image."""
    place = os.open(overlay.image, os.O_PATH)
    fifos = [overlay.folder / name for name in ("for-old", "for-new")]
    found: dict[str, str] = {}
    may_close = threading.Event()

    def come(fifo: Path, path: str | Path, mode: str) -> None:
        fifo.open().close()
        with open(path, mode) as file:
            found[fifo.name] = file.read(3).decode()
            may_close.wait(30)

    openers = [
        threading.Thread(target=come, args=arguments)
        for arguments in zip(fifos, (f"/proc/self/fd/{place}", overlay.image), (old_mode, new_mode), strict=True)
    ]
    for fifo, opener in zip(fifos, openers, strict=True):
        os.mkfifo(fifo)
        overlay.give(fifo)
        opener.start()
    wait = (
        f"open({str(fifos[0])!r}, 'w').close(); open({str(fifos[1])!r}, 'w').close(); import time\n"
        "            while breaking() < 2: time.sleep(0.001)"
    )
    try:
        with overlay.worker(INTERRUPTED.format(wait)) as worker:
            worker.make(overlay.new(), overlay.file_id())
            kept = None
            if (old_mode, new_mode) == ("r+b", "rb"):
                with pytest.raises(MvtuiError, match="is in use"):
                    worker.commit()
            else:
                kept = worker.commit()
    finally:
        may_close.set()
        for opener in openers:
            opener.join()
        os.close(place)
    assert found == {"for-old": "old", "for-new": "\0\0\0"}
    if kept is not None:
        assert (content(overlay.image), content(Path(kept.path))) == ("new", "old")
    else:
        assert (content(overlay.image), overlay.names()) == ("old", [])


def test_a_short_look_during_the_commit(overlay: OverlayHost) -> None:
    """One who does not wait for the lease breaks it all the same: the exchange is undone and done again."""
    place = os.open(overlay.image, os.O_PATH)
    fifo = overlay.folder / "fifo"
    os.mkfifo(fifo)
    overlay.give(fifo)

    def look() -> None:
        fifo.open().close()
        with pytest.raises(BlockingIOError):
            os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK)

    looker = threading.Thread(target=look)
    looker.start()
    entry = INTERRUPTED.format(WAIT_FOR_OPENER.format(fifo=str(fifo)))
    with overlay.worker(entry) as worker:
        worker.make(overlay.new(), overlay.file_id())
        kept = worker.commit()
    looker.join()
    os.close(place)
    assert kept is not None
    assert (content(overlay.image), content(Path(kept.path))) == ("new", "old")


def test_a_file_system_without_leases(overlay: OverlayHost) -> None:
    """Then only locks tell, and who scans the host's processes."""
    entry = (
        "from mvtui.host.overlay import child; from mvtui.host.overlay.effects import Effects\n"
        "Effects.lease = lambda *_: None; child.main()"
    )
    with overlay.worker(entry) as worker:
        assert worker.look().in_use is None
        worker.make(overlay.new(), overlay.file_id())
        with locked(overlay.image, lambda fd: fcntl.fcntl(fd, fcntl.F_OFD_SETLK, OFD)):
            assert worker.look().in_use is True
            with pytest.raises(MvtuiError, match="is in use"):
                worker.commit()
        worker.commit()
    assert content(overlay.image) == "new"


def test_one_of_two_wins(overlay: OverlayHost) -> None:
    """The other is told who works, and may look."""
    with overlay.worker() as first, overlay.worker() as second:
        first.make(overlay.new(), overlay.file_id())
        said = f"{WHO} (pid {os.getpid()})"
        assert first.look().worker is None
        assert second.look().worker == said
        for work in (
            lambda: second.make(overlay.new(), overlay.file_id()),
            second.restore,
            lambda: second.free_older_in_background(all=True),
        ):
            overlay.names()
            with pytest.raises(MvtuiError) as refused:
                work()
            assert refused.value.message == f"{said} works on this overlay now"
            assert refused.value.exit_code is ExitCode.REFUSED
        first.commit()
        first.close()
        assert second.look().worker is None
        second.make(overlay.new(), overlay.file_id())
        second.commit()
    assert len(overlay.kept()) == 2


def test_many_at_once(overlay: OverlayHost) -> None:
    """Each that was not refused set aside what was there; all of it is still there, once."""
    results: list[ExitCode] = []

    def reset() -> None:
        try:
            overlay.reset()
            results.append(ExitCode.OK)
        except MvtuiError as error:
            results.append(error.exit_code)

    threads = [threading.Thread(target=reset) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = results.count(ExitCode.OK)
    assert set(results) <= {ExitCode.OK, ExitCode.REFUSED}
    assert done >= 1
    assert len(results) == 8
    until(lambda: len(overlay.kept()) == done)
    assert sorted(content(Path(kept.path)) for kept in overlay.kept()) == sorted(["old", *["new"] * (done - 1)])
    assert content(overlay.image) == "new"


def test_who_works_says_what_acts(overlay: OverlayHost) -> None:
    with overlay.worker(who="\x1b[2Jroot\n" + "x" * 500) as first, overlay.worker() as second:
        first.make(overlay.new(), overlay.file_id())
        told = second.look().worker
        assert told is not None
        assert told.startswith(r"\x1b[2Jroot\nxx")
        assert len(told) < 250

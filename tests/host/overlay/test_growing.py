"""An image is grown with its owner's rights: whatever ends in between, its file system is whole, what is in it stays,
and the same once more goes on."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from mvtui.errors import ExitCode, MvtuiError
from tests.host.living import until
from tests.host.overlay import faulty
from tests.host.overlay.growable import CONTENT, NEW, OLD, GrowHost, effects_of_growth, grow_host, run
from tests.host.overlay.overlay_host import OWNER, is_sound

# A write so far into the file fails, or ends resize2fs.
LIMITS = (1024, 2 << 20, 5 << 20, 10 << 20)


@pytest.fixture
def host() -> Iterator[GrowHost]:
    with grow_host() as made:
        yield made


def must_be_grown(host: GrowHost, where: str = "") -> None:
    assert (host.image.stat().st_size, host.fs_size()) == (NEW, NEW), where
    must_be_whole(host, where)
    assert host.names() == [], where


def must_be_whole(host: GrowHost, where: str = "") -> None:
    assert is_sound(host.image), where
    assert host.content() == CONTENT, where
    assert (host.image.stat().st_uid, host.image.stat().st_gid) == OWNER, where


def test_file_and_file_system_become_larger(host: GrowHost) -> None:
    before = host.image.stat()
    grown = host.grow()
    assert grown.file_system is not None
    assert (grown.size, grown.file_system.fs_type, grown.file_system.label) == (NEW, "ext4", "data")
    must_be_grown(host)
    after = host.image.stat()
    assert (after.st_ino, after.st_mode, after.st_nlink) == (before.st_ino, before.st_mode, before.st_nlink)
    assert after.st_blocks * 512 < OLD + (1 << 20)  # sparse


def test_once_more_changes_nothing(host: GrowHost) -> None:
    host.grow()
    host.grow()
    must_be_grown(host)


def test_it_never_becomes_smaller(host: GrowHost) -> None:
    with host.worker() as worker:
        worker.hold(host.file_id())
        with pytest.raises(MvtuiError, match="larger than that meanwhile") as refused:
            worker.enlarge(OLD - 1)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert host.image.stat().st_size == OLD


def test_what_is_open_is_refused(host: GrowHost) -> None:
    with (
        host.image.open("rb"),
        host.worker() as worker,
        pytest.raises(MvtuiError, match=r"rw.img is in use") as refused,
    ):
        worker.hold(host.file_id())
    assert refused.value.exit_code is ExitCode.REFUSED


def test_another_file_is_refused(host: GrowHost) -> None:
    device, inode = host.file_id()
    with host.worker() as worker, pytest.raises(MvtuiError, match="another file than before"):
        worker.hold((device, inode + 1))


@pytest.mark.skipif(os.geteuid() != 0, reason="without root there is nobody else's file")
def test_a_link_is_not_followed(host: GrowHost) -> None:
    secret = host.overlay.folder / "secret"
    host.image.rename(secret)
    os.chown(secret, 0, 0)
    host.image.symlink_to(secret)
    with host.worker() as worker, pytest.raises(MvtuiError, match="is a link"):
        worker.hold(host.file_id())
    assert secret.stat().st_size == OLD


def test_while_it_works_no_hypervisor_has_its_lock(host: GrowHost) -> None:
    with host.worker() as worker:
        worker.hold(host.file_id())
        with host.image.open("rb+") as file:
            with pytest.raises(BlockingIOError):  # crosvm, alioth
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with pytest.raises(BlockingIOError):  # qemu, cloud-hypervisor: a lock of any byte
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 201)
        with host.worker() as other, pytest.raises(MvtuiError, match="works on this overlay now"):
            other.hold(host.file_id())


def test_errors_that_need_answers_are_left_to_a_person(host: GrowHost) -> None:
    tools = host.tool("e2fsck", "exit 4")  # as it does of what is not mended
    with host.worker(tools=tools) as worker:
        worker.hold(host.file_id())
        with pytest.raises(MvtuiError, match="has errors that e2fsck does not mend by itself") as told:
            worker.check()
    assert told.value.hint == f"e2fsck -f {host.image} asks about each"
    assert host.image.stat().st_size == OLD


def test_what_the_host_has_for_it_is_told(host: GrowHost) -> None:
    with host.worker() as worker:
        tools = worker.tools()
    assert tools.missing == ()
    assert tools.total > OLD


def is_free(host: GrowHost) -> bool:
    """Nothing works on it any more: what was started goes on without who started it."""
    with host.image.open("rb+") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def test_every_step_is_an_effect() -> None:
    names = effects_of_growth()
    assert [name for name in names if name in ("lease", "guard", "truncate", "spawn_on")] == [
        "lease", "guard", "spawn_on", "truncate", "spawn_on",
    ]  # fmt: skip


@pytest.mark.parametrize("how", [faulty.FAILS, faulty.BEFORE, faulty.AFTER])
def test_whichever_effect_is_the_last_it_is_whole_and_goes_on(how: str) -> None:
    for number, name in enumerate(effects_of_growth(), 1):
        where = f"effect {number} ({name}), {how}"
        with grow_host() as host:
            with suppress(MvtuiError):
                host.grow(faulty.entry(str(host.record), number, how))
            until(lambda host=host: is_free(host))  # type: ignore[misc]
            must_be_whole(host, where)
            host.grow()
            must_be_grown(host, where)


def limited(limit: int, signal: str = "default") -> str:
    """Python has it ignored (SIGXFSZ): then the write fails."""
    return f'ulimit -f {limit // 512}; exec env --{signal}-signal=XFSZ "$real" "$@"'


@pytest.mark.parametrize(
    ("how", "said"), [("default", "resize2fs: signal 25; "), ("ignore", "resize2fs: exit 1: File too large")]
)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_resize_that_is_ended_is_mended(host: GrowHost, limit: int, how: str, said: str) -> None:
    with pytest.raises(MvtuiError, match=f"{said}.*is whole") as told:
        host.grow(tools=host.tool("resize2fs", limited(limit, how)))
    assert told.value.exit_code is ExitCode.FAILED
    must_be_whole(host)
    assert host.names() == []
    host.grow()
    must_be_grown(host)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_resize_that_is_ended_with_who_started_it_is_mended_by_the_next(host: GrowHost, limit: int) -> None:
    tools = host.tool("resize2fs", f"kill -9 $PPID\n{limited(limit)}")
    with pytest.raises(MvtuiError, match="has ended") as told:
        host.grow(tools=tools)
    assert told.value.hint == "its file system is whole; growing it once more goes on"
    until(lambda: is_free(host))
    assert [name.split(".")[0] for name in host.names()] == ["resizing"]
    host.grow()
    must_be_grown(host)


def test_a_mark_of_before_the_guest_used_it_counts_no_more(host: GrowHost) -> None:
    tools = host.tool("resize2fs", "kill -9 $PPID; exit 1")
    with pytest.raises(MvtuiError):
        host.grow(tools=tools)
    until(lambda: is_free(host))
    run("debugfs", "-w", "-R", "set_super_value mnt_count 7", str(host.image))  # as a mount does it
    host.tool("resize2fs", 'exec "$real" "$@"')
    marks = host.tool("e2fsck", f'echo "$*" >> {host.record}; exec "$real" "$@"')
    host.grow(tools=marks)
    assert "-y" not in host.record.read_text()


def test_the_end_of_mvtui_ends_no_resize(host: GrowHost) -> None:
    """Its terminal is closed, or it is killed: what has begun is done."""
    gate = host.overlay.folder / "gate"
    os.mkfifo(gate, 0o644)
    os.chmod(gate, 0o644)
    tools = host.tool("resize2fs", f'echo begun >> {host.record}; read _ < {gate}; exec "$real" "$@"')
    pid = os.fork()
    if pid == 0:
        try:
            host.grow(tools=tools)
        finally:
            os._exit(1)
    until(lambda: host.record.read_text() == "begun\n")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not is_free(host)  # no other mvtui, and no hypervisor that looks at locks
    gate.write_text("go\n")
    until(lambda: is_free(host) and host.names() == [])
    must_be_grown(host)

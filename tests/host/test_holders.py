"""Who holds an image: real processes, real locks, and a made-up /proc for what this machine may not show."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mvtui.host import open_files
from mvtui.host.holders import HolderScan, find_directory_holders, find_holders
from mvtui.host.locks import NO_PROCESS, locker, read_locks
from mvtui.model.facts import Holder
from mvtui.model.microvm import VolumeStatus
from tests.host.living import dies_with_us, loop_device, need_root

OPEN = "import os, sys; fd = os.open(sys.argv[1], os.O_RDWR);"
OFD = "import fcntl, struct; fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack('@hhqqi4x', fcntl.{}, 0, {}, {}, 0));"
FLOCK = "import fcntl; fcntl.flock(fd, fcntl.LOCK_SH);"
POSIX = "import fcntl; fcntl.lockf(fd, fcntl.LOCK_EX, 1, 5);"
WAIT = "print(flush=True); sys.stdin.read()"
# As QEMU does it: read and write are taken (bytes 100, 101), write is not shared (201).
QEMU = "".join(OFD.format("F_RDLCK", byte, 1) for byte in (100, 101, 201))
CLOUD_HYPERVISOR = OFD.format("F_WRLCK", 0, 0)


@contextmanager
def holding(image: Path, how: str = "", *before: str) -> Iterator[int]:
    """A child that has `image` open, and does `how` with `fd`."""
    child = subprocess.Popen(
        [*before, sys.executable, "-c", OPEN + how + WAIT, str(image)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == b"\n"
        yield child.pid
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(4096))
    return path


def holders(image: Path, owners: dict[int, str] | None = None) -> tuple[Holder, ...]:
    key = (str(image.parent), image.name)
    return find_holders([key], owners or {}).found[key]


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_nobody(image: Path) -> None:
    assert holders(image) == ()


@pytest.mark.parametrize(
    ("how", "says"),
    [("", "open"), (QEMU, "lock"), (CLOUD_HYPERVISOR, "lock"), (FLOCK, "lock"), (POSIX, "lock")],
    ids=["open", "qemu", "cloud-hypervisor", "flock", "posix"],
)
def test_a_process_is_found_once_with_what_it_does(image: Path, how: str, says: str) -> None:
    with holding(image, how) as pid:
        assert holders(image, {pid: "web"}) == (Holder(pid, comm(pid), "web", says),)
        assert holders(image) == (Holder(pid, comm(pid), None, says),)
    assert holders(image) == ()


def test_whoever_else_holds_it_is_told(image: Path) -> None:
    with holding(image, QEMU) as own, holding(image) as other, holding(image) as stranger:
        found = holders(image, {own: "web", other: "db"})
    assert {(holder.pid, holder.microvm, holder.how) for holder in found} == {
        (own, "web", "lock"),
        (other, "db", "open"),
        (stranger, None, "open"),
    }
    status = VolumeStatus(volume=None, holders=found)  # type: ignore[arg-type]
    assert {holder.pid for holder in status.foreign_holders("web")} == {other, stranger}


def test_a_file_is_found_by_what_it_is_and_not_by_its_name(image: Path, tmp_path: Path) -> None:
    os.link(image, tmp_path / "another name")
    with holding(tmp_path / "another name") as pid:
        assert [holder.pid for holder in holders(image)] == [pid]
        image.unlink()
        image.write_bytes(b"new")
        assert holders(image) == ()


def test_images_are_told_apart_in_one_scan(image: Path, tmp_path: Path) -> None:
    (tmp_path / "other.img").write_bytes(b"x")
    keys = [(str(tmp_path), name) for name in ("disk.img", "other.img", "missing.img")]
    with holding(image) as one, holding(tmp_path / "other.img") as other:
        scan = find_holders(keys, {})
    assert [[holder.pid for holder in scan.found[key]] for key in keys[:2]] == [[one], [other]]
    assert keys[2] not in scan.found
    assert scan.of(keys[2]) is None, "where nothing is, nobody can hold it"


def test_this_process_does_not_count(image: Path) -> None:
    with image.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert holders(image) == ()


def test_a_lock_outlives_who_took_it_in_its_children(image: Path) -> None:
    leave = "pid = os.fork()\nif pid:\n  print(pid, flush=True); os._exit(0)\nsys.stdin.read()"
    command = [sys.executable, "-c", f"{OPEN}{FLOCK}\n{leave}", str(image)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait()
        assert holders(image) == (Holder(child, comm(child), None, "lock"),)


@pytest.mark.parametrize(
    ("how", "pid"), [(QEMU, NO_PROCESS), (CLOUD_HYPERVISOR, NO_PROCESS), ("", None), (FLOCK, None)]
)
def test_asking_for_a_lock_takes_none(image: Path, how: str, pid: int | None) -> None:
    with holding(image, how), image.open("rb") as file, image.open("rb") as another:
        assert locker(file.fileno()) == pid
        assert locker(another.fileno()) == pid


def test_one_who_waits_for_a_lock_has_none(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text(
        "1: FLOCK  ADVISORY  WRITE 10 08:02:131 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 11 08:02:131 0 EOF\n"
        "2: OFDLCK ADVISORY  READ -1 fe:00:7 100 101\n3: LEASE  ACTIVE    READ 12 08:02:131 0 EOF\n"
        "x\n4: POSIX a b c d e\n"
    )
    assert read_locks(str(tmp_path)) == {(os.makedev(8, 2), 131): {10}, (os.makedev(0xFE, 0), 7): {NO_PROCESS}}


MadeUp = Callable[..., str]


@pytest.fixture
def made_up(tmp_path: Path, image: Path) -> MadeUp:
    """A /proc of an outermost namespace in which process 1 has something else open, and 77 what is asked for."""

    def make(*, namespace: str = "pid:[4026531836]", first: int = 1, held: bool = False, fdinfo: str = "") -> str:
        proc = tmp_path / "proc"
        for pid in (first, 77):
            (proc / str(pid) / "fd").mkdir(parents=True)
            (proc / str(pid) / "fdinfo").mkdir()
            (proc / str(pid) / "fd" / "0").symlink_to("/dev/null")
            (proc / str(pid) / "comm").write_text("qemu-system-x86\n")
        if held:
            (proc / "77" / "fd" / "3").symlink_to(image)
            (proc / "77" / "fdinfo" / "3").write_text(f"pos:\t0\nmnt_id:\t1\n{fdinfo}")
        (proc / "self" / "ns").mkdir(parents=True)
        (proc / "self" / "ns" / "pid").symlink_to(namespace)
        return str(proc)

    return make


def scan(image: Path, proc: str, sysfs: str = "/sys") -> tuple[tuple[Holder, ...] | None, bool]:
    key = (str(image.parent), image.name)
    result = find_holders([key], {}, proc=proc, sysfs=sysfs)
    return result.of(key), result.complete


def test_where_all_was_seen_nobody_is_nobody(image: Path, made_up: MadeUp) -> None:
    assert scan(image, made_up()) == ((), True)


def test_who_was_found_is_told_with_or_without_the_others(image: Path, made_up: MadeUp) -> None:
    found = (Holder(77, "qemu-system-x86", None, "lock"),)
    proc = made_up(held=True, fdinfo="lock:\t1: OFDLCK  ADVISORY  READ -1 00:1f:7 100 100\n")
    assert scan(image, proc) == (found, True)
    assert scan(image, proc, sysfs="/nowhere") == (found, False)


@pytest.mark.parametrize("how", [{"namespace": "pid:[4026532000]"}, {"first": 2}], ids=["namespace", "hidepid"])
def test_where_not_all_can_be_seen_nobody_means_nothing(image: Path, made_up: MadeUp, how: dict[str, object]) -> None:
    assert scan(image, made_up(**how)) == (None, False)


def test_no_proc_and_no_sysfs(image: Path, tmp_path: Path, made_up: MadeUp) -> None:
    assert scan(image, str(tmp_path / "nowhere")) == (None, False)
    assert scan(image, made_up(), sysfs="/nowhere") == (None, False)


def test_too_many_descriptors_and_too_long(image: Path, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = made_up(held=True)
    monkeypatch.setattr(open_files, "_DESCRIPTORS", 2)
    assert scan(image, proc)[1] is True
    monkeypatch.setattr(open_files, "_DESCRIPTORS", 1)
    assert scan(image, proc)[1] is False
    monkeypatch.setattr(open_files, "_DESCRIPTORS", 2)
    monkeypatch.setattr(open_files, "_SCAN_SECONDS", -1)
    assert scan(image, proc) == (None, False)


def test_a_descriptor_that_is_closed_meanwhile_is_nothing(image: Path, made_up: MadeUp) -> None:
    proc = made_up()
    Path(proc, "77", "fd", "9").symlink_to("/nowhere")
    assert scan(image, proc) == ((), True)


def test_a_file_system_that_refuses_holds_no_image(image: Path, made_up: MadeUp) -> None:
    """As FUSE refuses root: the descriptor can be seen, what it leads to can't."""
    proc = made_up()
    Path(proc, "77", "fd", "9").symlink_to("loop")
    Path(proc, "77", "fd", "loop").symlink_to("loop")
    assert scan(image, proc) == ((), True)


def test_a_lock_of_somebody_who_can_not_be_seen(image: Path, made_up: MadeUp) -> None:
    proc = made_up()
    with holding(image, QEMU):
        assert scan(image, proc) == ((Holder(None, None, None, "lock"),), True)
    status = image.stat()
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    Path(proc, "locks").write_text(f"1: FLOCK ADVISORY WRITE 77 {file} 0 EOF\n")
    assert scan(image, proc) == ((Holder(77, "qemu-system-x86", None, "lock"),), True)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """An image in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "disk.img")
        path.write_bytes(b"x")
        path.chmod(0o644)
        yield path


def test_as_somebody_who_is_not_root(open_to_all: Path) -> None:
    """Locks of others are told, their descriptors are not."""
    need_root("two users")
    image = open_to_all
    key = (str(image.parent), image.name)
    with holding(image) as pid:
        assert as_nobody(key).of(key) is None
        assert [holder.pid for holder in find_holders([key], {}).found[key]] == [pid]
    with holding(image, QEMU):
        assert as_nobody(key).of(key) == (Holder(None, None, None, "lock"),)
    image.chmod(0)
    with holding(image, FLOCK) as pid:
        assert as_nobody(key).of(key) == (Holder(pid, comm(pid), None, "lock"),)


def as_nobody(key: tuple[str, str]) -> HolderScan:
    os.seteuid(65534)
    try:
        result = find_holders([key], {})
    finally:
        os.seteuid(0)
    assert not result.complete
    return result


def test_a_loop_device_without_a_process(image: Path) -> None:
    image.write_bytes(bytes(1 << 20))
    with loop_device(image) as device:
        assert holders(image) == (Holder(None, None, None, f"loop device {os.path.basename(device)}"),)
        with holding(Path(device)) as pid:
            found = find_holders([("/var/lib/microvms/web", device)], {}).found["/var/lib/microvms/web", device]
            assert [holder.pid for holder in found] == [pid]
    assert holders(image) == ()


def test_what_stands_on_a_block_device(tmp_path: Path, made_up: MadeUp) -> None:
    need_root("mknod")
    proc = Path(made_up())
    os.mknod(tmp_path / "disk", 0o600 | 0o060000, os.makedev(7, 250))
    (tmp_path / "sys" / "block").mkdir(parents=True)
    (tmp_path / "sys" / "dev" / "block" / "7:250" / "holders" / "dm-0").mkdir(parents=True)
    (proc / "self" / "mountinfo").write_text("30 1 7:250 / /mnt/a\\040b rw - ext4 /dev/loop250 rw\n")
    key = (str(tmp_path), "disk")
    found = find_holders([key], {}, proc=str(proc), sysfs=str(tmp_path / "sys")).of(key)
    assert found == (Holder(None, None, None, "mounted at /mnt/a b"), Holder(None, None, None, "device dm-0"))


@pytest.mark.parametrize("name", ["link", ".", "fifo", "a\0b", "missing"])
def test_what_is_no_image_has_no_holders(tmp_path: Path, image: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("disk.img")
    os.mkfifo(tmp_path / "fifo")
    key = (str(tmp_path), name)
    assert find_holders([key], {}).of(key) is None


def test_the_scan_leaves_no_descriptor_open(image: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with holding(image, QEMU):
        during = os.listdir("/proc/self/fd")
        holders(image)
        assert os.listdir("/proc/self/fd") == during
    assert os.listdir("/proc/self/fd") == before


MMAP = "import mmap, os; m = mmap.mmap(fd, 4096, prot=mmap.PROT_READ); os.closerange(3, 64);"


def test_who_has_it_mapped_and_no_longer_open_is_found_where_that_is_asked(image: Path) -> None:
    key = (str(image.parent), image.name)
    with holding(image, MMAP) as pid, holding(image, "import mmap; m = mmap.mmap(fd, 4096);") as opener:
        assert {holder.pid for holder in find_holders([key], {}).found[key]} == {opener}
        found = find_holders([key], {pid: "web"}, mapped=True).found[key]
        told = comm(pid)
    assert set(found) == {Holder(opener, told, None, "open"), Holder(pid, told, "web", "mapped")}
    assert find_holders([key], {}, mapped=True).found[key] == ()


def test_a_directory(tmp_path: Path) -> None:
    store, work = tmp_path / "store", tmp_path / "work"
    store.mkdir()
    paths = [str(store), str(work)]
    assert find_directory_holders(paths, {})[0] == (), "one of them does not exist"
    directory = os.open(store, os.O_RDONLY | os.O_DIRECTORY)
    assert find_directory_holders(paths, {})[0] == (), "this very process"
    with subprocess.Popen(["sleep", "60"], stdin=directory, preexec_fn=dies_with_us) as child:  # noqa: PLW1509
        found, _ = find_directory_holders(paths, {child.pid: "web"})
        child.kill()
    os.close(directory)
    assert found == (Holder(child.pid, "sleep", "web", "open"),)


def test_a_mount_in_a_directory(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    mounts = ("/srv/upper/store/a b", "/srv/upper/store-2", "/srv/upper")
    lines = [f"{number} 1 0:{number} / {path} rw - tmpfs tmpfs rw\n" for number, path in enumerate(mounts)]
    (proc / "self" / "mountinfo").write_text("".join(lines).replace("a b", "a\\040b"))
    found, _ = find_directory_holders(["/srv/upper/store"], {}, proc=str(proc))
    assert found == (Holder(None, None, None, "mounted at /srv/upper/store/a b"),)

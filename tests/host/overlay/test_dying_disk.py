"""A disk that dies while an overlay is worked on: from then on everything that reaches it is an I/O error, and what was
not on it by then never will be. Afterwards it is connected again, and has the old overlay or the new one, whole."""

import pytest

from tests.host.living import need_root, run_python
from tests.host.overlay.test_full_disk import IN_A_NAMESPACE, script

FILE_SYSTEMS = ["ext4", "xfs", "btrfs"]

ON_A_DISK = """
    from contextlib import contextmanager
    from tests.host.living import die, until
    fs_type = {fs_type!r}

    @contextmanager
    def overlay_on_a_disk():
        assert mount("none", folder, "tmpfs", "size=400m,mode=755") == 0
        disk, place = folder / "disk", folder / "mnt"
        place.mkdir()
        disk.touch()
        os.truncate(disk, 350 * MIB)
        subprocess.run([found("mkfs." + fs_type), "-q", disk], check=True, capture_output=True)
        with loop_device(disk) as device:
            assert mount(device, place, fs_type) == 0
            place.chmod(0o755)
            host = OverlayHost(place, size=2 * MIB)
            host.write(host.image, "old")
            host.keep("20250101T010101Z.img", "kept")
            os.sync()
            try:
                yield host, device
            finally:
                until(lambda: subprocess.run(["umount", place]).returncode == 0)

    def connect_again(host, device):
        until(lambda: subprocess.run(["umount", host.folder]).returncode == 0)
        die(device, after=0)
        assert mount(device, host.folder, fs_type) == 0

    def fails(work):
        try:
            work()
        except MvtuiError as error:
            # In whatever words: of directories that it can't read any more, ext4 says that it has no memory.
            assert error.exit_code is ExitCode.FAILED, error
        else:
            raise AssertionError("it was done")

    def all_there_is(host):
        return content(host.image), [content(Path(kept.path)) for kept in host.kept()]

    def must_settle(host, *allowed):
        assert all_there_is(host) in allowed, all_there_is(host)
        with host.worker() as worker:
            worker.make(host.new(), host.file_id())
        assert all_there_is(host) in allowed, all_there_is(host)
        assert all(name.startswith("2") for name in host.names()), host.names()
"""


def run(fs_type: str, body: str) -> None:
    run_python(script(ON_A_DISK.format(fs_type=fs_type)) + script(body), *IN_A_NAMESPACE)


@pytest.fixture(autouse=True)
def as_root() -> None:
    need_root("mounts")


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
def test_before_the_new_one_is_made(fs_type: str) -> None:
    run(
        fs_type,
        """
        with overlay_on_a_disk() as (host, device):
            with host.worker() as worker:
                assert worker.look().problem is None
                die(device)
                fails(lambda: worker.make(host.new(), host.file_id()))
            connect_again(host, device)
            must_settle(host, ("old", ["kept"]))
        """,
    )


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
def test_before_it_has_the_name(fs_type: str) -> None:
    """No directory can be written any more: what is exchanged, is so in memory alone."""
    run(
        fs_type,
        """
        with overlay_on_a_disk() as (host, device):
            with host.worker() as worker:
                worker.make(host.new(), host.file_id())
                die(device)
                fails(worker.commit)
            connect_again(host, device)
            must_settle(host, ("old", ["kept"]))
        """,
    )


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
def test_before_a_restore(fs_type: str) -> None:
    run(
        fs_type,
        """
        with overlay_on_a_disk() as (host, device):
            host.reset()
            with host.worker() as worker:
                worker.look()
                die(device)
                fails(worker.restore)
            connect_again(host, device)
            must_settle(host, ("new", ["old", "kept"]))
        """,
    )


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
def test_before_anything(fs_type: str) -> None:
    """Whatever it then still tells of itself, nothing begins."""
    run(
        fs_type,
        """
        with overlay_on_a_disk() as (host, device):
            die(device)
            fails(host.reset)
            connect_again(host, device)
            must_settle(host, ("old", ["kept"]))
        """,
    )


def test_the_image_can_not_be_read() -> None:
    """Nothing of it is in memory."""
    run(
        "ext4",
        """
        with overlay_on_a_disk() as (host, device):
            with host.image.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with host.worker() as worker:
                die(device)
                assert worker.look().problem == f"{host.image}: input/output error"
            connect_again(host, device)
            must_settle(host, ("old", ["kept"]))
        """,
    )


@pytest.mark.parametrize("fs_type", FILE_SYSTEMS)
def test_a_sound_disk(fs_type: str) -> None:
    """What was made, kept or thrown away through one descriptor of a directory is in its next listing."""
    run(
        fs_type,
        """
        with overlay_on_a_disk() as (host, device):
            with host.worker() as worker:
                worker.make(host.new(), host.file_id())
            assert host.names() == ["20250101T010101Z.img"]
            with host.worker() as worker:
                worker.make(host.new(), host.file_id())
                kept = worker.commit()
                assert all_there_is(host) == ("new", ["old", "kept"])
                assert worker.free_older_in_background() == 1
            until(lambda: host.names() == [kept.name])
            assert all_there_is(host) == ("new", ["old"])
        """,
    )

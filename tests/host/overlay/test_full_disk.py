"""Disks that are full, broken, or not to be written: small file systems, mounted in a mount namespace of its own."""

import textwrap

import pytest

from tests.host.living import found, need_root, run_python

IN_A_NAMESPACE = ("unshare", "--mount", "--propagation", "private")

BEGIN = """
    import ctypes, os, subprocess
    from pathlib import Path
    from mvtui.errors import ExitCode, MvtuiError
    from tests.host.living import found, loop_device
    from tests.host.overlay.overlay_host import MIB, OWNER, OverlayHost, content

    def mount(what, where, kind, options=""):
        return subprocess.run(["mount", "-t", kind, *(["-o", options] if options else []), what, where]).returncode

    def must_fail(host, *words, fs_type="ext4"):
        with host.worker() as worker:
            facts = worker.look()
            try:
                worker.make(host.new(fs_type), host.file_id())
                worker.commit()
            except MvtuiError as error:
                assert any(word in error.message.lower() for word in words), error.message
                assert error.exit_code is ExitCode.FAILED, error
            else:
                raise AssertionError("it was done")
        return facts

    folder = Path("/mnt")
"""


def script(body: str) -> str:
    return textwrap.dedent(BEGIN) + textwrap.dedent(body)


@pytest.fixture(autouse=True)
def as_root() -> None:
    need_root("mounts")
    found("unshare")


# mkfs.ext4 leaves its journal a hole where there is no room for it.
ROOM = {"ext4": (300, 128), "xfs": (300, 32768), "btrfs": (109, 2048)}


@pytest.mark.parametrize("fs_type", ROOM)
def test_no_space(fs_type: str) -> None:
    """An image of so many MiB, and so many KiB for it."""
    size, room = ROOM[fs_type]
    run_python(
        script(f"""
        from mvtui.model.mkfs import written_by_mkfs
        size, fs_type = {size} * MIB, {fs_type!r}
        assert mount("none", folder, "tmpfs", "size={room}k,mode=755") == 0
        host = OverlayHost(folder, size=size)
        host.write(host.image, "old")
        facts = must_fail(host, "mkfs", fs_type=fs_type)
        assert facts.free < written_by_mkfs(fs_type, size)
        assert (content(host.image), host.names()) == ("old", [])
        """),
        *IN_A_NAMESPACE,
    )


def test_no_space_for_a_directory() -> None:
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "size=1m,nr_inodes=6,mode=755") == 0
        host = OverlayHost(folder)
        host.write(host.image, "old")
        must_fail(host, "no space")
        assert content(host.image) == "old"
        """),
        *IN_A_NAMESPACE,
    )


def test_over_quota() -> None:
    """Of all file systems, btrfs has quotas that need nothing but its own programs."""
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "size=300m,mode=755") == 0
        disk, place = folder / "disk", folder / "mnt"
        place.mkdir()
        disk.touch()
        os.truncate(disk, 200 * MIB)
        subprocess.run([found("mkfs.btrfs"), "-q", disk], check=True, capture_output=True)
        with loop_device(disk) as device:
            assert mount(device, place, "btrfs") == 0
            place.chmod(0o755)
            host = OverlayHost(place, size=300 * MIB)
            host.write(host.image, "old")
            btrfs = found("btrfs")
            for words in (["quota", "enable"], ["qgroup", "limit", "1M", "0/5"]):
                subprocess.run([btrfs, *words, place], check=True, capture_output=True)
            os.sync()
            must_fail(host, "quota", fs_type="xfs")
            assert (content(host.image), host.names()) == ("old", [])
            subprocess.run(["umount", place], check=False)
        """),
        *IN_A_NAMESPACE,
    )


def test_read_only() -> None:
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "mode=755") == 0
        host = OverlayHost(folder)
        host.write(host.image, "old")
        host.keep("20250101T010101Z.img", "k0")
        assert mount("none", folder, "tmpfs", "remount,ro") == 0
        facts = must_fail(host, "read-only")
        assert (facts.free, facts.problem, len(facts.kept)) == (0, None, 1)
        try:
            host.restore()
        except MvtuiError as error:
            assert "read-only" in error.message
        else:
            raise AssertionError
        assert content(host.image) == "old"
        """),
        *IN_A_NAMESPACE,
    )


def test_a_disk_that_fails() -> None:
    """What the file system believes to have is not there: a loop device on a file that has no room."""
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "size=3m,mode=755") == 0
        disk, place = folder / "disk", folder / "mnt"
        place.mkdir()
        disk.touch()
        os.truncate(disk, 256 * MIB)
        subprocess.run([found("mkfs.ext4"), "-q", "-O", "^has_journal", disk], check=True)
        with loop_device(disk) as device:
            assert mount(device, place, "ext4") == 0
            place.chmod(0o755)
            host = OverlayHost(place, size=200 * MIB)
            host.write(host.image, "old")
            os.sync()
            must_fail(host, "input/output", "no space", "mkfs", fs_type="btrfs")
            assert content(host.image) == "old"
            subprocess.run(["umount", place], check=False)
        """),
        *IN_A_NAMESPACE,
    )


def test_another_file_system_is_mounted_on_the_directory_of_mvtui() -> None:
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "size=8m,mode=755") == 0
        host = OverlayHost(folder)
        host.write(host.image, "old")
        host.keep("20250101T010101Z.img", "k0")
        assert mount("none", host.directory / ".mvtui", "tmpfs", f"mode=755,uid={OWNER[0]}") == 0
        must_fail(host, "cross-device")
        assert content(host.image) == "old"
        """),
        *IN_A_NAMESPACE,
    )


def test_what_is_mounted_in_what_is_freed_stays() -> None:
    run_python(
        script("""
        assert mount("none", folder, "tmpfs", "size=8m,mode=755") == 0
        host = OverlayHost(folder)
        host.share()
        kept = host.keep_share("20250101T010101Z.dir", "k0")
        precious = folder / "precious"
        precious.mkdir()
        (precious / "file").write_text("precious")
        host.give(precious, precious / "file")
        inside = kept / "store" / "pkg"
        assert subprocess.run(["mount", "--bind", precious, inside]).returncode == 0
        with host.worker() as worker:
            worker.free_older_in_background(all=True)
        from tests.host.living import until
        def left():
            \"""What the walk finds; unlike a glob it takes that some of it goes meanwhile.\"""
            found = [name for _, *names in os.walk(host.holding) for name in sum(names, [])]
            return sorted(name.partition(".")[0] for name in found)
        until(lambda: left() == ["file", "freeing", "lock", "pkg"])
        assert (precious / "file").read_text() == "precious"
        """),
        *IN_A_NAMESPACE,
    )


def test_a_file_system_that_can_not_exchange() -> None:
    run_python(
        script("""
        from tests.host.overlay.overlay_host import overlay_host
        entry = (
            "import errno, os; from mvtui.host.overlay import child; from mvtui.host.overlay.effects import Effects\\n"
            "def exchange(*_): raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))\\n"
            "Effects.exchange = exchange; child.main()"
        )
        with overlay_host() as host:
            host.write(host.image, "old")
            try:
                host.reset(entry=entry)
            except MvtuiError as error:
                assert "can't exchange two files" in error.message, error
            else:
                raise AssertionError
            assert (content(host.image), host.names()) == ("old", [])
        """)
    )

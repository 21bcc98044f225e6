"""What stands at a share's source."""

import grp
import os
import pwd
import socket
import subprocess
from pathlib import Path

import pytest

from mvtui.host.mounts import Mounts
from mvtui.host.sources import Sources
from mvtui.model.facts import SourceFacts, SourceKind
from tests.host.living import need_root, run_python


def test_a_directory(tmp_path: Path) -> None:
    source = tmp_path / "home"
    source.mkdir()
    source.chmod(0o2750)
    facts = Sources().read(str(source))
    assert (facts.path, facts.kind, facts.exists, facts.problem) == (str(source), SourceKind.DIRECTORY, True, None)
    assert (facts.uid, facts.gid, facts.mode) == (source.stat().st_uid, source.stat().st_gid, 0o2750)
    assert facts.user == pwd.getpwuid(source.stat().st_uid).pw_name
    assert facts.group == grp.getgrgid(source.stat().st_gid).gr_name


def test_its_file_system_is_what_findmnt_and_df_say(tmp_path: Path) -> None:
    facts = Sources().read(str(tmp_path))
    findmnt = ["findmnt", "-n", "-o", "FSTYPE,TARGET", "-T", str(tmp_path)]
    fs_type, mount_point = subprocess.run(findmnt, capture_output=True, text=True, check=True).stdout.split()
    df = ["df", "-B1", "--output=size,avail", str(tmp_path)]
    total, free = subprocess.run(df, capture_output=True, text=True, check=True).stdout.splitlines()[1].split()
    assert (facts.fs_type, facts.mount_point, facts.fs_size) == (fs_type, mount_point, int(total))
    assert facts.fs_read_only is False
    assert facts.fs_free is not None
    assert abs(facts.fs_free - int(free)) < 1 << 30, "others write too"


def test_a_number_without_a_name(tmp_path: Path) -> None:
    need_root("chown")
    os.chown(tmp_path, 3_000_001, 3_000_002)
    facts = Sources().read(str(tmp_path))
    assert (facts.uid, facts.gid, facts.user, facts.group) == (3_000_001, 3_000_002, None, None)


def test_kinds(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "to nothing").symlink_to("nobody")
    (tmp_path / "below nothing").symlink_to("file/below")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        names = ("file", "link", "to nothing", "below nothing", "fifo", "socket", "nobody", "file/below")
        found = [Sources().read(str(tmp_path / name)) for name in names]
    kinds = ["file", "file", "symlink to nothing", "symlink to nothing", "fifo", "socket", "nothing", "nothing"]
    assert [facts.kind for facts in found] == kinds
    assert [facts.exists for facts in found] == [True, True, False, False, True, True, False, False]
    assert Sources().read("/dev/null").kind == "character device"
    assert found[6] == SourceFacts(str(tmp_path / "nobody"), False, SourceKind.NOTHING)


@pytest.mark.parametrize(
    ("name", "says"), [("loop", "is a loop of links"), ("x" * 300, "file name too long"), ("a\0b", "is no path")]
)
def test_what_can_not_be_told_says_why(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    path = f"{tmp_path}/{name}"
    facts = Sources().read(path)
    assert facts == SourceFacts(path, problem=f"{path}: {says}")
    assert facts.exists is None


def test_without_rights(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    (hidden / "home").mkdir(parents=True)
    hidden.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        facts = Sources().read(str(hidden / "home"))
    finally:
        if root:
            os.seteuid(0)
        hidden.chmod(0o700)
    assert (facts.exists, facts.kind) == (None, None)
    assert facts.problem is not None
    assert "permission denied" in facts.problem


def test_absolute_links_stay_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "srv/data").mkdir(parents=True)
    (tmp_path / "srv/link").symlink_to("/srv/data")
    (tmp_path / "srv/dangling").symlink_to("/etc")
    sources = Sources(tmp_path)
    assert sources.read("/srv/link").kind is SourceKind.DIRECTORY
    assert sources.read("/srv/dangling").kind is SourceKind.DANGLING


def test_a_file_system_that_is_read_only_or_has_an_odd_name(tmp_path: Path) -> None:
    need_root("a mount in a mount namespace of its own")
    mounts = f"""
        import os, subprocess
        from pathlib import Path
        from mvtui.host.sources import Sources
        odd = Path({str(tmp_path)!r}) / "odd #1\\n\\\\040 name"
        odd.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "none", str(odd)], check=True)
        (odd / "home").mkdir()
        facts = Sources().read(str(odd / "home"))
        assert (facts.fs_type, facts.fs_read_only, facts.fs_size) == ("tmpfs", False, 1 << 20), facts
        assert facts.mount_point == str(odd), facts
        subprocess.run(["mount", "-o", "remount,ro", str(odd)], check=True)
        assert Sources().read(str(odd / "home")).fs_read_only is True
    """
    run_python(mounts, "unshare", "--mount", "--propagation", "private")


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for path in (str(tmp_path), "/nowhere", "/dev/null", "/proc"):
        Sources().read(path)
    assert os.listdir("/proc/self/fd") == before


def test_no_proc_no_mounts(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_bytes(b"\n1\nx x x x\n7 1 zero:1 / /x rw - ext4 none rw\n\xff - \xff\n")
    fd = os.open("/", os.O_PATH)
    assert Mounts(str(tmp_path)).of(fd) is None
    os.close(fd)

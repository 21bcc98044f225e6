"""A reset, what it keeps, and how that comes back, with real file systems."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.images import read_image
from mvtui.host.overlay import names
from mvtui.host.overlay.mkfs import mkfs_argv
from mvtui.host.overlay.worker import Patience
from mvtui.model.mkfs import PACKAGES
from mvtui.model.overlay import OverlayKind, OverlayTarget
from tests.host.living import found, need_root, run_python, until
from tests.host.overlay.overlay_host import MIB, OWNER, OverlayHost, content, in_child, overlay_host

SIZES = {"ext2": 1, "ext3": 2, "ext4": 2, "xfs": 300, "btrfs": 109, "vfat": 2}


@pytest.mark.parametrize("fs_type", PACKAGES)
def test_the_new_image_is_what_the_runner_would_have_made(fs_type: str) -> None:
    label = "NEW-ONE" if fs_type == "vfat" else "new-one"
    with overlay_host(size=SIZES[fs_type] * MIB) as host:
        host.write(host.image, "old")
        kept = host.reset(host.new(fs_type, label=label, mode=0o604))

        status = host.image.stat()
        assert (status.st_uid, status.st_gid) == OWNER
        assert stat.S_IMODE(status.st_mode) == 0o604
        assert status.st_size == host.size
        facts = read_image(host.directory, "rw.img")
        assert (facts.fs_type, facts.label) == (fs_type, label)
        assert kept is not None
        assert content(Path(kept.path)) == "old"
        assert stat.S_IMODE(Path(kept.path).stat().st_mode) == 0o640
        assert host.kept() == (kept,)

        # As `mkfs.TYPE -L 'LABEL' IMAGE` does it, but for what is random.
        other = host.folder / "other.img"
        other.touch()
        os.truncate(other, host.size)
        argv = mkfs_argv(found(f"mkfs.{fs_type}"), fs_type, label, [], str(other))
        subprocess.run(argv, check=True, capture_output=True)
        theirs, ours = other.stat(), host.image.stat()
        assert abs(theirs.st_blocks - ours.st_blocks) <= 32


def test_arguments_and_label_reach_mkfs_as_they_are(overlay: OverlayHost, tmp_path: Path) -> None:
    mkfs = program(overlay, "mkfs.ext4", 'for word in "$@"; do printf "%s|" "$word"; done > args; pwd > where')
    overlay.reset(overlay.new("ext4", "-O", "^has_journal", "it's", "", label="a b"), tools=(str(mkfs),))

    making = overlay.holding / "making"
    assert (overlay.directory / "args").read_text() == f"-L|a b|-O|^has_journal|it's||{making}|"
    assert (overlay.directory / "where").read_text() == f"{overlay.directory}\n"
    assert mkfs_argv("m", "ext4", None, [], "i") == ["m", "i"]
    assert mkfs_argv("m", "vfat", "L", ["-F", "32"], "i") == ["m", "-n", "L", "-F", "32", "i"]


def program(overlay: OverlayHost, name: str, script: str) -> Path:
    """A directory with a program of that name."""
    directory = overlay.folder / "bin"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
    return directory


def test_what_there_is(overlay: OverlayHost) -> None:
    overlay.keep("20250101T010101Z.img", "k0")
    with overlay.worker() as worker:
        facts = worker.look()
        assert facts.file_id == overlay.file_id()
        assert (facts.size, facts.uid, facts.gid, facts.mode) == (MIB, *OWNER, 0o640)
        assert (facts.problem, facts.in_use, facts.worker) == (None, False, None)
        assert facts.mkfs == found("mkfs.ext4")
        assert facts.allocated == overlay.image.stat().st_blocks * 512
        assert facts.free <= os.statvfs(overlay.directory).f_bavail * 4096 + MIB
        assert facts.made is not None
        assert (facts.fs_type, facts.label) == (None, None)
        assert [kept.name for kept in facts.kept] == ["20250101T010101Z.img"]
        worker.make(overlay.new(), facts.file_id)
        worker.commit()
        after = worker.look()
    assert (after.fs_type, after.label, after.worker) == ("ext4", "new", None)
    assert len(after.kept) == 2


def test_looking_leaves_nothing(overlay: OverlayHost) -> None:
    with overlay.worker() as worker:
        worker.look()
    assert os.listdir(overlay.directory) == ["rw.img"]


def test_an_image_that_is_not_there(overlay: OverlayHost) -> None:
    overlay.image.unlink()
    with overlay.worker() as worker:
        facts = worker.look()
        assert (facts.file_id, facts.problem, facts.kept) == (None, None, ())
        worker.make(overlay.new(), None)
        assert worker.commit() is None
    assert content(overlay.image) == "new"
    with pytest.raises(MvtuiError, match=r"nothing of .* is kept"):
        overlay.restore()


def test_made_meanwhile(overlay: OverlayHost) -> None:
    overlay.image.unlink()
    with overlay.worker() as worker:
        worker.make(overlay.new(), None)
        overlay.write(overlay.image, "guest")
        with pytest.raises(MvtuiError, match="is another file than before") as refused:
            worker.commit()
        assert refused.value.exit_code is ExitCode.REFUSED
    assert content(overlay.image) == "guest"
    assert overlay.names() == []


def test_another_file_than_planned(overlay: OverlayHost) -> None:
    planned = overlay.file_id()
    overlay.image.rename(overlay.image.with_name("away.img"))
    overlay.write(overlay.image, "other")
    with overlay.worker() as worker, pytest.raises(MvtuiError, match="is another file than before"):
        worker.make(overlay.new(), planned)
    assert (content(overlay.image), overlay.names()) == ("other", [])


def test_swapped_after_the_new_one_was_made(overlay: OverlayHost) -> None:
    with overlay.worker() as worker:
        worker.make(overlay.new(), overlay.file_id())
        overlay.image.unlink()
        with pytest.raises(MvtuiError, match="has gone meanwhile"):
            worker.commit()
    assert overlay.names() == []


def test_restore_twice_is_where_it_began(overlay: OverlayHost) -> None:
    overlay.reset()
    kept = overlay.restore()
    assert kept is not None
    assert (content(overlay.image), content(Path(kept.path))) == ("old", "new")
    again = overlay.restore()
    assert again is not None
    assert (content(overlay.image), content(Path(again.path))) == ("new", "old")


def test_one_that_is_not_kept(overlay: OverlayHost) -> None:
    overlay.keep("20250101T010101Z.img", "k0")
    for name in ("20250101T010102Z.img", "../../../rw.img", "lock", ""):
        with pytest.raises(MvtuiError) as refused:
            overlay.restore(name or "nothing")
        assert refused.value.hint == "what is kept: 20250101T010101Z.img"
    assert content(overlay.image) == "old"


def test_undo(overlay: OverlayHost) -> None:
    with overlay.worker() as worker:
        worker.make(overlay.new(), overlay.file_id())
        worker.commit()
        worker.undo_commit()
    assert (content(overlay.image), overlay.names()) == ("old", [])


def test_undo_of_a_new_one_that_is_in_use(overlay: OverlayHost) -> None:
    with overlay.worker() as worker:
        worker.make(overlay.new(), overlay.file_id())
        kept = worker.commit()
        with overlay.image.open("rb"), pytest.raises(MvtuiError, match="is in use"):
            worker.undo_commit()
    assert (content(overlay.image), overlay.kept()) == ("new", (kept,))


def test_older_ones_are_freed(overlay: OverlayHost) -> None:
    for number in range(1, 5):
        overlay.keep(f"20250101T01010{number}Z.img", f"k{number}")
    with overlay.worker() as worker:
        assert worker.free_older_in_background() == 3
        assert [content(Path(kept.path)) for kept in overlay.kept()] == ["k4"]
    with overlay.worker() as worker:
        assert worker.free_older_in_background(all=True) == 1
        assert overlay.kept() == ()
    until(lambda: not overlay.names())
    assert content(overlay.image) == "old"


def test_what_nobody_has_used_is_freed_before_what_is_older(overlay: OverlayHost) -> None:
    for number in range(1, 4):
        overlay.keep(f"20250101T01010{number}Z.img", f"k{number}")
    with overlay.worker() as worker:
        assert worker.free_older_in_background(unused="20250101T010103Z.img") == 2
    until(lambda: overlay.names() == ["20250101T010102Z.img"])
    with overlay.worker() as worker:
        assert worker.free_older_in_background(unused="20250101T010102Z.img") == 0
    assert [content(Path(kept.path)) for kept in overlay.kept()] == ["k2"]


def test_others_can_work_while_somebody_frees_what_is_older(overlay: OverlayHost) -> None:
    for number in range(1, 4):
        overlay.keep(f"20250101T01010{number}Z.img", f"k{number}")
    with overlay.worker() as first, overlay.worker() as second:
        assert first.throw_older_away()
        assert [content(Path(kept.path)) for kept in overlay.kept()] == ["k3"]
        assert len(overlay.rubbish()) == 2
        assert second.free_older() == 2
        assert overlay.rubbish() == []
        assert not first.throw_older_away()
    assert content(overlay.image) == "old"


def test_a_large_one_is_freed_from_its_end(overlay: OverlayHost) -> None:
    """128 MiB with data at the begin, in the middle and at the end of 100 GiB."""
    large = overlay.keep("20250101T010101Z.img", "large")
    os.truncate(large, 100 << 30)
    with large.open("r+b") as file:
        for where in (0, 50 << 30, (100 << 30) - MIB):
            file.seek(where)
            file.write(bytes(MIB))
    with overlay.worker() as worker:
        worker.free_older_in_background(all=True)
    until(lambda: not overlay.names())


def test_one_that_somebody_reads_is_freed_only_by_its_name(overlay: OverlayHost) -> None:
    kept = overlay.keep("20250101T010101Z.img", "k0")
    with kept.open("rb") as reader:
        with overlay.worker() as worker:
            worker.free_older_in_background(all=True)
        until(lambda: not overlay.names())
        assert reader.read(2) == b"k0"
        assert os.fstat(reader.fileno()).st_size == MIB


def test_the_clock_was_set_back(overlay: OverlayHost) -> None:
    overlay.keep("20991231T235959Z.img", "k0")
    kept = overlay.reset()
    assert kept is not None
    assert kept.name == "20991231T235959Z-1.img"
    assert overlay.kept()[0] == kept
    assert names.next_kept_name(["20991231T235959Z-9.img", "20991231T235959Z-10.img"], ".img") == (
        "20991231T235959Z-11.img"
    )


@pytest.mark.parametrize(
    "name",
    ["20250101T010101Z", "2025.img", "20250101T010101Z-0.img", "20250101T010101Z-.img", "20250101T010101Z-x.img",
     "20250101T010101Z-10000.img", "x20250101T010101Z.img", "٢0250101T010101Z.img", "20251301T010101Z.img", ".img"],
)  # fmt: skip
def test_names_that_are_none_of_kept_ones(overlay: OverlayHost, name: str) -> None:
    overlay.keep(name, "x")
    assert overlay.kept() == ()


def test_mkfs_is_not_there(overlay: OverlayHost) -> None:
    for fs_type, hint in {"f2fs": "microvm.nix makes ext2", "ext4x": "microvm.nix makes"}.items():
        with overlay.worker() as worker, pytest.raises(MvtuiError, match=rf"no mkfs\.{fs_type}") as refused:
            worker.make(overlay.new(fs_type), overlay.file_id())
        assert refused.value.hint.startswith(hint)
    assert os.listdir(overlay.directory) == ["rw.img"]


@pytest.mark.parametrize("fs_type", PACKAGES)
def test_which_package_has_it(overlay: OverlayHost, fs_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = "from mvtui.host.overlay import child, mkfs; mkfs.USUAL = (); child.main()"
    with overlay.worker(entry) as worker:
        assert worker.look().mkfs is None
        with pytest.raises(MvtuiError, match=f"there is no mkfs.{fs_type} on this host") as refused:
            worker.make(overlay.new(fs_type), overlay.file_id())
    assert refused.value.hint == f"install {PACKAGES[fs_type]}"


def test_the_runners_own_mkfs_comes_first(overlay: OverlayHost) -> None:
    tools = program(overlay, "mkfs.ext4", "exit 0")
    (overlay.folder / "not executable").mkdir()
    (overlay.folder / "not executable" / "mkfs.ext4").touch()
    with overlay.worker(tools=("relative", f"{overlay.folder}/not executable", str(tools))) as worker:
        assert worker.look().mkfs == f"{tools}/mkfs.ext4"


def test_mkfs_fails(overlay: OverlayHost) -> None:
    tools = program(overlay, "mkfs.ext4", r"echo one; printf '\033[31mno \342\200\256 luck\n\n' >&2; exit 3")
    with overlay.worker(tools=(str(tools),)) as worker, pytest.raises(MvtuiError) as failed:
        worker.make(overlay.new(), overlay.file_id())
    assert failed.value.message.endswith(r"can't be made: mkfs.ext4: exit 3: \x1b[31mno \u202e luck")
    assert failed.value.exit_code is ExitCode.FAILED
    assert (content(overlay.image), overlay.names()) == ("old", [])


def test_mkfs_says_very_much(overlay: OverlayHost) -> None:
    tools = program(overlay, "mkfs.ext4", "exec >&2; yes a long line | head -c 3000000; echo the last; exit 1")
    with overlay.worker(tools=(str(tools),)) as worker, pytest.raises(MvtuiError, match=r"exit 1: the last$"):
        worker.make(overlay.new(), overlay.file_id())


def test_mkfs_hangs(overlay: OverlayHost) -> None:
    """And what it started hangs with it."""
    tools = program(overlay, "mkfs.ext4", "sleep 1000 & echo $$ $! > pids; exec >&- 2>&-; wait")
    patience = Patience(mkfs=0.5)
    with overlay.worker(tools=(str(tools),), patience=patience) as worker:
        with pytest.raises(MvtuiError, match=r"mkfs.ext4 did not end within 0.5 s"):
            worker.make(overlay.new(), overlay.file_id())
        pids = (overlay.directory / "pids").read_text().split()
        assert len(pids) == 2
        until(lambda: not any(is_running(pid) for pid in pids))
    assert (content(overlay.image), overlay.names()) == ("old", [])


def is_running(pid: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_mvtui_ends_while_mkfs_runs(overlay: OverlayHost) -> None:
    """mkfs ends with it, and nothing of the new image stays."""
    tools = program(overlay, "mkfs.ext4", "echo $$ > pid; exec sleep 1000")
    worker = overlay.worker(tools=(str(tools),))
    parent = os.fork()
    if parent == 0:
        try:
            worker.make(overlay.new(), overlay.file_id())
        finally:
            os._exit(0)
    pid = overlay.directory / "pid"
    until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    os.kill(parent, 9)
    os.waitpid(parent, 0)
    worker.close()
    until(lambda: not is_running(pid.read_text().strip()))
    assert (content(overlay.image), overlay.names()) == ("old", [])


def test_nocow_is_asked_for_while_the_file_is_empty(overlay: OverlayHost) -> None:
    entry = (
        "import os; from mvtui.host.overlay import child; from mvtui.host.overlay.effects import Effects\n"
        f"def nocow(self, fd): os.write(os.open({str(overlay.record)!r}, os.O_WRONLY), b'%d' % os.fstat(fd).st_size)\n"
        "Effects.nocow = nocow; child.main()"
    )
    overlay.reset(entry=entry)
    assert overlay.record.read_text() == "0"


def test_the_group_of_another(overlay: OverlayHost) -> None:
    need_root("another group")
    with overlay.worker() as worker, pytest.raises(MvtuiError, match="operation not permitted"):
        worker.make(overlay.new()._replace(gid=12), overlay.file_id())
    assert (content(overlay.image), overlay.names()) == ("old", [])


def test_what_is_no_file(overlay: OverlayHost) -> None:
    for kind in (OverlayKind.TMPFS, OverlayKind.NONE, OverlayKind.UNKNOWN):
        overlay.target = OverlayTarget(kind)
        with pytest.raises(MvtuiError, match="nothing to reset") as refused:
            overlay.worker()
        assert refused.value.exit_code is ExitCode.REFUSED
        assert overlay.kept() == ()


def test_roots_directory(overlay: OverlayHost) -> None:
    """`microvm -c` makes it root:kvm 0775: then the state directory's owner works there. Where that is root too, nobody
    does."""
    need_root("root's directories")
    os.chown(overlay.directory, 0, OWNER[1])
    overlay.directory.chmod(0o775)
    overlay.reset()
    assert content(overlay.image) == "new"
    os.chown(overlay.state_dir, 0, 0)
    with pytest.raises(MvtuiError, match="belongs to root"):
        overlay.worker()


@pytest.mark.parametrize("owner", [(OWNER[0] + 1, OWNER[1]), (OWNER[0], 6), (OWNER[0], 0)])
def test_a_directory_that_the_state_directorys_owner_may_have_put_there(
    overlay: OverlayHost, owner: tuple[int, int]
) -> None:
    need_root("other owners")
    os.chown(overlay.directory, *owner)
    with pytest.raises(MvtuiError, match="belongs to") as refused:
        overlay.worker()
    assert refused.value.exit_code is ExitCode.REFUSED


def test_who_is_neither_root_nor_the_owner(overlay: OverlayHost) -> None:
    need_root("being another")
    overlay.keep("20250101T010101Z.img", "k0")

    def look() -> None:
        with pytest.raises(RightsMissingError):
            overlay.worker()
        assert len(overlay.kept()) == 1  # to look is no matter of rights

    in_child(look, (12345, 12345))


def test_an_owner_resets_his_own() -> None:
    """What is root's outside of the user namespace is its owner's within."""
    before = ["unshare", "--user", "--map-user=1234", "--map-group=1234"] if os.geteuid() == 0 else []
    script = """
        from tests.host.overlay.overlay_host import content, overlay_host
        with overlay_host() as host:
            host.write(host.image, "old")
            host.reset()
            assert content(host.image) == "new"
            host.restore()
            assert content(host.image) == "old"
    """
    run_python(script, *before)


def test_all_that_was_done_is_on_record(overlay: OverlayHost) -> None:
    with overlay.worker() as worker:
        worker.make(overlay.new("ext4", "-b", "1024"), overlay.file_id())
        worker.commit()
    said = [(call.what, call.ok) for call in overlay.host.calls.calls]
    assert said == [
        (f"mkfs.ext4 -L new -b 1024 {overlay.image}", True),
        (f"exchange {overlay.image} with the new one", True),
    ]

"""An overlay on a share: what is set aside, and what a guest may have left there, which owns all of it."""

import os
import stat
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.overlay import places, share
from tests.host.living import need_root, until
from tests.host.overlay.overlay_host import OWNER, WHO, OverlayHost, content


@pytest.fixture
def shared(overlay: OverlayHost) -> OverlayHost:
    overlay.share()
    return overlay


def refuses(overlay: OverlayHost, words: str) -> None:
    with overlay.worker() as worker:
        facts = worker.look()
        assert facts.problem is not None
        assert words in facts.problem
        with pytest.raises(MvtuiError) as refused:
            worker.make(None, facts.file_id)
        assert words in refused.value.message
        assert refused.value.exit_code is ExitCode.REFUSED


def test_a_reset_and_back(shared: OverlayHost) -> None:
    with shared.worker() as worker:
        facts = worker.look()
        assert facts.file_id == shared.file_id()
        assert (facts.uid, facts.gid, facts.mode) == (*OWNER, 0o1775)
        assert (facts.problem, facts.in_use, facts.mkfs, facts.fs_type) == (None, None, None, None)
        worker.make(None, facts.file_id)
        kept = worker.commit()
    assert kept is not None
    assert (kept.size, kept.allocated) == (None, None)
    assert shared.kept() == (kept,)
    assert (content(shared.image), content(Path(kept.path))) == ("new", "old")
    for name, mode in (("store", 0o1775), ("work", 0o755)):
        status = (shared.image / name).stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (*OWNER, mode)
        assert os.listdir(shared.image / name) == []
        assert os.listdir(Path(kept.path) / name) != []
    again = shared.restore()
    assert again is not None
    assert (content(shared.image), content(Path(again.path))) == ("old", "new")
    assert (shared.image / "work" / "work").is_dir()


def test_older_ones_are_freed_however_deep_they_are(shared: OverlayHost) -> None:
    shared.keep_share("20250202T020202Z.dir", "k1")
    deep = shared.keep_share("20250101T010101Z.dir", "k0") / "store"
    for _ in range(150):
        deep /= "directory-with-a-name"
        deep.mkdir()
        shared.give(deep)
    with shared.worker() as worker:
        assert worker.free_older_in_background() == 1
    until(lambda: shared.names() == ["20250202T020202Z.dir"])
    assert content(shared.image) == "old"


def test_nothing_there(shared: OverlayHost) -> None:
    (shared.image / "store").rename(shared.folder / "away")
    with shared.worker() as worker:
        facts = worker.look()
        assert (facts.file_id, facts.problem) == (None, None)
        with pytest.raises(MvtuiError, match="has no store"):
            worker.make(None, None)


def test_one_of_two_wins(shared: OverlayHost) -> None:
    with shared.worker() as first, shared.worker() as second:
        first.make(None, shared.file_id())
        with pytest.raises(MvtuiError, match="works on this overlay now") as refused:
            second.make(None, shared.file_id())
        assert refused.value.message.startswith(WHO)
    assert shared.rubbish() == shared.names()  # what the first one made


@pytest.mark.parametrize("name", ["store", "work"])
def test_links(shared: OverlayHost, name: str) -> None:
    (shared.image / name).rename(shared.folder / "away")
    (shared.image / name).symlink_to(shared.folder / "away")
    refuses(shared, f"{name} is no directory")
    assert (shared.image / name).is_symlink()


@pytest.mark.parametrize("name", ["store", "work"])
def test_links_that_come_after_the_new_ones_were_made(shared: OverlayHost, name: str) -> None:
    with shared.worker() as worker:
        worker.make(None, shared.file_id())
        (shared.image / name).rename(shared.folder / "away")
        (shared.image / name).symlink_to(shared.folder / "away")
        with pytest.raises(MvtuiError, match=f"{name} is no directory"):
            worker.commit()
    assert (shared.image / name).is_symlink()


def test_anothers(shared: OverlayHost) -> None:
    need_root("other owners")
    os.chown(shared.image / "store", 12345, 12345)
    refuses(shared, f"store belongs to user 12345, and {shared.image} to {OWNER[0]}")


def test_a_work_directory_that_is_none(shared: OverlayHost) -> None:
    """A source whose `store` and `work` are something else is no overlay, whatever a runner says."""
    (shared.image / "work" / "thesis").touch()
    refuses(shared, "is no work directory of an overlay")


def test_the_hosts_store(shared: OverlayHost) -> None:
    store = str(shared.image / "store")
    entry = f"from mvtui.host.overlay import child, share; share._HOSTS_STORE = {store!r}; child.main()"
    assert share._HOSTS_STORE == "/nix/store"
    with shared.worker(entry) as worker:
        facts = worker.look()
        assert facts.problem == f"{shared.image}/store is the host's {shared.image}/store"
        with pytest.raises(MvtuiError, match="is the host's"):
            worker.make(None, facts.file_id)


def test_a_source_that_is_a_link(shared: OverlayHost) -> None:
    shared.image.rename(shared.folder / "away")
    shared.image.symlink_to(shared.folder / "away")
    with pytest.raises(MvtuiError, match="not a directory"):
        shared.worker()
    assert shared.kept() == ()


def test_what_a_guest_puts_among_what_is_kept(shared: OverlayHost) -> None:
    """As root: the source is root's, and so is all that a guest makes there."""
    need_root("root's source")
    secret = shared.folder / "secret"
    secret.mkdir()
    (secret / "file").write_text("secret")
    shared.keep_share("20250101T010101Z.dir", "k0")
    for path in (shared.image, *shared.image.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    for name in ("20250202T020202Z.dir", "freeing.x", "new.1.2", "back.1.2", "making"):
        (shared.holding / name).symlink_to(secret)
    os.mkfifo(shared.holding / "20250303T030303Z.dir")
    (shared.holding / "20250404T040404Z.dir").mkdir()
    (shared.holding / "20250404T040404Z.dir" / "store").symlink_to(secret)
    before = secret.stat()

    assert [kept.name for kept in shared.kept()] == ["20250404T040404Z.dir", "20250101T010101Z.dir"]
    with shared.worker() as worker:
        worker.make(None, shared.file_id())
        kept = worker.commit()
        worker.free_older_in_background()
    assert kept is not None
    until(lambda: shared.names() == [kept.name])
    assert (content(shared.image), content(Path(kept.path))) == ("new", "old")
    assert (secret / "file").read_text() == "secret"
    assert (secret.stat().st_mtime_ns, secret.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_device_in_place_of_the_lock_is_not_opened(shared: OverlayHost) -> None:
    """A guest can make one on its share, root would be let in, and to open one can be a command to it (a watchdog).
    This one has no driver: whoever opens it is told that."""
    need_root("devices")
    shared.keep_share("20250101T010101Z.dir", "k0")
    lock = shared.holding / "lock"
    os.mknod(lock, stat.S_IFCHR | 0o666, os.makedev(4000, 1))
    for path in (shared.image, *shared.image.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    with pytest.raises(OSError, match="No such device"):
        lock.open("rb")
    with shared.worker() as worker:
        assert worker.look().worker is None
        with pytest.raises(MvtuiError, match="lock is no file of mvtui's"):
            worker.make(None, shared.file_id())


def test_rubbish_that_becomes_a_device_is_not_opened(shared: OverlayHost) -> None:
    need_root("devices")
    os.mknod(shared.image / "device", stat.S_IFCHR | 0o666, os.makedev(4000, 1))
    at = os.open(shared.image, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="is no regular file"):
            places.open_only_regular("device", at, os.O_WRONLY)
    finally:
        os.close(at)


def test_a_source_that_changed_hands(shared: OverlayHost) -> None:
    """Whose rights to take was looked at before: another's directory under the same name has no use of them."""
    need_root("other owners")
    with shared.worker() as worker:
        os.chown(shared.image, 12345, 12345)
        with pytest.raises(MvtuiError, match="belongs to user 12345"):
            worker.look()


def test_a_link_in_a_directory_that_a_guest_made(shared: OverlayHost) -> None:
    """Where the source lies within another share, what is root's on the way may be the guest's root's."""
    need_root("root's source")
    victim = shared.image.rename(shared.folder / "victim")
    for path in (victim, *victim.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    (shared.folder / "shared").mkdir()
    (shared.folder / "shared" / "sub").symlink_to(shared.folder)
    shared.target = shared.target._replace(path=f"{shared.folder}/shared/sub/victim")
    with shared.worker() as worker, pytest.raises(MvtuiError, match=r"reached through a link \(sub\)"):
        worker.look()
    assert sorted(os.listdir(victim)) == ["store", "work"]

"""An overlay on a share whose source belongs to the microVM's user, while what its guest's root made there is root's.

Root works there, and that user, on the host, must not gain by it: what he could put in the place of `store`, of the
source, or of what mvtui makes."""

import os
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from tests.host.living import need_root, until
from tests.host.overlay.overlay_host import OWNER, OverlayHost, content


def give_to_root(*paths: Path) -> None:
    for path in paths:
        for each in (path, *path.rglob("*")):
            os.chown(each, 0, 0, follow_symlinks=False)


@pytest.fixture
def mixed(overlay: OverlayHost) -> OverlayHost:
    """The source lies in a directory of root's, who named it."""
    need_root("what a guest's root made")
    overlay.share()
    source = overlay.image.rename(overlay.folder / "overlay")
    give_to_root(source / "store", source / "work")
    overlay.image, overlay.holding = source, source / ".mvtui" / "overlay"
    overlay.target = overlay.target._replace(path=str(source), named_by_root=True)
    return overlay


def all_but_mvtuis(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if ".mvtui" not in path.parts)


def refuses(overlay: OverlayHost, words: str) -> None:
    """And leaves all as it is; what says who works there is made before."""
    before = all_but_mvtuis(overlay.folder)
    with overlay.worker() as worker, pytest.raises(MvtuiError) as refused:
        worker.make(None, overlay.file_id())
    assert words in refused.value.message
    assert refused.value.exit_code is ExitCode.REFUSED
    assert all_but_mvtuis(overlay.folder) == before
    assert content(overlay.image) == "old"


def test_a_reset_and_back(mixed: OverlayHost) -> None:
    """The guest sees its root own the new one, too."""
    kept = mixed.reset()
    assert kept is not None
    assert mixed.kept() == (kept,)
    assert (content(mixed.image), content(Path(kept.path))) == ("new", "old")
    for name, mode in (("store", 0o41775), ("work", 0o40755)):
        status = (mixed.image / name).stat()
        assert (status.st_uid, status.st_gid, status.st_mode) == (0, 0, mode)
    assert mixed.image.stat().st_uid == OWNER[0]
    again = mixed.restore()
    assert again is not None
    assert (content(mixed.image), content(Path(again.path))) == ("old", "new")
    with mixed.worker() as worker:
        assert worker.free_older_in_background(all=True) == 1
    until(lambda: not mixed.names())
    assert content(mixed.image) == "old"


def test_somebody_else_named_it(mixed: OverlayHost) -> None:
    mixed.target = mixed.target._replace(named_by_root=False)
    refuses(mixed, f"store belongs to user 0, and {mixed.image} to {OWNER[0]}: chown root {mixed.image} mends that")


@pytest.mark.parametrize(("owner", "mode"), [(OWNER[0], 0o755), (0, 0o775), (0, 0o1777)])
def test_somebody_else_could_put_another_in_its_place(mixed: OverlayHost, owner: int, mode: int) -> None:
    """Also where the directory above is sticky: its owner may rename the source."""
    os.chown(mixed.folder, owner, owner)
    mixed.folder.chmod(mode)
    refuses(mixed, "store belongs to user 0")


def test_somebody_else_could_put_another_on_the_way(mixed: OverlayHost) -> None:
    above = mixed.folder / "users"
    (above / "roots").mkdir(parents=True)
    mixed.give(above)
    mixed.image.rename(above / "roots" / "overlay")
    mixed.image = above / "roots" / "overlay"
    mixed.target = mixed.target._replace(path=str(mixed.image))
    refuses(mixed, "store belongs to user 0")


def test_the_users_own_directory_in_the_place_of_store(mixed: OverlayHost) -> None:
    with mixed.worker() as worker:
        worker.make(None, mixed.file_id())
        (mixed.image / "store").rename(mixed.image / "away")
        (mixed.image / "store").mkdir()
        mixed.give(mixed.image / "store")
        with pytest.raises(MvtuiError, match=f"store belongs to user {OWNER[0]}"):
            worker.commit()
    assert (mixed.image / "away" / "pkg" / "file").read_text() == "old"
    assert mixed.kept() == ()


def test_another_directory_of_roots_in_the_place_of_store(mixed: OverlayHost) -> None:
    """One that lay beside it: to rename it takes no rights on it."""
    (mixed.image / "precious").mkdir()
    (mixed.image / "precious" / "file").write_text("precious")
    with mixed.worker() as worker:
        worker.make(None, mixed.file_id())
        (mixed.image / "store").rename(mixed.image / "away")
        (mixed.image / "precious").rename(mixed.image / "store")
        with pytest.raises(MvtuiError, match="store is another directory than before"):
            worker.commit()
    assert (mixed.image / "store" / "file").read_text() == "precious"
    assert mixed.kept() == ()


@pytest.mark.parametrize("link", [False, True])
def test_what_the_user_put_in_the_place_of_mvtuis(mixed: OverlayHost, link: bool) -> None:
    secret = mixed.folder / "secret"
    secret.mkdir(mode=0o700)
    own = mixed.image / ".mvtui"
    if link:
        own.symlink_to(secret)
    else:
        own.mkdir()
        mixed.give(own)
    refuses(mixed, f"{own} is no directory" if link else f"{own} belongs to user {OWNER[0]}, not to 0")
    assert mixed.kept() == ()
    assert os.listdir(secret) == []


def test_a_source_that_changed_hands(mixed: OverlayHost) -> None:
    with mixed.worker() as worker:
        os.chown(mixed.image, 12345, 12345)
        with pytest.raises(MvtuiError, match=f"belongs to user 12345, and belonged to {OWNER[0]} just now"):
            worker.look()

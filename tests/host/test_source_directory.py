"""The directory of a share is made where root alone, or whoever makes it, decides what stands there."""

import os
import stat
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.source_directory import find_place, make, owner_words
from mvtui.model.rights import Account

NOBODY = Account(65534, frozenset({65534}), "nobody")
ROOT = Path("/")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="another owner takes root")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


def refused(path: Path | str, account: Account | None = NOBODY) -> MvtuiError:
    with pytest.raises(MvtuiError) as caught:
        find_place(str(path), account)
    assert caught.value.exit_code is ExitCode.REFUSED
    return caught.value


def test_it_is_made_with_its_parents(place: Path) -> None:
    path = str(place / "a/b")
    found = find_place(path, NOBODY)
    assert found.makes == (str(place / "a"), path)
    assert found.may_write
    before = os.umask(0o077)
    try:
        make(path, NOBODY, found.makes, (os.geteuid(), os.getegid()), ROOT)
    finally:
        os.umask(before)
    for made in found.makes:
        status = os.lstat(made)
        assert (stat.S_ISDIR(status.st_mode), stat.S_IMODE(status.st_mode)) == (True, 0o755)
        assert (status.st_uid, status.st_gid) == (os.geteuid(), os.getegid())
    assert find_place(path, NOBODY).makes == ()


@as_root
def test_the_last_alone_gets_its_owner(place: Path) -> None:
    path = str(place / "a/b")
    make(path, NOBODY, find_place(path, NOBODY).makes, (65534, 65534), ROOT)
    assert [os.stat(made).st_uid for made in (place / "a", path)] == [0, 65534]
    assert owner_words(0, 0) == "root:root"
    assert owner_words(4_000_001, 4_000_002) == "4000001:4000002"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("srv/home", "the source srv/home is relative"),
        ("~/home", "the source ~/home begins with ~, which nobody replaces"),
        ("", "the source  is relative"),
        ("/srv/../etc/x", "the source /srv/../etc/x has .. in it"),
        ("/nix/store/x", "/nix/store/x is in /nix/store, where Nix alone makes something"),
        ("//nix//store/x", "//nix//store/x is in /nix/store, where Nix alone makes something"),
        ("/srv/a\nb", "the source /srv/a\nb has characters that can't be shown"),
        ("/srv/\x1b[31m", "the source /srv/\x1b[31m has characters that can't be shown"),
    ],
)
def test_what_can_be_no_source(path: str, why: str) -> None:
    assert refused(path).message == why


def test_a_file_is_in_the_way(place: Path) -> None:
    (place / "file").touch()
    assert refused(place / "file").message == f"{place}/file is no directory"
    assert refused(place / "file/in").message == f"{place}/file is no directory"


def test_where_everybody_can_write(place: Path) -> None:
    open_to_all = place / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert refused(open_to_all / "x").message == f"others than root can write {open_to_all}"
    (open_to_all / "deep").mkdir()
    assert refused(open_to_all / "deep/x").message == f"others than root can write {open_to_all}"
    open_to_all.chmod(0o1777)  # sticky: nobody else can replace what is root's
    assert find_place(str(open_to_all / "x"), NOBODY).makes == (str(open_to_all / "x"),)


@as_root
def test_where_another_decides(place: Path) -> None:
    theirs = place / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    error = refused(theirs / "a b")
    assert error.message == f"{theirs} belongs to user nobody, who decides what stands there"
    assert error.hint == f"sudo -u nobody mkdir -p '{theirs}/a b'"
    # Also where it is not the last one.
    (theirs / "roots").mkdir()
    assert refused(theirs / "roots/x").message.startswith(f"{theirs} belongs to user nobody")


@as_root
def test_another_users_link_is_not_followed(place: Path) -> None:
    (place / "real").mkdir()
    link = place / "link"
    link.symlink_to(place / "real")
    assert find_place(str(link / "x"), NOBODY).makes == (str(place / "real/x"),), "root's own is"
    os.lchown(link, 65534, 65534)
    assert refused(link / "x").message == f"a link on the way to {link}/x is another user's"


def test_a_link_into_the_store(place: Path) -> None:
    store = place / "nix/store"
    store.mkdir(parents=True)
    (place / "link").symlink_to("/nix/store")
    with pytest.raises(MvtuiError, match="/nix/store/x is in /nix/store"):
        find_place("/link/x", NOBODY, place)


def test_what_came_between_is_seen(place: Path) -> None:
    path = place / "a/b"
    makes = find_place(str(path), NOBODY).makes
    (place / "a").symlink_to("/etc")
    owner = (os.geteuid(), os.getegid())
    with pytest.raises(MvtuiError, match="has changed meanwhile"):
        make(str(path), NOBODY, makes, owner, ROOT)
    assert not os.path.exists("/etc/b")
    (place / "a").unlink()
    path.mkdir(parents=True)
    with pytest.raises(MvtuiError, match="has changed meanwhile"):
        make(str(path), NOBODY, makes, owner, ROOT)


def test_a_link_that_comes_in_the_last_moment_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and mkdirat(2): a name that is there is never entered, whatever stands behind it."""
    elsewhere = place / "elsewhere"
    elsewhere.mkdir()
    real = os.mkdir

    def plant(name: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if name == "a":
            os.symlink(elsewhere, place / "a")
        real(name, mode, dir_fd=dir_fd)

    path = str(place / "a/b")
    makes = find_place(path, NOBODY).makes
    monkeypatch.setattr(os, "mkdir", plant)
    with pytest.raises(MvtuiError, match="file exists"):
        make(path, NOBODY, makes, (os.geteuid(), os.getegid()), ROOT)
    assert list(elsewhere.iterdir()) == []


def test_no_descriptor_is_left(place: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    path = str(place / "a/b")
    make(path, NOBODY, find_place(path, NOBODY).makes, (os.geteuid(), os.getegid()), ROOT)
    refused(place / "a/b/../c")
    assert len(os.listdir("/proc/self/fd")) == before


def test_another_root(place: Path) -> None:
    (place / "srv").mkdir()
    makes = find_place("/srv/x", NOBODY, place).makes
    assert makes == ("/srv/x",)
    make("/srv/x", NOBODY, makes, (os.geteuid(), os.getegid()), place)
    assert (place / "srv/x").is_dir()

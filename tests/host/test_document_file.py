"""A definition file replaced: the old text or the new one, whole, and nobody's change lost."""

import multiprocessing
import os
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.document_file import NEW, ChangedError, SaveEffects, replace_text
from mvtui.host.documents import read_text
from tests.host.overlay.faulty import AFTER, BEFORE, ERRORS, FaultyEffects
from tests.host.state_dirs import fresh_state_dir, without_rights

OLD, TEXT = "mem = 1\n", "mem = 2 # ü\n"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "web.toml"
    made.write_text(OLD)
    return made


def acl(*entries: tuple[int, int, int]) -> bytes:
    """A POSIX ACL as the kernel has it in an extended attribute: (tag, permissions, id)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
SHARED = acl((1, 6, NOBODY), (2, 6, 12345), (4, 4, NOBODY), (0x10, 6, NOBODY), (0x20, 0, NOBODY))


def test_the_text_and_nothing_else(path: Path) -> None:
    path.chmod(0o640)
    before = path.stat()

    replace_text(path, OLD, TEXT)

    after = path.stat()
    assert path.read_text() == TEXT
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.listdir(path.parent) == ["web.toml"]


@AS_ROOT
def test_owner_mode_acl_and_attributes_are_kept(path: Path) -> None:
    os.chown(path, 12345, 23456)
    path.chmod(0o2664)
    os.setxattr(path, "user.note", b"mine")
    os.setxattr(path, "system.posix_acl_access", SHARED)
    # What new files get in this directory, the old one does not have.
    os.setxattr(path.parent, "system.posix_acl_default", acl((1, 7, NOBODY), (4, 7, NOBODY), (0x20, 7, NOBODY)))

    def facts() -> tuple[Any, ...]:
        status = path.stat()
        attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), attributes

    before = facts()
    replace_text(path, OLD, TEXT)
    assert facts() == before
    assert path.read_text() == TEXT


@AS_ROOT
def test_an_acl_that_the_directory_gives_is_not_taken_over(path: Path) -> None:
    path.chmod(0o600)
    default = acl((1, 7, NOBODY), (2, 7, 12345), (4, 7, NOBODY), (0x10, 7, NOBODY), (0x20, 7, NOBODY))
    os.setxattr(path.parent, "system.posix_acl_default", default)
    replace_text(path, OLD, TEXT)
    assert os.listxattr(path) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@AS_ROOT
def test_a_new_file_is_its_directorys_owners_whatever_the_umask(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 23456)
    path = tmp_path / "microvms" / "web.toml"
    former = os.umask(0o077)
    try:
        replace_text(path, None, TEXT)
    finally:
        os.umask(former)
    for each, mode in ((path, 0o644), (path.parent, 0o755)):
        status = each.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 23456, mode)


def test_a_byte_order_mark_and_line_ends_stay(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfmem = 1\r\n")
    replace_text(path, "mem = 1\r\n", "mem = 2\r\n")
    assert path.read_bytes() == b"\xef\xbb\xbfmem = 2\r\n"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.booleans())
@settings(deadline=None)
def test_any_text_that_is_read_and_written_is_the_same_bytes(text: str, marked: bool) -> None:
    with fresh_state_dir() as folder:
        path = folder / "web.toml"
        content = (b"\xef\xbb\xbf" if marked else b"") + text.removeprefix("\ufeff").encode()
        path.write_bytes(content)
        read = read_text(path)
        assert read is not None
        replace_text(path, read, read)
        assert path.read_bytes() == content


def test_a_link_stays_and_what_it_leads_to_is_replaced(path: Path) -> None:
    (path.parent / "far").mkdir()
    target = path.rename(path.parent / "far" / "real.toml")
    (path.parent / "near.toml").symlink_to("far/real.toml")
    path.symlink_to(path.parent / "near.toml")

    replace_text(path, OLD, TEXT)

    assert path.is_symlink()
    assert target.read_text() == TEXT
    assert not target.is_symlink()
    assert os.listdir(target.parent) == ["real.toml"]


def test_a_hard_link_keeps_the_old_text(path: Path) -> None:
    other = path.with_name("backup.toml")
    other.hardlink_to(path)
    replace_text(path, OLD, TEXT)
    assert (path.read_text(), other.read_text()) == (TEXT, OLD)


def test_a_loop_of_links(path: Path) -> None:
    path.unlink()
    path.symlink_to("web.toml")
    with pytest.raises(MvtuiError, match="too many levels of symbolic links"):
        replace_text(path, None, TEXT)


@AS_ROOT
def test_a_strangers_link_to_what_is_not_the_strangers_is_not_followed(path: Path) -> None:
    target = path.rename(path.with_name("passwd.toml"))
    path.symlink_to(target)
    os.chown(path, 12345, 12345, follow_symlinks=False)
    with pytest.raises(RightsMissingError, match="is a link of user 12345"):
        replace_text(path, OLD, TEXT)
    assert target.read_text() == OLD

    os.chown(target, 12345, 12345)  # it leads to what is its own
    replace_text(path, OLD, TEXT)
    assert target.read_text() == TEXT


@pytest.mark.parametrize("before", [None, TEXT, ""])
def test_what_is_not_what_was_read_is_not_touched(before: str | None, path: Path) -> None:
    with pytest.raises(ChangedError):
        replace_text(path, before, "mem = 3\n")
    assert path.read_text() == OLD
    assert os.listdir(path.parent) == ["web.toml"]


def test_what_is_gone_does_not_come_back(path: Path) -> None:
    path.unlink()
    with pytest.raises(ChangedError):
        replace_text(path, OLD, TEXT)
    assert os.listdir(path.parent) == []


class Meanwhile(SaveEffects):
    """Somebody saves right before the effect of that name."""

    def __init__(self, name: str, act: Callable[[], object]) -> None:
        self._name, self._act = name, act

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name == self._name:
            self._name = ""
            self._act()
        return super().__getattribute__(name)


def by_rename(path: Path, text: str) -> None:
    other = path.with_name("other")
    other.write_text(text)
    other.rename(path)


@pytest.mark.parametrize("how", [by_rename, Path.write_text])
@pytest.mark.parametrize("effect", ["create", "write", "chmod", "fsync", "exchange"])
def test_who_saves_in_between_loses_nothing(effect: str, how: Callable[[Path, str], object], path: Path) -> None:
    with pytest.raises(ChangedError):
        replace_text(path, OLD, TEXT, Meanwhile(effect, lambda: how(path, "theirs = 1\n")))
    assert path.read_text() == "theirs = 1\n"
    assert os.listdir(path.parent) == ["web.toml"]


def test_who_makes_the_file_in_between_loses_nothing(path: Path) -> None:
    path.unlink()
    with pytest.raises(ChangedError):
        replace_text(path, None, TEXT, Meanwhile("rename", lambda: path.write_text(OLD)))
    assert path.read_text() == OLD
    assert os.listdir(path.parent) == ["web.toml"]


def test_who_removes_it_in_between(path: Path) -> None:
    with pytest.raises(ChangedError):
        replace_text(path, OLD, TEXT, Meanwhile("exchange", path.unlink))
    assert os.listdir(path.parent) == []


class WithoutExchange(SaveEffects):
    """A file system that knows no exchange."""

    def exchange(self, one: str, at: int, other: str, other_at: int) -> None:
        raise OSError(22, "invalid argument")


def test_where_there_is_no_exchange(path: Path) -> None:
    replace_text(path, OLD, TEXT, WithoutExchange())
    assert path.read_text() == TEXT
    assert os.listdir(path.parent) == ["web.toml"]


def _add(path: Path, own: str, count: int) -> None:
    """As a person would: read, add a line, save, and on a conflict once more."""
    for number in range(count):
        while True:
            text = read_text(path) or ""
            try:
                replace_text(path, text, f"{text}{own}{number} = 1\n")
                break
            except ChangedError:
                continue


def test_several_editors_at_once_lose_no_change(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    editors = [context.Process(target=_add, args=(path, own, 25)) for own in "abc"]
    for each in editors:
        each.start()
    for each in editors:
        each.join()
        assert each.exitcode == 0
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted([OLD.strip(), *(f"{own}{number} = 1" for own in "abc" for number in range(25))])
    assert os.listdir(path.parent) == ["web.toml"]


class Faulty(FaultyEffects, SaveEffects):
    """One effect of a save fails, or is the last."""


def _save(path: Path, before: str | None, number: int, how: str, record: Path) -> None:
    """In a process of its own, which may be killed."""
    pid = os.fork()
    if pid == 0:
        try:
            replace_text(path, before, TEXT, Faulty(str(record), number, how))
        except MvtuiError:
            os._exit(1)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("how", [*ERRORS, BEFORE, AFTER])
@pytest.mark.parametrize("before", [OLD, None])
def test_whatever_fails_or_ends_it_the_old_or_the_new_text(before: str | None, how: str, tmp_path: Path) -> None:
    record = tmp_path / "record"

    def once(number: int) -> Path:
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path = folder / "web.toml"
        if before is not None:
            path.write_text(before)
            path.chmod(0o604)
            if os.geteuid() == 0:
                os.chown(path, 12345, 23456)
        record.write_text("")
        _save(path, before, number, how, record)
        return path

    assert once(0).read_text() == TEXT
    steps = record.read_text().split()
    assert {"create", "write", "chmod", "fsync", "exchange" if before is not None else "rename"} <= set(steps)

    for number in range(1, len(steps) + 1):
        path = once(number)
        where = f"{steps[number - 1]}, {how}"
        text = path.read_text() if path.exists() else None
        assert text in (before, TEXT), where
        if before is not None:
            status = path.stat()
            assert stat.S_IMODE(status.st_mode) == 0o604, where
            assert os.geteuid() != 0 or (status.st_uid, status.st_gid) == (12345, 23456), where
        replace_text(path, text, "next = 1\n")  # the next save takes away what was left
        assert path.read_text() == "next = 1\n", where
        assert os.listdir(path.parent) == ["web.toml"], where


def test_without_rights_the_file_is_as_it_was() -> None:
    with fresh_state_dir() as folder:
        path = folder / "web.toml"
        path.write_text(OLD)
        folder.chmod(0o755 if os.geteuid() == 0 else 0o555)
        with without_rights(), pytest.raises(RightsMissingError, match="permission denied") as error:
            replace_text(path, OLD, TEXT)
        folder.chmod(0o755)
        assert "the file is as it was" in error.value.hint
        assert path.read_text() == OLD


@AS_ROOT
def test_who_may_not_keep_the_owner_does_not_save() -> None:
    with fresh_state_dir() as folder:
        path = folder / "web.toml"
        path.write_text(OLD)
        folder.chmod(0o777)
        with without_rights(), pytest.raises(RightsMissingError, match="operation not permitted"):
            replace_text(path, OLD, TEXT)
        assert path.read_text() == OLD
        assert os.listdir(folder) == ["web.toml"]


@pytest.mark.parametrize("kind", ["directory", "fifo"])
def test_no_file(kind: str, path: Path) -> None:
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(MvtuiError, match=r"regular file|exists"):
        replace_text(path, None, TEXT)
    assert os.listdir(path.parent) == ["web.toml"]


def test_no_directory_to_make_one_in(tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="no such file or directory") as error:
        replace_text(tmp_path / "no" / "such" / "web.toml", None, TEXT)
    assert error.value.hint == f"make the directory: mkdir -p {tmp_path}/no/such"


def test_what_is_no_unicode(path: Path) -> None:
    with pytest.raises(MvtuiError, match="no Unicode"):
        replace_text(path, OLD, "tag = '\udc80'\n")
    assert path.read_text() == OLD
    assert os.listdir(path.parent) == ["web.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
@pytest.mark.parametrize(
    ("taking", "words"),
    [
        ("mount -o remount,ro .", "read-only file system (keep the definitions where they can be written"),
        ("head -c 1M /dev/zero >full 2>/dev/null", "no space left on device (make room on the file system of"),
    ],
)
def test_a_file_system_that_takes_nothing(taking: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    code = (
        "from pathlib import Path\nfrom mvtui.errors import MvtuiError\n"
        "from mvtui.host.document_file import replace_text\n"
        "try: replace_text(Path('web.toml'), 'x = 1\\n', 'y = \"' + 'z' * 9999 + '\"\\n')\n"
        "except MvtuiError as error: print(error, Path('web.toml').read_text(), [str(p) for p in Path().iterdir()])"
    )
    script = f"mount -t tmpfs -o size=16k tmpfs at && cd at && printf 'x = 1\\n' >web.toml; {taking}; \"$@\""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "-", sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert words in done.stdout, done.stderr
    assert "x = 1\n ['" in done.stdout
    assert NEW not in done.stdout

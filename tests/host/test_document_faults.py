"""A definition file replaced while others save, and while everything fails: the old text or the new one, whole, and
nobody's change lost."""

import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.document_file import ChangedError, SaveEffects, replace_text
from mvtui.host.documents import read_text
from tests.host.overlay.faulty import AFTER, BEFORE, ERRORS, FaultyEffects

OLD, TEXT = "mem = 1\n", "mem = 2 # ü\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "web.toml"
    made.write_text(OLD)
    return made


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

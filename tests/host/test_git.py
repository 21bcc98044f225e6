"""What git knows, asked and changed with the rights of who owns the repository."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.git import add_command, is_tracked, repository_of, track_file
from tests.host.state_dirs import NOBODY, fresh_state_dir, without_rights

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")


def git(top: Path, *words: str) -> str:
    own = ["-c", f"safe.directory={top}", "-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", *own, "-C", str(top), *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def top() -> Iterator[Path]:
    """A flake in a repository; the file is not tracked."""
    with fresh_state_dir() as folder:
        made = folder.parent / "nixos"
        (made / "microvms").mkdir(parents=True)
        (made / "flake.nix").write_text("{}")
        (made / "microvms" / "web.toml").write_text("mem = 1\n")
        git(made, "init", "-q")
        yield made


def give(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def test_a_file_that_is_not_tracked_and_then_is(top: Path) -> None:
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository == (top, True, os.geteuid())
    assert repository is not None
    assert is_tracked(repository, path) is False

    track_file(repository, path)

    assert is_tracked(repository, path) is True
    assert git(top, "diff", "--name-only") == "microvms/web.toml\n"  # its content is not in the index
    track_file(repository, path)


def test_the_command_for_a_person_does_the_same(top: Path) -> None:
    path = top / "microvms" / "web.toml"
    subprocess.run(add_command(path), check=True)
    repository = repository_of(path)
    assert repository is not None
    assert is_tracked(repository, path) is True


def test_where_there_is_no_repository_or_no_flake(top: Path, tmp_path: Path) -> None:
    assert repository_of(tmp_path / "web.toml") is None
    (top / "flake.nix").rename(top / "microvms" / "no.nix")
    repository = repository_of(top / "microvms" / "web.toml")
    assert repository is not None
    assert not repository.flake


def test_a_link_into_the_repository(top: Path) -> None:
    link = top.parent / "web.toml"
    link.symlink_to(top / "microvms" / "web.toml")
    repository = repository_of(link)
    assert repository is not None
    assert is_tracked(repository, link) is False
    track_file(repository, link)
    assert is_tracked(repository, link) is True


@pytest.mark.parametrize("name", ["*.toml", ":(top)web.toml", "-x.toml", "a\nb.toml", "ü.toml"])
def test_a_name_is_a_name(name: str, top: Path) -> None:
    path = top / name
    path.write_text("mem = 1\n")
    repository = repository_of(path)
    assert repository is not None
    track_file(repository, path)
    assert is_tracked(repository, path) is True
    assert is_tracked(repository, top / "microvms" / "web.toml") is False


def test_an_ignored_file_is_told_in_gits_words(top: Path) -> None:
    (top / ".gitignore").write_text("*.toml\n")
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    with pytest.raises(MvtuiError, match=r"ignored by one of your \.gitignore files") as error:
        track_file(repository, path)
    assert "--force" in error.value.hint


@AS_ROOT
def test_another_users_repository_stays_that_users(top: Path) -> None:
    """What its configuration names runs with nobody's rights, if at all."""
    proof = top.parent / "proof"
    proof.mkdir()
    proof.chmod(0o777)
    program = top / "program"
    program.write_text(f"#!/bin/sh\nid -u >{proof}/$$\nexit 1\n")
    program.chmod(0o755)
    for hook in ("post-index-change", "pre-commit"):
        (top / ".git" / "hooks").mkdir(exist_ok=True)
        (top / ".git" / "hooks" / hook).symlink_to(program)
    git(top, "config", "core.fsmonitor", str(program))
    git(top, "config", "filter.x.clean", str(program))
    (top / ".gitattributes").write_text("*.toml filter=x\n")
    give(top)
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    assert is_tracked(repository, path) is False

    track_file(repository, path)

    assert is_tracked(repository, path) is True
    assert (top / ".git" / "index").stat().st_uid == NOBODY
    assert [each.read_text() for each in proof.iterdir() if each.read_text() != f"{NOBODY}\n"] == []


@AS_ROOT
def test_without_rights_nobody_can_tell(top: Path) -> None:
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    with without_rights():
        assert is_tracked(repository, path) is None
        with pytest.raises(RightsMissingError, match="belongs to another user"):
            track_file(repository, path)


def test_no_git(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    assert is_tracked(repository, path) is None
    with pytest.raises(MvtuiError, match="there is no git here"):
        track_file(repository, path)


def test_a_damaged_repository(top: Path) -> None:
    (top / ".git" / "HEAD").unlink()
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    assert is_tracked(repository, path) is None
    with pytest.raises(MvtuiError, match="not a git repository"):
        track_file(repository, path)


def test_the_settings_of_who_runs_mvtui_are_not_read(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = top / "program"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (top / ".gitconfig").write_text(f"[core]\nfsmonitor = {program}\n")
    monkeypatch.setenv("HOME", str(top))
    path = top / "microvms" / "web.toml"
    repository = repository_of(path)
    assert repository is not None
    assert is_tracked(repository, path) is False
    assert not (top / "ran").exists()

"""Whether git knows a file, which is whether Nix sees it in a flake; and to let git know it.

git runs programs that a repository's configuration names: as root it would run another's. So it runs with the rights of
who owns the repository, and nothing of this user's own is read.
"""

import os
import pwd
import subprocess
from pathlib import Path
from typing import NamedTuple

from mvtui.errors import MvtuiError, RightsMissingError

_SECONDS = 10
_OPTIONS = ("--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SETTINGS = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Repository(NamedTuple):
    """The work tree that a file stands in; `flake`: there is a flake.nix in it, at or above the file. `uid` owns the
    repository."""

    top: Path
    flake: bool
    uid: int


def repository_of(path: Path) -> Repository | None:
    """The git repository of the file at `path`, behind links, whether or not the file is there; None where it is in
    none. Never raises."""
    directory = Path(os.path.realpath(path.parent))
    if path.is_symlink():
        directory = Path(os.path.realpath(path)).parent
    flake = False
    for each in (directory, *directory.parents):
        try:
            flake = flake or os.path.lexists(each / "flake.nix")
            status = os.lstat(each / ".git")
        except OSError:
            continue
        return Repository(each, flake, status.st_uid)
    return None


def is_tracked(repository: Repository, path: Path) -> bool | None:
    """Whether git knows the file at `path`; None where that can't be told (no git, another user's repository)."""
    try:
        done = _git(repository, ["ls-files", "--error-unmatch", "--", _real(path)], GIT_OPTIONAL_LOCKS="0")
    except MvtuiError:
        return None
    if done.returncode not in (0, 1):
        return None
    return done.returncode == 0


def add_command(path: Path) -> tuple[str, ...]:
    """What makes Nix see the file at `path`, for a person to type."""
    real = _real(path)
    return ("git", "-C", os.path.dirname(real), "add", "--intent-to-add", "--", real)


def track_file(repository: Repository, path: Path) -> None:
    """`git add --intent-to-add`: the file's name without its content. Raises RightsMissingError, MvtuiError."""
    done = _git(repository, ["add", "--intent-to-add", "--", _real(path)])
    if done.returncode != 0:
        words = done.stderr.strip().partition("\n")[0] or f"exit code {done.returncode}"
        raise MvtuiError(f"git does not track {path}: {words}", "git add --force, where .gitignore names it")


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _git(repository: Repository, words: list[str], **more: str) -> "subprocess.CompletedProcess[str]":
    own = os.geteuid()
    if own not in (0, repository.uid):
        raise RightsMissingError(
            f"the repository {repository.top} belongs to another user", "its owner can let git track the file, or root"
        )
    # A repository of root's needs nothing dropped; of another's everything is, groups too.
    drop = own == 0 and repository.uid != 0
    try:
        group = pwd.getpwuid(repository.uid).pw_gid
    except KeyError:  # files of a user that there is no more
        group = repository.uid
    try:
        return subprocess.run(
            ["git", "-C", os.fspath(repository.top), *_OPTIONS, *words],
            env={"PATH": os.environ.get("PATH", os.defpath), **_SETTINGS, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
            user=repository.uid if drop else None,
            group=group if drop else None,
            extra_groups=[] if drop else None,
        )
    except FileNotFoundError:
        raise MvtuiError("there is no git here", "install git, or track the file from where there is one") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise MvtuiError(f"git in {repository.top} gives no answer: {error}", "") from None

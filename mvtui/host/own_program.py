"""The command that starts this very mvtui again, later and as root: what root runs, root alone may choose."""

import os
import stat
import sys

from mvtui.errors import MvtuiError

# As many links as Linux follows in one path (path_resolution(7)).
_MAX_LINKS = 40


def own_argv() -> list[str]:
    """The words that start this mvtui; more words follow."""
    script = os.path.abspath(sys.argv[0])
    # -P: root must not import what lies in the working directory.
    return [script] if os.path.basename(script) == "mvtui" else [sys.executable, "-P", "-m", "mvtui"]


def lasting_argv() -> list[str]:
    """As `own_argv`, for a start that may come after an update: a name on PATH that leads to the same program (a
    profile of Nix, which follows the update) rather than what is behind it. Raises MvtuiError where others than root
    could change what would be run, if this process is root."""
    program, *words = own_argv()
    if not words:
        import shutil  # noqa: PLC0415 - no keeper needs it

        on_path = shutil.which("mvtui")
        if on_path is not None and os.path.isabs(on_path) and os.path.realpath(on_path) == os.path.realpath(program):
            program = on_path if os.geteuid() != 0 or root_decides(on_path) else os.path.realpath(program)
    if os.geteuid() == 0:
        _refuse_what_others_change(program)
    return [program, *words]


def _refuse_what_others_change(program: str) -> None:
    """The program, its Python, and every directory that has modules for it."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # no editable install needs sys.path
    places = [place for place in sys.path if os.path.isabs(place) and os.path.exists(place)]
    needed = [program, sys.executable, package, *places]
    for path in dict.fromkeys(needed):
        if not root_decides(path):
            raise MvtuiError(
                f"root would run {program} at the microVM's start, and others than root can change {path}",
                "install mvtui where root alone can write (NixOS: environment.systemPackages), and run that one",
            )


def root_decides(path: str) -> bool:
    """True where root alone decides what stands at the absolute `path`: it, all directories on the way and all links
    that lead there are root's, and nobody else may write them; in a sticky directory (/nix/store, /tmp) nobody else can
    replace what is root's."""
    todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
    done = ["/"]
    links = 0
    try:
        while True:
            here = done[-1]
            facts = os.lstat(here)
            sticky = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
            is_link = stat.S_ISLNK(facts.st_mode)
            if facts.st_uid != 0 or (facts.st_mode & 0o022 and not sticky and not is_link):
                return False
            if is_link:
                links += 1
                if links > _MAX_LINKS:
                    return False
                target = os.readlink(here)
                done = ["/"] if target.startswith("/") else done[:-1]
                todo += [part for part in reversed(target.split("/")) if part not in ("", ".")]
            if not todo:
                return True
            part = todo.pop()
            if part == "..":
                done = done[:-1] or done
            else:
                done.append(os.path.join(done[-1], part))
    except OSError:
        return False

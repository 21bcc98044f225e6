"""The themes' files: those that come with mvtui, the host's, the person's own."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.host.configuration import configuration_files
from mvtui.host.documents import DocumentError, parse, read_text
from mvtui.model.finding import Finding, Severity
from mvtui.model.positions import position_of, positions
from mvtui.model.theme import (
    AA,
    COLOURS,
    ThemeDefinition,
    Wrong,
    definition,
    faint,
    parent_of,
    unreadable,
    wrong_in,
    wrong_name,
)

# More files of one folder are not looked at.
_MOST = 100
# The largest one that is read, in bytes.
_LIMIT = 64 << 10
# What stands there is nobody's to change, and everybody's to read; home-manager(5) leads to it by links.
_NIX_STORE = "/nix/store/"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a theme's file: `place` is the key (`colours.text`), "" for all of it, `line` where it stands,
    if that is known. `usable`: the theme can be used all the same."""

    path: Path
    place: str
    line: int | None
    what: str
    fix: str = ""
    usable: bool = False

    @property
    def theme(self) -> str:
        """The theme's name."""
        return self.path.stem

    @property
    def words(self) -> str:
        """The key, and what is wrong with it."""
        return f"{self.place}: {self.what}" if self.place else self.what

    @property
    def short(self) -> str:
        """The file's name, the line, and what is wrong there, for one line."""
        where = f"{self.path.name}:{self.line}" if self.line is not None else self.path.name
        return f"{where}: {self.words}"

    @property
    def finding(self) -> Finding:
        """The same for the doctor, and for who checks the configuration."""
        where = f"{self.path}:{self.line}" if self.line is not None else str(self.path)
        what = f"{where}: {self.words}."
        if self.usable:
            return Finding(Severity.INFO, f"theme {self.theme}", "", what, "", self.fix)
        return Finding(
            Severity.WARNING, f"theme {self.theme}", "", what, f"Theme {self.theme} can't be used.", self.fix
        )


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes by name, and what is wrong with files of themes."""

    found: Mapping[str, ThemeDefinition] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def shipped_folder() -> Path:
    """Where mvtui's own are: beside the code in a wheel, at the top of a checkout (an editable install)."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def theme_folders() -> tuple[Path, ...]:
    """Where themes are, the one that counts more last: mvtui's own, and a folder beside each configuration file."""
    return (shipped_folder(), *[Path(path).parent / "themes" for path in configuration_files()])


def read_themes(folders: Sequence[Path] | None = None) -> Themes:
    """Every theme of these folders, of `theme_folders` by default. The last one of a name counts, and where that can't
    be used, the one before it. What is no file, a link (but into the Nix store), too large or somebody else's is a
    fault."""
    found: dict[str, ThemeDefinition] = {}
    faults: list[Fault] = []
    shipped: dict[str, ThemeDefinition] = {}
    for number, folder in enumerate(theme_folders() if folders is None else folders):
        for path in _files(folder, faults):
            try:
                table, text = _read(path, is_own=number > 0)
            except DocumentError as error:
                faults.append(Fault(path, "", error.line, error.expected, error.hint))
                continue
            # mvtui's own say all, and are there first.
            theme = _theme_of(path, table, text, shipped.get(parent_of(table)), faults)
            if theme is not None:
                found[path.stem] = theme
                faults.extend(_faintness(path, theme) if number > 0 else ())
        shipped = shipped or dict(found)
    return Themes(found, tuple(faults))


def _theme_of(
    path: Path, table: dict[str, Any], text: str, parent: ThemeDefinition | None, faults: list[Fault]
) -> ThemeDefinition | None:
    wrong = list(wrong_in(table))
    if not wrong and (missing := COLOURS.keys() - table.get("colours", {}).keys()) and parent is None:
        wrong = [Wrong("colours", f"lacks {', '.join(sorted(missing))}")]
    if not wrong:
        theme = definition(path.stem, table, parent)
        if not (wrong := list(unreadable(theme))):
            return theme
    faults.extend(_faults(path, text, wrong))
    return None


def _files(folder: Path, faults: list[Fault]) -> list[Path]:
    """The files of themes in `folder`, by name; a name that can't be one of a theme is a fault."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        faults.append(Fault(folder, "", None, (error.strerror or "can't be read").lower()))
        return []
    if len(names) > _MOST:
        faults.append(Fault(folder, "", None, f"of {len(names)} files, the first {_MOST} are read", usable=True))
    paths = []
    for name in names[:_MOST]:
        path = folder / name
        if why := wrong_name(path.stem):
            faults.append(Fault(path, "", None, why, "rename the file"))
        else:
            paths.append(path)
    return paths


def _read(path: Path, *, is_own: bool) -> tuple[dict[str, Any], str]:
    """The tables of a theme's file, and its text. Raises DocumentError."""
    text = _own_text(path) if is_own else read_text(path)
    if text is None:
        raise DocumentError(path, "it is gone")
    return parse(path, text), text


def _own_text(path: Path) -> str | None:
    """The text of a file that a person has put there. Raises DocumentError, also for one that mvtui, which may be root,
    does not read for this person: a message would say what the person may not see."""
    try:
        place = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise DocumentError(path, (error.strerror or "can't be read").lower()) from None
    try:
        status = os.fstat(place)
        if stat.S_ISLNK(status.st_mode):
            target = os.path.realpath(path)
            if not target.startswith(_NIX_STORE):
                raise DocumentError(path, "it is a link", "mvtui reads a file, or a link into the Nix store")
            return read_text(Path(target))
        _refuse(path, status)
        # The very file that was looked at, whatever has its name by now.
        return read_text(Path(f"/proc/self/fd/{place}"))
    finally:
        os.close(place)


def _refuse(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DocumentError(path, "it is no regular file", "a theme is a file: NAME.toml")
    if status.st_size > _LIMIT:
        raise DocumentError(
            path, f"it is larger than {_LIMIT >> 10} KiB", "a theme has one or two; is it another file?"
        )
    # Whoever has become root by sudo(8) is the same person.
    person = os.environ.get("SUDO_UID", str(os.geteuid()))
    if str(status.st_uid) not in ("0", str(os.geteuid()), person):
        raise DocumentError(path, f"it belongs to user {status.st_uid}", "chown it, or remove it")
    if str(status.st_uid) != person and not status.st_mode & stat.S_IROTH:
        raise DocumentError(path, "root alone may read it", "chmod a+r, or remove it")


def _faults(path: Path, text: str, wrong: Sequence[Wrong]) -> list[Fault]:
    known = positions(text)
    return [
        Fault(path, one.place, where.line if (where := position_of(one.place, known)) else None, one.what, one.fix)
        for one in wrong
    ]


def _faintness(path: Path, theme: ThemeDefinition) -> list[Fault]:
    """What is hard to read in it, in one."""
    found = faint(theme)
    if not found:
        return []
    ratio, text, background = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    what = f"contrast {ratio:.1f} to {background}{more}"
    return [Fault(path, f"colours.{text}", None, what, f"{AA} is what text needs (WCAG AA)", usable=True)]


def theme_findings(folders: Sequence[Path] | None = None) -> tuple[Finding, ...]:
    """What is wrong with the themes' files, for who checks the configuration."""
    return tuple(fault.finding for fault in read_themes(folders).faults)


def require(themes: Themes, name: str) -> ThemeDefinition:
    """The theme of that name, which comes with mvtui. Raises MvtuiError where it does not."""
    theme = themes.found.get(name)
    if theme is None:
        raise MvtuiError(f"there is no usable theme {name!r} in {shipped_folder()}", "install mvtui again")
    return theme

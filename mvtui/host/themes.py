"""The themes' files: those that come with mvtui, the host's, the person's own."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mvtui.errors import MvtuiError
from mvtui.host.configuration_files import configuration_files
from mvtui.model.finding import Finding, Severity
from mvtui.model.nearest import did_you_mean
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
    def where(self) -> str:
        """The file, and the line."""
        return f"{self.path}:{self.line}" if self.line is not None else str(self.path)

    @property
    def finding(self) -> Finding:
        """The same for the doctor."""
        what = f"{self.where}: {self.words}."
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

    @property
    def names(self) -> tuple[str, ...]:
        """Of all, also of those that can't be used."""
        broken = {fault.theme for fault in self.faults if fault.path.suffix == ".toml" and not wrong_name(fault.theme)}
        return tuple(sorted({*self.found, *broken}))

    def unusable(self, name: str) -> Fault | None:
        """What is wrong with the theme of that name, None where it can be used or there is none."""
        faults = (fault for fault in self.faults if fault.theme == name and not fault.usable)
        return None if name in self.found else next(faults, None)

    def meant(self, name: str) -> str:
        """What is right instead of the name of no theme."""
        return did_you_mean(name, self.names) or f"there are {', '.join(sorted(self.found))}"


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
            read = _read(path, is_own=number > 0)
            if isinstance(read, Fault):
                faults.append(read)
                continue
            table, text = read
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


def _read(path: Path, *, is_own: bool) -> tuple[dict[str, Any], str] | Fault:
    """The tables of a theme's file, and its text; what is wrong where it can't be read."""
    if is_own:
        from mvtui.host.theme_file import DocumentError, read_theme  # noqa: PLC0415  (most people have none)

        try:
            return read_theme(path)
        except DocumentError as error:
            return Fault(path, "", error.line, error.expected, error.hint)
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except (OSError, ValueError) as error:
        return Fault(path, "", None, str(error), "install mvtui again")


def _faults(path: Path, text: str, wrong: Sequence[Wrong]) -> list[Fault]:
    from mvtui.model.positions import position_of, positions  # noqa: PLC0415  (most files are right)

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


def require(themes: Themes, name: str) -> ThemeDefinition:
    """The theme of that name, which comes with mvtui. Raises MvtuiError where it does not."""
    theme = themes.found.get(name)
    if theme is None:
        raise MvtuiError(f"there is no usable theme {name!r} in {shipped_folder()}", "install mvtui again")
    return theme

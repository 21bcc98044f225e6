"""The colours, from `themes/*.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT = "dark"
LIGHT = "light"
TERMINAL = "terminal"

_BASE = frozenset(("primary", "foreground", "background", "surface", "panel"))


@dataclass(frozen=True, slots=True)
class FailedTheme:
    """A theme that could not be used: its file, and why."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Themes:
    """The themes by name, and those that could not be used."""

    loaded: Mapping[str, Theme]
    failed: tuple[FailedTheme, ...] = ()


def folder() -> Path:
    """Where the themes are: beside the code in a wheel, at the top of a checkout (an editable install)."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def load(directory: Path | None = None) -> Themes:
    """Every theme of `directory`. One that lacks a `vm-…` variable that another has is a failed one: with it, the
    style sheets could not be read."""
    tables: dict[Path, dict[str, object]] = {}
    failed: list[FailedTheme] = []
    for path in sorted((directory or folder()).glob("*.toml")):
        try:
            tables[path] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            failed.append(FailedTheme(path, str(error)))
    known = frozenset[str]().union(*(_section(table, "variables") for table in tables.values()))
    wanted = {name for name in known if name.startswith("vm-") and not name.endswith("-style")}
    loaded: dict[str, Theme] = {}
    for path, table in tables.items():
        base, variables = _section(table, "base"), _section(table, "variables")
        colours = [*base.values(), *(value for name, value in variables.items() if not name.endswith("-style"))]
        missing = sorted({*(wanted - variables.keys()), *(_BASE - base.keys())})
        if missing:
            failed.append(FailedTheme(path, f"lacks {', '.join(missing)}"))
        elif unknown := [colour for colour in colours if not _is_colour(colour)]:
            failed.append(FailedTheme(path, f"no colour: {', '.join(unknown)}"))
        else:
            flags = {flag: table.get(flag) is True for flag in ("dark", "ansi")}
            loaded[path.stem] = Theme(name=path.stem, variables=variables, **flags, **base)  # type: ignore[arg-type]
    return Themes(loaded, tuple(failed))


def _is_colour(text: str) -> bool:
    try:
        Color.parse(text)
    except ColorParseError:
        return False
    return True


def _section(table: dict[str, object], name: str) -> dict[str, str]:
    value = table.get(name)
    return {str(key): str(one) for key, one in value.items()} if isinstance(value, dict) else {}

"""What a person has chosen for every run: in `/etc/mvtui/config.toml`, in their own directory, in the environment.

Without a file this costs `mvtui list` two looks at the disk; with one, tomllib and no pydantic.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.configuration_files import configuration_files
from mvtui.model.settings import OPTIONS, Chosen, Kind, Layer, SourceKind, choose, is_right, of_text, takes

# What goes on where a file is wrong.
NO_FILES = "--no-config"
# The place of what is wrong with a variable.
ENVIRONMENT = "environment"

# A configuration has a few KiB.
_LIMIT = 1 << 20


class Problem(NamedTuple):
    """Something that is wrong with what was chosen: `place` is `FILE`, `FILE:LINE` or ENVIRONMENT; `what` says what,
    `fix` what would mend it."""

    place: str
    what: str
    fix: str


class ConfigurationError(MvtuiError):
    """What was chosen can't be used; exit code 78."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more: mvtui config shows all)" if len(problems) > 1 else ""
        bypass = f"; mvtui {NO_FILES} … goes without configuration files" if first.place != ENVIRONMENT else ""
        super().__init__(f"{first.place}: {first.what}{more}", first.fix + bypass, ExitCode.CONFIG)
        self.problems = tuple(problems)


class Read(NamedTuple):
    """What files and the environment say: what is right as layers, of which the later counts more; what is not as
    problems."""

    layers: tuple[Layer, ...]
    problems: tuple[Problem, ...]


def read_configuration(files: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> Read:
    """What is chosen in `files` (by default `configuration_files`) and `environ` (by default this process's). Raises
    nothing: what can't be read is a problem."""
    layers: list[Layer] = []
    problems: list[Problem] = []
    for path in configuration_files() if files is None else files:
        if _is_there(path):
            layer, wrong = _read_file(path)
            layers.append(layer)
            problems += wrong
    layer, wrong = _read_environment(os.environ if environ is None else environ)
    return Read((*layers, layer), (*problems, *wrong))


def chosen(read: Read, flags: Mapping[str, object], *, lenient: bool = False) -> Chosen:
    """What counts, with the command line's `flags` (values by the options' names) over all else. Raises
    ConfigurationError where anything in `read` is wrong; `lenient`: what is right counts all the same."""
    if read.problems and not lenient:
        raise ConfigurationError(read.problems)
    return choose((*read.layers, Layer(SourceKind.FLAG, _with_whole_paths(flags))))


def _is_there(path: str) -> bool:
    """Whether a file may be there. Not to be allowed to look is not that there is none; but a home that may not be
    entered (runuser(1) keeps HOME) is somebody else's."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        return path == configuration_files()[0]
    except OSError:
        return True
    return True


def _read_file(path: str) -> tuple[Layer, list[Problem]]:
    from mvtui.host.documents import DocumentError, parse, read_text  # noqa: PLC0415 (only where there is a file)

    nothing = Layer(SourceKind.FILE, {}, path)
    try:
        text = read_text(Path(path), owners=_owners())
        if text is None:
            return nothing, [Problem(path, "a link that leads nowhere", "mend or remove it")]
        values = parse(Path(path), text)
    except DocumentError as error:
        place = f"{path}:{error.line}" if error.line is not None else path
        return nothing, [Problem(place, error.expected, error.hint or "mend or remove it")]
    problems: list[Problem] = []
    if not is_right(values):
        values, problems = _sorted_out(path, text, values)
    return Layer(SourceKind.FILE, _with_whole_paths(values), path, text), problems


def _sorted_out(path: str, text: str, values: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """What of `values` is right, and what is wrong with the rest."""
    from mvtui.model.positions import position_of, positions  # noqa: PLC0415
    from mvtui.model.settings_types import wrong_in  # noqa: PLC0415

    known = positions(text)
    problems: list[Problem] = []
    wrong_names: set[str | int] = set()
    for wrong in wrong_in(values):
        position = position_of(wrong.place, known)
        problems.append(Problem(f"{path}:{position.line}" if position else path, wrong.what, wrong.fix))
        wrong_names.add(wrong.keys[0])
    return {name: value for name, value in values.items() if name not in wrong_names}, problems


def _owners() -> tuple[int, ...]:
    """Whose files are taken: root's and the person's. Whoever has become root by sudo(8) is the same person."""
    sudo = os.environ.get("SUDO_UID", "")
    return (0, os.geteuid(), *((int(sudo),) if sudo.isdecimal() else ()))


def _read_environment(environ: Mapping[str, str]) -> tuple[Layer, list[Problem]]:
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for option in OPTIONS:
        # An empty variable is as good as none.
        if option.variable and (text := environ.get(option.variable, "")):
            value = of_text(option, text)
            if takes(option, value):
                values[option.name] = value
            else:
                example = option.example.strip('"')
                what = f"{option.variable} is {option.expected}, not {text!r}"
                problems.append(Problem(ENVIRONMENT, what, f"{option.variable}={example}"))
    return Layer(SourceKind.VARIABLE, _with_whole_paths(values)), problems


def _with_whole_paths(values: Mapping[str, object]) -> dict[str, Any]:
    """`values` with paths from the root on, without `//`, `..` and a slash at the end."""
    found: dict[str, Any] = dict(values)
    for option in OPTIONS:
        if option.kind is Kind.PATH and option.name in found:
            try:
                found[option.name] = os.path.abspath(found[option.name])
            except FileNotFoundError:
                begins = "begins in a working directory that is gone"
                raise MvtuiError(f"{found[option.name]} {begins}", "name its whole path") from None
    return found

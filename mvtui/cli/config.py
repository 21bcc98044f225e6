"""`mvtui config`: what counts and where it comes from; `--init` writes a file of all that can be chosen."""

import argparse
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mvtui.cli.chosen_keys import key_lines, key_notes, key_problems
from mvtui.cli.columns import aligned
from mvtui.cli.output import Json, write_json, write_lines
from mvtui.cli.report import SCHEMA
from mvtui.cli.settled import flags_of, problem_words, read_of
from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.archive import write_new
from mvtui.host.configuration import Problem, Read, chosen
from mvtui.host.configuration_files import configuration_files
from mvtui.host.themes import Themes, read_themes
from mvtui.model.nearest import nearest
from mvtui.model.positions import Position, position_of, positions
from mvtui.model.settings import BY_NAME, OPTIONS, Chosen, Layer, SourceKind
from mvtui.model.settings_text import configuration_text, toml_value
from mvtui.model.text import clean
from mvtui.model.theme import AUTO
from mvtui.operations.hosts import definitions_of

_PREFIX = "MVTUI_"


class _Row(NamedTuple):
    """One value: `place` is the file with its line, the variable or the flag that says it, "" for a default."""

    name: str
    value: object
    source: SourceKind
    place: str


def run_config(args: argparse.Namespace) -> int:
    """Show, print or write it; the exit code, CONFIG where something in it is wrong. Raises MvtuiError."""
    if args.json and (args.init or args.print):
        raise MvtuiError("--json goes without --init and --print", "see mvtui config --help", ExitCode.USAGE)
    if args.system and not args.init:
        raise MvtuiError("--system goes with --init", "mvtui config --init --system", ExitCode.USAGE)
    if args.print:
        write_lines(configuration_text(key_lines()).splitlines())
        return ExitCode.OK
    read = read_of(args)
    counts = chosen(read, flags_of(args), lenient=True)
    read = read._replace(problems=(*read.problems, *key_problems(counts)))
    if args.init:
        if flags_of(args).get("read_only"):  # what files say of the host does not hold for a person's own choice
            raise MvtuiError("config --init is refused: --read-only", "leave --read-only out", ExitCode.REFUSED)
        write_lines([f"written: {_init(system=args.system)}, with every option commented out"])
        return ExitCode.OK
    files = () if getattr(args, "no_config", False) else configuration_files()
    themes = read_themes()
    problems = (*read.problems, *_theme_problems(counts, themes))
    notes = [
        *_notes(),
        *key_notes(counts),
        *[f"{fault.where}: {fault.words} ({fault.fix})" for fault in themes.faults if fault.usable],
    ]
    if args.json:
        write_json(_document(counts, _files(read, files), problems, notes))
    else:
        write_lines([clean(line) for line in _lines(counts, _files(read, files), problems, notes)])
    return ExitCode.CONFIG if problems else ExitCode.OK


def _init(*, system: bool) -> str:
    """Write the file, which must not be there yet; its path. Raises RightsMissingError, MvtuiError."""
    if not system and os.geteuid() == 0 and os.environ.get("SUDO_UID", "0") != "0":
        hint = "mvtui config --init, as yourself; for the host: mvtui config --init --system"
        raise MvtuiError("your own configuration is not written by root", hint, ExitCode.REFUSED)
    path = configuration_files()[0 if system else 1]
    if os.path.lexists(path):
        hint = "mvtui config --print shows what would be written"
        raise MvtuiError(f"{path} is there already, and stays as it is", hint, ExitCode.REFUSED)
    folder = os.path.dirname(path)
    # XDG Base Directory Specification: what is not there "should be created with permission 0700".
    before = os.umask(0o022 if system else 0o077)
    try:
        os.makedirs(folder, exist_ok=True)
    except PermissionError:
        raise RightsMissingError(f"{folder} can't be made", "run it as root, or without --system") from None
    except OSError as error:
        raise MvtuiError(f"{folder} can't be made: {(error.strerror or '').lower()}") from None
    finally:
        os.umask(before)
    write_new(Path(path), configuration_text(key_lines()).encode(), mode=0o644)
    return path


def _rows(counts: Chosen) -> Iterator[_Row]:
    """Every option, of the keys every command that has own ones."""
    settings = counts.settings
    for option in OPTIONS:
        if option.name == "keys":
            yield from (_row(f"keys.{command}", list(keys), counts) for command, keys in settings.keys.items())
        elif option.name == "definitions" and settings.definitions is None:
            yield _row(option.name, str(definitions_of(Path(settings.state_dir), Path(counts.host_state_dir))), counts)
        else:
            yield _row(option.name, getattr(settings, option.name), counts)


def _row(name: str, value: object, counts: Chosen) -> _Row:
    layer = counts.sources.get(name)
    return _Row(name, value, layer.kind if layer is not None else SourceKind.DEFAULT, _place(name, layer))


def _place(name: str, layer: Layer | None) -> str:
    if layer is None:
        return ""
    if layer.kind is SourceKind.FILE:
        position = position_of(name, _positions(layer.text))
        return f"{layer.path}:{position.line}" if position is not None else layer.path
    if layer.kind is SourceKind.VARIABLE:
        return BY_NAME[name].variable
    return "--no-read-only" if name == "read_only" and not layer.values[name] else BY_NAME[name].flag


@cache
def _positions(text: str) -> dict[str, Position]:
    return positions(text)


def _notes() -> list[str]:
    """Variables that look as if they were meant for mvtui."""
    known = [option.variable for option in OPTIONS if option.variable]
    strange = [name for name in sorted(os.environ) if name.startswith(_PREFIX) and name not in known]
    return [
        f"{name} is no variable of mvtui's" + (f" (did you mean {near}?)" if (near := nearest(name, known)) else "")
        for name in strange
    ]


def _theme_problems(counts: Chosen, themes: Themes) -> Iterator[Problem]:
    """Themes that can't be used, and a theme that is chosen and not there: the panel opens, with another."""
    for fault in themes.faults:
        if not fault.usable:
            yield Problem(fault.where, fault.words, fault.fix or "mend or remove it")
    wanted = counts.settings.theme
    if wanted != AUTO and wanted not in themes.found and themes.unusable(wanted) is None:
        yield Problem(_place("theme", counts.sources["theme"]), f"there is no theme {wanted!r}", themes.meant(wanted))


def _files(read: Read, files: Sequence[str]) -> list[tuple[str, str]]:
    """Each file and what came of it: read, none, wrong."""
    there = {layer.path for layer in read.layers}
    wrong = {path for path in files for problem in read.problems if problem.place.startswith(path)}
    return [(path, "wrong" if path in wrong else "read" if path in there else "none") for path in files]


def _lines(
    counts: Chosen, files: Sequence[tuple[str, str]], problems: Sequence[Problem], notes: Sequence[str]
) -> Iterator[str]:
    rows = [(row.name, toml_value(row.value), row.place or row.source.value) for row in _rows(counts)]
    yield from aligned([("OPTION", "VALUE", "FROM"), *rows])
    yield ""
    yield from aligned([("FILE", ""), *files]) if files else ("no configuration files: --no-config",)
    for title, words in (("Wrong", map(problem_words, problems)), ("Note", notes)):
        for each in words:
            yield f"{title}: {each}"


def _document(
    counts: Chosen, files: Sequence[tuple[str, str]], problems: Sequence[Problem], notes: Sequence[str]
) -> Json:
    return {
        "schema": SCHEMA,
        "files": [{"path": path, "state": state} for path, state in files],
        "options": [
            {"name": row.name, "value": row.value, "source": row.source.value, "place": row.place or None}
            for row in _rows(counts)
        ],
        "problems": [problem._asdict() for problem in problems],
        "notes": list(notes),
    }

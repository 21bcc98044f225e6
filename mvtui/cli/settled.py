"""What counts for this run: files, environment, and over them the flags of the command line."""

import argparse

from mvtui.cli.output import say
from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.configuration import Problem, Read, chosen, read_configuration
from mvtui.model.settings import OPTIONS, Chosen, Settings, SourceKind
from mvtui.model.text import clean

# Where an option has another name on the command line.
_NAMES = {"ssh_user": "user"}


def chosen_of(args: argparse.Namespace) -> Chosen:
    """What counts for `args`, read once. Raises ConfigurationError where something is wrong with it.

    Not so of what systemd runs for an armed reset: that was agreed to, and a slip in a file must not keep a microVM
    from starting. It says what is wrong, goes on with what is right, and is read-only by its own flag alone.
    """
    known: Chosen | None = getattr(args, "chosen", None)
    if known is None:
        read = read_of(args)
        flags = flags_of(args)
        lenient = getattr(args, "if_armed", False) or getattr(args, "free", False)
        if lenient:
            for problem in read.problems:
                say(f"mvtui: {problem_words(problem)}")
            flags = {"read_only": False, **flags}
        known = args.chosen = chosen(read, flags, lenient=lenient)
    return known


def refuse_read_only(args: argparse.Namespace, counts: Chosen) -> None:
    """Raises MvtuiError where nothing may be changed."""
    if not counts.settings.read_only:
        return
    source = counts.sources["read_only"]
    if source.kind is SourceKind.FLAG:
        raise MvtuiError(f"{args.verb} is refused: --read-only", "leave --read-only out", ExitCode.REFUSED)
    said = source.path or "MVTUI_READ_ONLY"
    raise MvtuiError(f"{args.verb} is refused: read_only in {said}", "--no-read-only allows it", ExitCode.REFUSED)


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings of `chosen_of`."""
    return chosen_of(args).settings


def read_of(args: argparse.Namespace) -> Read:
    """What files and the environment say; with `--no-config` the environment alone."""
    return read_configuration(()) if getattr(args, "no_config", False) else read_configuration()


def flags_of(args: argparse.Namespace) -> dict[str, object]:
    """What the command line says, by the options' names."""
    said = vars(args)
    names = {option.name: _NAMES.get(option.name, option.name) for option in OPTIONS}
    values = {name: said[attribute] for name, attribute in names.items() if said.get(attribute) is not None}
    return {name: str(value) if name in ("state_dir", "definitions") else value for name, value in values.items()}


def bypass_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The flags that say what files must not: a command for the same host (by sudo, for an armed reset) needs them."""
    flags = vars(args)
    no_config = ("--no-config",) if flags.get("no_config") else ()
    return (*no_config, "--no-read-only") if flags.get("read_only") is False else no_config


def problem_words(problem: Problem) -> str:
    """A problem on one line."""
    return clean(f"{problem.place}: {problem.what} ({problem.fix})")

"""mvtui(1), made from the parser and the panel's commands, in the macros of man(7)."""

import argparse
import re
from collections.abc import Iterable, Iterator

from mvtui import __version__
from mvtui.cli.arguments import VERBS, build_parser, options
from mvtui.cli.parser import Parser
from mvtui.errors import ExitCode
from mvtui.model.settings import OPTIONS, Kind
from mvtui.ui.commands import ALL_COMMANDS
from mvtui.ui.keys import key_labels

_INTRODUCTION = """\
mvtui shows every microVM of a microvm.nix host with its true state, told from its directory, its systemd units, its
live processes and its shares together. It says what is wrong, since when, why, and what mends it. It starts, stops and
restarts microVMs, resets their writable store overlays, grows their images, and edits their definition files.

Without a verb it opens the panel, for which it needs a terminal; ? shows the keys that work where you are.
"""
_OF_ALL = (
    "The options above may also stand behind the verb, but for those of the panel: {panel}. "
    "Of several microVMs the exit code is the greatest."
)
_OF_CONFIGURATION = (
    "Each of these may stand in a configuration file, which is TOML; what counts more comes later: "
    "/etc/mvtui/config.toml, ~/.config/mvtui/config.toml, the environment, the command line. "
    "mvtui config shows what counts and who says it."
)
_OF_KEYS = "These are the keys of the panel where nothing else is configured."
_FILES = {
    "/var/lib/microvms": "The microVMs, a directory each (microvm.stateDir).",
    "/etc/nixos/microvms/NAME.toml": "The definition file of a microVM, where nothing else is configured.",
    "/etc/mvtui/config.toml": "The host's configuration.",
    "~/.config/mvtui/config.toml": "Your own, which counts more.",
    "~/.config/mvtui/themes/NAME.toml": "Your own themes.",
    "/var/lib/mvtui": "What mvtui keeps as root: its history, former texts of definition files, what is armed.",
}
_ENVIRONMENT = {
    "NO_COLOR": "No colours, whatever the terminal has.",
    "XDG_CONFIG_HOME": "Where your own configuration is, instead of ~/.config.",
    "VISUAL, EDITOR": "The editor for definition files.",
    "TERM": "Where it is dumb there is no panel.",
}
_EXIT_STATUS = {code: f"{code.meaning[0].upper()}{code.meaning[1:]}." for code in ExitCode}
# Of the last change that a reader has to know.
_DATE = "2026-11-26"
_SEE_ALSO = "systemctl(1), journalctl(1), virtiofsd(1), qemu(1), nix(1)"


def manual() -> str:
    """The text of mvtui.1."""
    parser = build_parser()
    panel = _of_the_panel(parser)
    common = {option for action in parser._actions for option in action.option_strings} - {*panel}
    lines = [
        '.\\" Made by python -m tests.package.renew from what mvtui --help says.',
        f'.TH MVTUI 1 {_DATE} "mvtui {__version__}" "User Commands"',
        *_section("Name", ["mvtui \\- control panel in the terminal for the microVMs of a microvm.nix host"]),
        *_section("Synopsis", _synopsis(parser, set())),
        *_section("Description", _paragraphs(_INTRODUCTION)),
        *_section("Options", _terms(_entries(parser._actions))),
        *_section("Commands", _words(_OF_ALL.format(panel=", ".join(panel)))),
    ]
    for verb, own in _verbs(parser):
        lines += [f".SS {_text(f'mvtui {verb}')}", *_synopsis(own, common), ".PP", *_words(own.description or "")]
        lines += _terms(_entries(own._actions, common))
        lines += _examples((own.epilog or "").removeprefix("examples:\n"))
    lines += _section("Keys", [*_words(_OF_KEYS), *_keys()])
    lines += _section("Configuration", [*_words(_OF_CONFIGURATION), *_terms(_configuration())])
    lines += _section("Exit status", _terms((str(int(code)), _EXIT_STATUS[code]) for code in ExitCode))
    lines += _section("Files", _terms(_FILES.items()))
    lines += _section("Environment", _terms([*_variables(), *_ENVIRONMENT.items()]))
    lines += _section("Examples", _examples((parser.epilog or "").partition("\n\n")[0].removeprefix("examples:\n"))[1:])
    lines += _section("See also", _words(_SEE_ALSO))
    return "\n".join(lines) + "\n"


def _verbs(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    (found,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    yield from ((verb, found.choices[verb]) for verb in VERBS)


def _of_the_panel(parser: Parser) -> list[str]:
    return [option for option in options(parser, None) if option not in {*options(parser, "show"), "--version"}]


def _configuration() -> Iterator[tuple[str, str]]:
    for option in OPTIONS:
        default = "" if option.default is None or option.kind is Kind.KEYS else f" By default {_toml(option.default)}."
        yield option.name, f"{option.words} It is {option.expected}.{default} Example: {option.name} = {option.example}"


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _variables() -> Iterator[tuple[str, str]]:
    for option in OPTIONS:
        if option.variable:
            yield option.variable, f"{option.name} of the configuration."


def _keys() -> list[str]:
    """As the panel's help has them, with what needs the screen's width left out."""
    lines: list[str] = []
    for group in dict.fromkeys(command.group for command in ALL_COMMANDS):
        commands = [command for command in ALL_COMMANDS if command.group == group]
        entries = [(key_labels(command.keys), command.help.replace(", for KEYS", "")) for command in commands]
        lines += [f".SS {group}", *_terms(entries)]
    return lines


def _synopsis(parser: argparse.ArgumentParser, without: set[str]) -> list[str]:
    """How it is called. argparse's own words for it differ from one Python to the next."""
    parts = [rf"\fB{_text(parser.prog)}\fR"]
    own = [action for action in parser._actions if not without.issuperset(action.option_strings or "?")]
    exclusive = parser._mutually_exclusive_groups
    for group in exclusive:
        words = " | ".join(_invocation(action, long=True) for action in group._group_actions)
        parts.append(f"({words})" if group.required else f"[{words}]")
    grouped = {id(action) for group in exclusive for action in group._group_actions}
    parts += [
        f"[{_invocation(action, long=True)}]"
        for action in own
        if action.option_strings and id(action) not in grouped and action.dest != "help"
    ]
    for action in own:
        if isinstance(action, argparse._SubParsersAction):
            parts.append(r"[\fIVERB\fR ...]")
        elif not action.option_strings:
            word = _value(action)
            several = {"*": f"[{word} ...]", "+": f"{word} ...", "?": f"[{word}]"}
            parts.append(several.get(str(action.nargs), word))
    return [" ".join(parts)]


def _entries(actions: Iterable[argparse.Action], without: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    left_out = {"-h", *without}
    for action in actions:
        if action.option_strings and not left_out.intersection(action.option_strings):
            words = (action.help or "").replace("%%", "%")
            if action.choices is not None:
                words += f" ({', '.join(map(str, action.choices))})"
            yield _invocation(action), words[:1].upper() + words[1:] + "."


def _invocation(action: argparse.Action, *, long: bool = False) -> str:
    names: list[str] = [*action.option_strings]
    if long:
        names = [name for name in names if name.startswith("--")][:1] or names[:1]
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return ", ".join(rf"\fB{_text(name)}\fR{value}" for name in names)


def _value(action: argparse.Action) -> str:
    return rf"\fI{_text(str(action.metavar or action.dest.upper()))}\fR"


def _section(name: str, lines: Iterable[str]) -> list[str]:
    return [f".SH {name.upper()}", *lines]


def _terms(entries: Iterable[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for term, words in entries:
        lines += [".TP", term if "\\f" in term else rf"\fB{_text(term)}\fR", *_words(words)]
    return lines


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        lines += [".PP", *_words(paragraph.replace("\n", " "))]
    return lines[1:]


def _words(text: str) -> list[str]:
    """A sentence a line, as roff wants it."""
    return [_text(sentence) for sentence in re.split(r"(?<=[.?!]) (?=[A-Z])", text)]


def _examples(text: str) -> list[str]:
    """Commands as they stand; what is below a blank line is prose."""
    commands, _, prose = text.partition("\n\n")
    lines = [".PP", ".EX", *(_text(line) for line in commands.splitlines()), ".EE"]
    return lines + ([".PP", *_words(prose.replace("\n", " "))] if prose else [])


def _text(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = text.replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    text = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in text)
    return f"\\&{text}" if text.startswith(".") else text

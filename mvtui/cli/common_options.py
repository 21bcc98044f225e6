"""The options of the panel, and those that stand before or behind every verb."""

import argparse
from pathlib import Path

from mvtui.cli.parser import Parser
from mvtui.host.ports import DEFAULT_DEFINITIONS
from mvtui.model.settings import BY_NAME, DEFAULTS, LONGEST_INTERVAL, MANAGERS, SHORTEST_INTERVAL, SWITCHES, takes


def add_panel_options(parser: Parser) -> None:
    """Those that stand before a verb, or without one."""
    parser.add_argument(
        "--interval",
        type=seconds,
        metavar="SECONDS",
        help="how often to look where nothing tells of a change (default 2)",
    )
    parser.add_argument("--theme", type=_theme, metavar="NAME", help="the panel's colours (default: auto)")
    parser.add_argument("--ascii", choices=SWITCHES, help="whether mvtui keeps to ASCII")
    parser.add_argument("--mouse", choices=SWITCHES, help="whether the panel takes the mouse")


def common_options() -> Parser:
    """Options that stand before or behind the verb, where no defaults must undo what stood before: what is not said is
    not there."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help=f"where the microVMs are (microvm.stateDir; default {DEFAULTS.state_dir})",
    )
    common.add_argument(
        "--definitions",
        type=Path,
        metavar="DIR",
        help=f"where the definition files are, NAME.toml (default {DEFAULT_DEFINITIONS}, or the flake)",
    )
    common.add_argument(
        "--manager",
        choices=MANAGERS,
        help="who starts and stops: systemd, or mvtui itself (direct); auto takes systemd where it runs",
    )
    common.add_argument(
        "--read-only",
        action=argparse.BooleanOptionalAction,
        help="refuse everything that changes something",
    )
    common.add_argument(
        "--no-config", action="store_true", help="without configuration files, where one is wrong (see mvtui config)"
    )
    return common


def seconds(text: str) -> float:
    """How often to look. Raises argparse.ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes a number of seconds, not {text!r}") from None
    if not SHORTEST_INTERVAL <= value <= LONGEST_INTERVAL:
        raise argparse.ArgumentTypeError(f"takes {SHORTEST_INTERVAL} to {LONGEST_INTERVAL} seconds")
    return value


def _theme(text: str) -> str:
    if not takes(BY_NAME["theme"], text):
        raise argparse.ArgumentTypeError(f"takes {BY_NAME['theme'].expected}, not {text!r}")
    return text

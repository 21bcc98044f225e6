"""The options of verbs that have many."""

import argparse

from mvtui.model.log import LogSource

LOG_SOURCES = tuple(str(source) for source in LogSource)


def add_logs_options(own: argparse.ArgumentParser) -> None:
    """Of `logs`."""
    own.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until ^c")
    own.add_argument(
        "-n", "--lines", type=_count, metavar="N", help="the last N (default 50, with --since all since then)"
    )
    own.add_argument("--since", metavar="TIME", help='15m, 2h, 3d (ago), today, 12:30, "2026-08-01 12:30"')
    own.add_argument("--grep", metavar="PATTERN", help="what matches the regular expression; lower case means both")
    own.add_argument("--level", metavar="LEVEL", default="debug", help="this one and worse: err, warning, info, …")
    own.add_argument("--source", choices=LOG_SOURCES, help="what one of them says alone")


def add_reset_options(own: argparse.ArgumentParser) -> None:
    """Of `reset`."""
    how = own.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show what would be done, and what stands against it")
    how.add_argument("--discard", action="store_true", help="free what was set aside instead, for good")
    how.add_argument("--free", action="store_true", help="only free what is older than the newest set aside, and wait")
    how.add_argument("--if-armed", action="store_true", help="only what mvtui arm asked for; never fails, but says why")
    own.add_argument("--strict", action="store_true", help="with --if-armed: exit with 3 or 1 where it was not reset")
    own.add_argument("--yes", action="store_true", help="do not ask")
    own.add_argument(
        "--image", metavar="IMAGE", help="the volume that is the overlay, where no stage tells which; it is remembered"
    )


def add_arm_options(own: argparse.ArgumentParser) -> None:
    """Of `arm`."""
    how = own.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="before its next start")
    how.add_argument("--always", action="store_true", help="before every start")
    how.add_argument("--off", action="store_true", help="not any more")
    own.add_argument("--strict", action="store_true", help="a reset that is refused keeps it from starting")
    own.add_argument(
        "--persistent", action="store_true", help="in /etc/systemd/system, so that it outlives a reboot of the host"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 10_000_000:
        raise argparse.ArgumentTypeError(f"takes a number of lines, not {text!r}")
    return int(text)

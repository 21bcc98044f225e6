"""The options of verbs that have many."""

import argparse

from mvtui.cli.common_options import seconds
from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.settings import DEFAULTS

# LogSource's, without the time that it takes to import.
LOG_SOURCES = ("guest", "virtiofsd", "interfaces", "install", "systemd", "mvtui")


def _add_list_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("names", metavar="NAME", nargs="*", help="these alone")
    own.add_argument("--cpu", action="store_true", help="with CPU %%, which takes a quarter of a second to measure")
    how = own.add_mutually_exclusive_group()
    how.add_argument("--closer", action="store_true", help="as closely as check and the panel: ask guests, read all")
    how.add_argument("--watch", action="store_true", help="then a line for each change, nothing written over, until ^c")
    # Before the verb it is the panel's, which this must not undo.
    own.add_argument(
        "--interval",
        dest="watch_interval",
        type=seconds,
        default=argparse.SUPPRESS,
        metavar="SECONDS",
        help="with --watch: how often to look where nothing tells of a change (default 2)",
    )


def settle_interval(args: argparse.Namespace) -> None:
    """What was said behind the verb counts as if before it. Raises MvtuiError where nothing is watched."""
    if "watch_interval" not in args:
        return
    if not args.watch:
        hint = "mvtui list --watch --interval SECONDS goes on and tells what changes"
        raise MvtuiError("--interval is for the panel and for --watch", hint, ExitCode.USAGE)
    args.interval = args.watch_interval


def _add_logs_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("-f", "--follow", action="store_true", help="go on with what comes, until ^c")
    own.add_argument(
        "-n", "--lines", type=_count, metavar="N", help="the last N (default 50, with --since all since then)"
    )
    own.add_argument("--since", metavar="TIME", help='15m, 2h, 3d (ago), today, 12:30, "2026-08-01 12:30"')
    own.add_argument("--grep", metavar="PATTERN", help="what matches the regular expression; lower case means both")
    own.add_argument("--level", metavar="LEVEL", default="debug", help="this one and worse: err, warning, info, …")
    own.add_argument("--source", choices=LOG_SOURCES, help="what one of them says alone")


def _add_reset_options(own: argparse.ArgumentParser) -> None:
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


def _add_arm_options(own: argparse.ArgumentParser) -> None:
    how = own.add_mutually_exclusive_group(required=True)
    how.add_argument("--once", action="store_true", help="before its next start")
    how.add_argument("--always", action="store_true", help="before every start")
    how.add_argument("--off", action="store_true", help="not any more")
    own.add_argument("--strict", action="store_true", help="a reset that is refused keeps it from starting")
    own.add_argument(
        "--persistent", action="store_true", help="in /etc/systemd/system, so that it outlives a reboot of the host"
    )


def _add_grow_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("image", metavar="IMAGE", help="as microvm.volumes.*.image has it")
    own.add_argument("size", metavar="SIZE", nargs="?", help="the new size: 4096 and 4096M are MiB, 4G, 1T")
    own.add_argument("--defined", action="store_true", help="the size in the definition file, else as it is built")
    own.add_argument("--mount", action="store_true", help="xfs, btrfs: mount it here for a moment, as root")
    own.add_argument("--dry-run", action="store_true", help="show what would be done, and what stands against it")
    own.add_argument("--yes", action="store_true", help="do not ask")


def _add_share_store_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("--dry-run", action="store_true", help="show what would change, and what stands against it")
    own.add_argument("--yes", action="store_true", help="do not ask")


def _add_make_writable_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("--size", type=_mib, metavar="MIB", help="of the volume; else as fits the disk")
    _add_share_store_options(own)


def _add_rebuild_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("--yes", action="store_true", help="do not ask")


def _add_ssh_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("name", metavar="NAME", nargs="?")
    own.add_argument("-l", "--user", metavar="USER", help=f"who logs in (default {DEFAULTS.ssh_user})")
    own.add_argument("--print", action="store_true", help="show the command, do not run it")


def _add_bundle_options(own: argparse.ArgumentParser) -> None:
    own.add_argument("-o", "--output", metavar="FILE", help="where to (default mvtui-NAME-DATE.tar.gz, here)")


def _add_config_options(own: argparse.ArgumentParser) -> None:
    how = own.add_mutually_exclusive_group()
    how.add_argument("--init", action="store_true", help="write your own file, with every option commented out")
    how.add_argument("--print", action="store_true", help="show what --init writes, write nothing")
    own.add_argument("--system", action="store_true", help="with --init: the host's, /etc/mvtui/config.toml")


def _mib(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000_000:
        raise argparse.ArgumentTypeError(f"takes a number of MiB, not {text!r}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 10_000_000:
        raise argparse.ArgumentTypeError(f"takes a number of lines, not {text!r}")
    return int(text)


# What adds the options of a verb, by verb.
OPTIONS = {
    "list": _add_list_options,
    "logs": _add_logs_options,
    "reset": _add_reset_options,
    "arm": _add_arm_options,
    "grow": _add_grow_options,
    "make-writable": _add_make_writable_options,
    "share-store": _add_share_store_options,
    "rebuild": _add_rebuild_options,
    "ssh": _add_ssh_options,
    "bundle": _add_bundle_options,
    "config": _add_config_options,
}

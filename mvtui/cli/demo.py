"""The verb `demo`: with the panel around it, or `--up` and `--down` for scripts."""

import argparse
import shlex
import sys

from mvtui.cli import early
from mvtui.demo.host import down, temporary, up
from mvtui.errors import ExitCode, MvtuiError
from mvtui.operations.hosts import open_host


def demo(args: argparse.Namespace) -> int:
    """Run it; the exit code of the panel, or 0."""
    if args.up is not None:
        made = up(args.up, _say)
        options = shlex.join(made.options)
        _say(made.real)
        sys.stdout.write(f"{options}\n")
        _say(f"reach it with: mvtui {options}, mvtui list {options} …; end it with: mvtui demo --down {args.up}")
        return ExitCode.OK
    if args.down is not None:
        down(args.down)
        return ExitCode.OK
    if not early.can_show_panel():
        raise MvtuiError("the demo's panel needs a terminal", "mvtui demo --up DIR builds the same host for scripts")
    from mvtui.ui.run import run_panel

    with temporary(_say) as made:
        return run_panel(open_host(made.state_dir, "direct"), read_only=args.read_only, interval=args.interval)


def _say(words: str) -> None:
    """To standard error, so that `--up` prints nothing but the options on standard output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()

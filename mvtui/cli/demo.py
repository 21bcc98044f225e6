"""The verb `demo`: with the panel around it, or `--up` and `--down` for scripts."""

import argparse
import shlex

from mvtui.cli import early
from mvtui.cli.output import say, write_lines
from mvtui.cli.settled import chosen_of, flags_of, settings_of
from mvtui.demo.host import down, temporary, up
from mvtui.errors import ExitCode, MvtuiError
from mvtui.operations.hosts import open_host


def demo(args: argparse.Namespace) -> int:
    """Run it; the exit code of the panel, or 0."""
    if args.up is not None:
        made = up(args.up, say)
        options = shlex.join(made.options)
        say(made.real)
        write_lines([options])
        say(f"reach it with: mvtui {options}, mvtui list {options} …; end it with: mvtui demo --down {args.up}")
        return ExitCode.OK
    if args.down is not None:
        down(args.down)
        return ExitCode.OK
    if not early.can_show_panel():
        raise MvtuiError("the demo's panel needs a terminal", "mvtui demo --up DIR builds the same host for scripts")
    from mvtui.cli.chosen_keys import keys_of
    from mvtui.cli.panel import open_panel

    # What is said of this machine's host is not meant for the demo's.
    settings = settings_of(args)._replace(read_only=bool(flags_of(args).get("read_only")))
    keys = keys_of(chosen_of(args))
    with temporary(say) as made:
        return open_panel(open_host(made.state_dir, "direct"), settings, keys)

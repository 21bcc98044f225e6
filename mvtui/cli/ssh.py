"""`mvtui ssh NAME`: what is missing is said; else this process becomes ssh."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from mvtui.cli.looking import host_of, look_at_one
from mvtui.cli.output import write_lines
from mvtui.cli.settled import settings_of
from mvtui.errors import ExitCode, MvtuiError
from mvtui.model.text import clean
from mvtui.operations.into import find_login

# Python ignores them, and a program that takes its place would inherit that.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)


def login_of(words: Sequence[str]) -> tuple[str, list[str]]:
    """The name, and what is for ssh, where both stand behind `--`. Raises MvtuiError where there is none."""
    if not words:
        raise MvtuiError("mvtui ssh takes a NAME", "mvtui list shows those there are", ExitCode.USAGE)
    rest = list(words[1:])
    return words[0], rest[1:] if rest[:1] == ["--"] else rest


def run_ssh(args: argparse.Namespace) -> int:
    """Log in, or with `args.print` say how. Raises MvtuiError where there is no way into the guest."""
    if args.name is None:  # `mvtui ssh -- -name`
        args.name, args.words = login_of(args.words)
    host = host_of(args)
    _, microvm = look_at_one(args, host=host)
    login = find_login(host, microvm, settings_of(args).ssh_user, args.words)
    if args.print:
        write_lines([clean(login.words)])
        return ExitCode.OK
    sys.stdout.flush()
    before = [signal.signal(number, signal.SIG_DFL) for number in _DEFAULT_SIGNALS]
    try:
        os.execv(login.argv[0], login.argv)  # noqa: S606 - an argv list, no shell
    except OSError as error:
        for number, handler in zip(_DEFAULT_SIGNALS, before, strict=True):
            signal.signal(number, handler)
        raise MvtuiError(f"{login.argv[0]} can't be run: {error.strerror}", "install openssh") from None

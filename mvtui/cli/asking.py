"""A question at the terminal that `y` alone answers with yes."""

import asyncio
import os
import sys
import termios
from contextlib import suppress

from mvtui.cli.output import say, writing
from mvtui.errors import ExitCode, MvtuiError

_STDIN, _STDOUT = 0, 1


def can_ask() -> bool:
    """Whether somebody sees what is asked, and can answer."""
    return os.isatty(_STDIN) and os.isatty(_STDOUT)


def check_asking(verb: str, *, as_json: bool, hint: str = "say --yes, or look first with --dry-run") -> None:
    """Before a verb that asks. Raises MvtuiError where nobody can be asked."""
    if as_json or not can_ask():
        why = "with --json nobody is asked" if as_json else "this is no terminal, so nobody can be asked"
        raise MvtuiError(f"{verb} is refused: {why}", hint, ExitCode.REFUSED)


async def says_yes(question: str) -> bool:
    """Whether the answer is `y` or `yes`. What was typed before the question stood there is no answer to it."""
    with suppress(termios.error):
        termios.tcflush(_STDIN, termios.TCIFLUSH)
    with writing():
        sys.stdout.write(f"{question} [y/N] ".encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
    try:
        answer = await _line()
    except asyncio.CancelledError:  # ^C
        say("")
        raise
    if not answer.endswith(b"\n"):
        say("")
    return answer.strip().lower() in (b"y", b"yes")


async def _line() -> bytes:
    """What is typed until Enter, and b"" at its end. In the loop, since a read that blocks would not end by ^C."""
    loop = asyncio.get_running_loop()
    typed = asyncio.Event()
    loop.add_reader(_STDIN, typed.set)
    try:
        await typed.wait()
        return os.read(_STDIN, 1024)
    except OSError:  # EIO: the terminal is gone
        return b""
    finally:
        loop.remove_reader(_STDIN)

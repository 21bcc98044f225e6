"""Running a command behind sudo, which asks for its password in the terminal, never in the panel."""

import asyncio
import shlex
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind
from mvtui.model.text import clean
from mvtui.ui import lent_child
from mvtui.ui.kept_terminal import kept_terminal


async def run(
    argv: Sequence[str], suspended: Callable[[], AbstractContextManager[None]], calls: CallLog | None = None
) -> tuple[bool, str]:
    """Run `sudo -- ARGV`: without a password first, else with the terminal to itself (within `suspended`).

    Gives whether the command did it, and its `last_words`; it goes on record in `calls`.

    Raises MvtuiError where there is no sudo.
    """
    calls = calls or CallLog()
    code, out, errors = await _run(["sudo", "-n", "--", *argv], calls, on_terminal=False)
    if code != 0 and errors.startswith("sudo:"):  # it was sudo that refused: it wants a password
        with suspended():
            code, out, errors = await _run(["sudo", "--", *argv], calls, on_terminal=True)
    said = last_words(out if code == 0 else errors or out)
    return code == 0, said or f"sudo ended with {lent_child.Ended(code).how}"


def last_words(said: str) -> str:
    """What a verb of the command line says at its end: a sentence, and the hint that stands indented below it."""
    words: list[str] = []
    for line in said.splitlines():
        if line.strip():
            words = [*words, line.strip()] if line.startswith(" ") else [line.strip()]
    return clean("  ".join(words))


async def _run(argv: Sequence[str], calls: CallLog, *, on_terminal: bool) -> tuple[int, str, str]:
    """Exit code, stdout, stderr. On the terminal, what comes on stderr (`Sorry, try again.`) is shown as well."""
    with calls.call(CallKind.COMMAND, shlex.join(argv)) as call:
        try:
            code, out, errors = await (_run_on_terminal(argv) if on_terminal else _run_aside(argv))
        except OSError as error:
            raise MvtuiError(f"sudo can't be run: {error.strerror}", "run mvtui as root") from error
        call.end(f"exit {code}", ok=code == 0)
    return code, out.decode(errors="replace"), errors.decode(errors="replace")


async def _run_on_terminal(argv: Sequence[str]) -> tuple[int, bytes, bytes]:
    with kept_terminal() as left_open:
        ended = await lent_child.run(argv, hears=True, keeps_output=True)
        if ended.code != 0:
            left_open()
    return ended.code, ended.out, ended.said


async def _run_aside(argv: Sequence[str]) -> tuple[int, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(*argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    out, errors = await process.communicate()
    return await process.wait(), out, errors

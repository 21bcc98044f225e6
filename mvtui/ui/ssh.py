"""Logging in to a guest from the panel: ssh gets the terminal, and what it says at its end is kept."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind
from mvtui.model.output import OutputLines
from mvtui.model.text import clean
from mvtui.operations.into import Login
from mvtui.ui import lent_child
from mvtui.ui.kept_terminal import kept_terminal

# ssh(1): "255 if an error occurred"; any other is the remote command's own.
_ERROR = 255


async def run(login: Login, suspended: Callable[[], AbstractContextManager[None]], calls: CallLog) -> tuple[bool, str]:
    """Run it with the terminal to itself (within `suspended`), which is afterwards as it was. Whether it connected, and
    how it ended, in words. Raises MvtuiError where it can't be run."""
    with calls.call(CallKind.COMMAND, login.words) as call:
        with suspended(), kept_terminal() as left_open:
            try:
                ended = await lent_child.run(login.argv, hears=True)
            except OSError as error:
                raise MvtuiError(f"{login.argv[0]} can't be run: {error.strerror}", "install openssh") from None
            if ended.code != 0:
                left_open()
        call.end(f"exit {ended.code}", ok=0 <= ended.code < _ERROR)
    if 0 <= ended.code < _ERROR:
        return True, f"back from {login.place}"
    lines = OutputLines()
    lines.feed(ended.said)
    said = clean(lines.last)
    return False, f"ssh to {login.place} ended with {ended.how}{': ' if said else ''}{said}"

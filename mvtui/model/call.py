"""A command, a D-Bus call or a question that mvtui made: what, when, how long, what came back."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class CallKind(StrEnum):
    """How it was made: a method or a property over D-Bus, a process that was started or signalled, or a question to a
    hypervisor over its control socket."""

    DBUS = "dbus"
    COMMAND = "command"
    SOCKET = "socket"


class Call(NamedTuple):
    """One call, or `times` as many of the same poll: then the rest is the last one's.

    `at` (UTC) is when it began. `what` is one line as a person could type it: `StopUnit microvm@web.service replace`,
    `kill -TERM 4711`. `seconds` is how long it took, None while it runs. `ok`: True where it did what was asked, False
    where it did not, None while it runs and where nobody waited for the end. `result` is the gist of the reply (`job
    1234`, `37 units`, `exit 0`) or the words of the error. Both texts are as the host gave them: not cleaned.
    """

    at: datetime
    kind: CallKind
    what: str
    seconds: float | None = None
    ok: bool | None = None
    result: str = ""
    times: int = 1

"""What is wrong, in one shape for the why-line, the page, `--json` and refusals."""

from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

# The note of a finding that a person with more rights would not have.
NO_RIGHTS = "no rights"
# The note of the finding that the manager of the units does not answer.
NO_UNITS = "no units"


class Severity(IntEnum):
    """Ordered: the worst has the greatest value."""

    INFO = 0
    WARNING = 1
    ERROR = 2


class Finding(NamedTuple):
    """`subject`: what it is about (`share home`); `note`: a word or two for the list's NOTE column (`fsd home`);
    `what`: one sentence; `why`: its cause, or ""; `fix`: the key or command that mends it, or ""."""

    severity: Severity
    subject: str
    note: str
    what: str
    why: str = ""
    fix: str = ""
    since: datetime | None = None

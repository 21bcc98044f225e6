"""Why the child does not go on."""

from __future__ import annotations

import os

REFUSED = "refused"
FAILED = "failed"


class Stop(Exception):  # noqa: N818 (it ends the work, as StopIteration does)
    """`message` says what is wrong and where, `hint` what would mend it. `code`: a precondition fails (REFUSED), or the
    machine did (FAILED)."""

    def __init__(self, message: str, hint: str = "", code: str = REFUSED) -> None:
        super().__init__(message)
        self.message, self.hint, self.code = message, hint, code


class StuckError(Stop):
    """What was exchanged could not be exchanged back: the new state holds."""


def failed(what: str, error: OSError) -> Stop:
    """The machine did not do `what`."""
    return Stop(f"{what}: {(error.strerror or os.strerror(error.errno or 0)).lower()}", code=FAILED)


def stopped(what: str, error: OSError | Stop) -> Stop:
    """The same of either: `what` is what was not done."""
    if isinstance(error, Stop):
        return Stop(f"{what}: {error.message}", error.hint, error.code)
    return failed(what, error)


def quoted(path: str) -> str:
    """`path` as a word of a shell's. As shlex.quote, which takes its time to load."""
    if path and all(char.isascii() and (char.isalnum() or char in "@%+=:,./_-") for char in path):
        return path
    return "'" + path.replace("'", "'\"'\"'") + "'"

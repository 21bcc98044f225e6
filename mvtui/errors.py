"""What mvtui says when it can't do something: one exception, one hint, one exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every verb; 64, 77 and 78 are EX_USAGE, EX_NOPERM and EX_CONFIG of sysexits.h."""

    OK = 0
    FAILED = 1
    INVALID = 2
    REFUSED = 3
    USAGE = 64
    NO_RIGHTS = 77
    CONFIG = 78

    @property
    def meaning(self) -> str:
        """What a program that mvtui ended with it may take from that."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done; of check: nothing is wrong",
    ExitCode.FAILED: "it failed; of check: there are warnings",
    ExitCode.INVALID: "what was given is invalid; of check: there are errors",
    ExitCode.REFUSED: "it was refused, or there was nothing to reset",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.NO_RIGHTS: "rights are missing; the message says what would give them",
    ExitCode.CONFIG: "the configuration is wrong; --no-config goes without its files",
}


class MvtuiError(Exception):
    """Something a person has to read: what is wrong and where (`message`), what would mend it (`hint`)."""

    def __init__(self, message: str, hint: str = "", exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class RightsMissingError(MvtuiError):
    """Refused by the host for want of rights; `hint` names what would give them."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint, ExitCode.NO_RIGHTS)

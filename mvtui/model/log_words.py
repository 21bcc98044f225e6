"""What log lines say of themselves."""

import re
from typing import NamedTuple

from mvtui.model.log import DEBUG, ERROR, INFO, WARNING

# What supervisord hands on of a program to syslog: its name and the line (supervisor.loggers.handle_syslog).
_HANDED_ON = re.compile(r"virtiofsd-(\S+) ")
# supervisord's own: `2026-08-01 12:00:00,000 WARN exited: virtiofsd-home (terminated by SIGKILL; not expected)`.
_OF_SUPERVISORD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} ([A-Z]+) ")
_PROGRAM = re.compile(r"[a-z ]+: (?:'virtiofsd-(?=.+' with)|virtiofsd-)(.+?)(?='? with pid | \(| entered |$)")
# virtiofsd's (env_logger): `[2026-08-01T12:00:00Z ERROR virtiofsd] …`.
_OF_VIRTIOFSD = re.compile(r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z ([A-Z]+) +[\w:]+\] ?")
_TOLD_LEVELS = {"CRIT": 2, "ERRO": ERROR, "ERROR": ERROR, "WARN": WARNING, "WARNING": WARNING, "DEBUG": DEBUG}


class ToldOfItself(NamedTuple):
    """What a line of virtiofsd or its supervisord says of itself: the share's tag, the level, when it was written (as
    text, and whether that is UTC, else local time), and where the rest of it starts."""

    tag: str = ""
    level: int = INFO
    written: str = ""
    is_utc: bool = False
    start: int = 0


def told_by_virtiofsd(message: str) -> ToldOfItself:
    """What a line of the unit `microvm-virtiofsd@` says of itself."""
    handed_on = _HANDED_ON.match(message)
    tag, start = (handed_on[1], handed_on.end()) if handed_on else ("", 0)
    line = _OF_VIRTIOFSD.match(message, start)
    if line is not None:
        return ToldOfItself(tag, _TOLD_LEVELS.get(line[2], INFO), line[1], True, line.end())
    own = _OF_SUPERVISORD.match(message)
    if own is not None:
        gave_up = message.startswith("gave up:", own.end())
        program = _PROGRAM.match(message, own.end())
        level = ERROR if gave_up else _TOLD_LEVELS.get(own[2], INFO)
        return ToldOfItself(program[1] if program else "", level, own[1], False, own.end())
    return ToldOfItself(tag, start=start)

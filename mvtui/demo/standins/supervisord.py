"""Takes the place of supervisord: reads the configuration that microvm.nix writes, starts its programs, starts again
what ended unexpectedly, gives up after the fourth try, and ends all of them when it is told to.
"""

import argparse
import configparser
import contextlib
import os
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

# http://supervisord.org/configuration.html: startsecs, startretries, stopwaitsecs; a try waits longer than the last.
_START_SECONDS = 1.0
_START_RETRIES = 3
_STOP_SECONDS = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGCHLD)


@dataclass
class Program:
    """One `[program:NAME]`. `due` is when it is started next, None while it lives and after the last try."""

    name: str
    argv: list[str]
    pid: int | None = None
    started: float = 0.0
    tries: int = 0
    proven: bool = False
    due: float | None = 0.0


def read_programs(path: str) -> list[Program]:
    """Every program of a configuration. Raises OSError, configparser.Error, ValueError."""
    parser = configparser.RawConfigParser()
    with open(path, encoding="utf-8") as file:
        parser.read_file(file)
    return [
        Program(section.removeprefix("program:"), shlex.split(parser[section]["command"]))
        for section in parser.sections()
        if section.startswith("program:")
    ]


def main(argv: Sequence[str]) -> int:
    """Supervise until a signal comes. 2 where the configuration can't be read."""
    options = argparse.ArgumentParser("supervisord", allow_abbrev=False)
    options.add_argument("-c", "--configuration", required=True)
    for name in ("--logfile", "--pidfile", "--childlogdir"):  # it writes none of them
        options.add_argument(name)
    path = options.parse_args(argv).configuration
    try:
        programs = read_programs(path)
    except (OSError, configparser.Error, ValueError, KeyError) as error:
        sys.stderr.write(f"Error: could not read config file {path}: {error}\n")
        return 2
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    _say("INFO", f"supervisord started with pid {os.getpid()}")
    while not _wait(programs):
        for program in programs:
            _look_at(program)
    return _end(programs)


def _wait(programs: Sequence[Program]) -> bool:
    """Until a child has ended, a start is due or proven, or a signal asks to end: True."""
    now = time.monotonic()
    moments = [program.due for program in programs if program.due is not None]
    moments += [program.started + _START_SECONDS for program in programs if program.pid and not program.proven]
    came = signal.sigtimedwait(_SIGNALS, max(min(moments) - now, 0)) if moments else signal.sigwaitinfo(_SIGNALS)
    return came is not None and came.si_signo != signal.SIGCHLD


def _look_at(program: Program) -> None:
    now = time.monotonic()
    if program.pid is not None and not program.proven and now >= program.started + _START_SECONDS:
        program.proven, program.tries = True, 0
        lasted = f"process has stayed up for > than {_START_SECONDS:.0f} seconds (startsecs)"
        _say("INFO", f"success: {program.name} entered RUNNING state, {lasted}")
    if program.pid is not None:
        pid, status = os.waitpid(program.pid, os.WNOHANG)
        if pid:
            _has_ended(program, status)
    if program.due is not None and now >= program.due:
        program.due, program.proven, program.started = None, False, now
        program.pid = _spawn(program.argv)
        _say("INFO", f"spawned: '{program.name}' with pid {program.pid}")


def _has_ended(program: Program, status: int) -> None:
    """Start it again now, later, or never."""
    program.pid = None
    code = os.waitstatus_to_exitcode(status)
    expected = code == 0 and program.proven
    how = f"exit status {code}" if code >= 0 else f"terminated by {signal.Signals(-code).name}"
    word = "expected" if expected else "not expected"
    _say("INFO" if expected else "WARN", f"exited: {program.name} ({how}; {word})")
    if program.proven:
        program.due = None if expected else time.monotonic()
        return
    program.tries += 1
    if program.tries > _START_RETRIES:
        _say("INFO", f"gave up: {program.name} entered FATAL state, too many start retries too quickly")
        return
    program.due = time.monotonic() + program.tries


def _spawn(argv: list[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.setpgid(0, 0)
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        _say("CRIT", f"couldn't exec {argv[0]}: {error.strerror}")
    finally:
        os._exit(127)


def _end(programs: Sequence[Program]) -> int:
    """TERM to all, KILL to those that are left after ten seconds."""
    living = {program.pid: program.name for program in programs if program.pid is not None}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in living:
            os.kill(pid, number)
        deadline = time.monotonic() + _STOP_SECONDS
        while living and (left := deadline - time.monotonic()) > 0:
            for pid in [pid for pid in living if os.waitpid(pid, os.WNOHANG)[0]]:
                _say("INFO", f"stopped: {living.pop(pid)}")
            if living:
                signal.sigtimedwait((signal.SIGCHLD,), left)
    return 0


def _say(level: str, line: str) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{now},000 {level} {line}\n".encode())

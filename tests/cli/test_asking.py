"""The question at a terminal: what counts as yes, and how it ends."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios

import pytest


def answered(answer: bytes, before: bytes = b"") -> tuple[int, bytes]:
    """The exit code of a program that asks at a terminal, 0 for yes, and what stood there when it was answered."""
    ours, theirs = pty.openpty()
    command = (
        "import sys; from mvtui.cli.asking import says_yes; import asyncio; "
        "sys.exit(0 if asyncio.run(says_yes('really?')) else 3)"
    )
    os.write(ours, before)
    with subprocess.Popen(
        [sys.executable, "-c", command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),  # noqa: PLW1509 (tests have no threads)
    ) as process:
        seen = b""
        while not seen.endswith(b"[y/N] "):
            seen += os.read(ours, 1024)
        os.write(ours, answer)
        code = process.wait(30)
    os.close(theirs)
    os.close(ours)
    return code, seen


@pytest.mark.parametrize(
    ("answer", "code"), [(b"y\n", 0), (b"YES\n", 0), (b"\n", 3), (b"n\n", 3), (b"yy\n", 3), (b"\x04", 3)]
)
def test_answers(answer: bytes, code: int) -> None:
    assert answered(answer) == (code, b"really? [y/N] ")


def test_what_was_typed_before_the_question_is_no_answer() -> None:
    code, seen = answered(b"\n", before=b"y\n")
    assert code == 3
    assert seen.endswith(b"really? [y/N] ")


def test_an_interrupt_at_the_question_ends_it() -> None:
    code, _ = answered(b"\x03")
    assert code == -signal.SIGINT

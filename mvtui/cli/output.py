"""Standard output and standard error: what they can show, and what happens where they can't be written."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from mvtui.errors import MvtuiError
from mvtui.model.text import clean

# A document of --json, or a part of one.
Json = dict[str, object]


@contextmanager
def writing() -> Iterator[None]:
    """Raises BrokenPipeError, or MvtuiError where the output can't be written (a full disk); nothing is tried again
    when the interpreter ends."""
    try:
        with _blocking():
            yield
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise MvtuiError(f"the output can't be written: {error.strerror}") from None


@contextmanager
def _blocking() -> Iterator[None]:
    """Python says nothing of what it can't write at once to a terminal or a pipe that another has set not to block (ssh
    does so with one that it shares with us): half a document came out, with exit code 0."""
    try:
        descriptor = sys.stdout.fileno()
        blocks = os.get_blocking(descriptor)
    except (OSError, ValueError):  # no file
        yield
        return
    if blocks:
        yield
        return
    os.set_blocking(descriptor, True)
    try:
        yield
    finally:
        with suppress(OSError):
            os.set_blocking(descriptor, False)


def write_json(document: dict[str, object]) -> None:
    """Print a document; names that are no valid UTF-8 come out as lone surrogates (\\udcXX)."""
    import json

    with writing():
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")


def write_lines(lines: Sequence[str]) -> None:
    """Print lines as far as the terminal's encoding can show them."""
    encoding = sys.stdout.encoding or "utf-8"
    text = "".join(f"{line}\n" for line in lines)
    with writing():
        sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding))


def terminal_columns() -> int | None:
    """How wide the terminal is that standard output goes to (COLUMNS where that is set); None where it is none, or
    does not know."""
    if not sys.stdout.isatty():
        return None
    with suppress(ValueError):
        if (columns := int(os.environ.get("COLUMNS", "0"))) > 0:
            return columns
    with suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    return None


def complain(error: MvtuiError) -> int:
    """Say on standard error what is wrong and what would mend it; the exit code for it."""
    say(f"mvtui: {clean(error.message)}", *([f"  {clean(error.hint)}"] if error.hint else []))
    return int(error.exit_code)


def say(*lines: str) -> None:
    """Lines on standard error; where nobody can read them, nothing."""
    text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stderr.write(text.encode(errors="backslashreplace").decode())
        sys.stderr.flush()
    except OSError:
        return

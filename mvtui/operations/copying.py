"""Copying a text to where its person can paste it, and saying how.

    copied = copy_text(text, os.environ, host.calls)     # blocking
    terminal.write(copied.to_terminal)
    say(copied.words("the name"))

Every way that there is here is taken, and the text is left in a file too: no terminal says whether it took it.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mvtui.host import clipboard, copied_file
from mvtui.host.calls import CallLog
from mvtui.model.text import clean

# `-w` (tmux 3.2) also has tmux hand it to the terminal's clipboard, where its terminal is known to have one.
_TMUX = ("tmux", "load-buffer", "-w", "-", ";", "display-message", "-p", "#{client_termfeatures}")
_OLD_TMUX = ("tmux", "load-buffer", "-")
_TMUX_FEATURE = "clipboard"


class Copied(NamedTuple):
    """How a text was copied: `ways` in words, `file` where it is left (None: `trouble` says why not); `to_terminal` is
    what the terminal must still be sent, "" for nothing."""

    ways: tuple[str, ...]
    file: Path | None
    trouble: str = ""
    to_terminal: str = ""

    def words(self, what: str) -> str:
        """All of that in a sentence; `what` was copied (`the name`)."""
        ways = " and ".join(self.ways)
        if not ways:
            where = f"{what} is in {self.file}" if self.file is not None else f"{what} is nowhere"
            return clean(f"no clipboard is known here: {where}{self.trouble}")
        where = f"; file {self.file}" if self.file is not None else self.trouble
        return clean(f"copied {what}: {ways}{where}")

    @property
    def ok(self) -> bool:
        """Whether it is anywhere."""
        return bool(self.ways) or self.file is not None


def copy_text(text: str, environ: Mapping[str, str], calls: CallLog) -> Copied:
    """Copy it, in every way that `environ` tells of. Blocking, for some seconds at most."""
    try:
        file, trouble = copied_file.leave(text, environ), ""
    except OSError as error:
        file, trouble = None, f"; no file could be left: {(error.strerror or str(error)).lower()}"
    ways: list[str] = []
    to_terminal = ""
    argv = clipboard.desktop(environ)
    if argv and clipboard.hand_over(argv, text, calls) is not None:
        ways.append(f"the desktop's clipboard ({argv[0]})")
    if environ.get("TMUX") and shutil.which("tmux"):
        ways += _by_tmux(text, calls)
    elif not ways:
        if file is not None and environ.get("STY") and shutil.which("screen"):
            ways += _by_screen(file, calls)
        to_terminal, way = _by_terminal(text, environ)
        ways += [way] if way else []
    return Copied(tuple(ways), file, trouble, to_terminal)


def _by_tmux(text: str, calls: CallLog) -> list[str]:
    features = clipboard.hand_over(_TMUX, text, calls, listens=True)
    if features is not None:
        hands_on = _TMUX_FEATURE in features.split(",")
        return ["tmux's buffer", "its terminal's clipboard"] if hands_on else ["tmux's buffer"]
    return ["tmux's buffer"] if clipboard.hand_over(_OLD_TMUX, text, calls) is not None else []


def _by_screen(file: Path, calls: CallLog) -> list[str]:
    """GNU screen's own paste buffer, from the file."""
    argv = ("screen", "-X", "readbuf", os.fspath(file))
    return ["screen's buffer"] if clipboard.hand_over(argv, "", calls) is not None else []


def _by_terminal(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """What it must be sent, and the way in words; both "" where it has no clipboard."""
    if not clipboard.has_clipboard(environ):
        return "", ""
    if len(text.encode("utf-8", "backslashreplace")) > clipboard.MOST_BYTES:
        return "", ""
    return clipboard.osc52(text, environ), "OSC 52 (if the terminal takes it)"

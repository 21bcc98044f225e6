"""The person's own editor, which gets the terminal, at a line."""

import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind
from mvtui.ui import lent_child
from mvtui.ui.kept_terminal import kept_terminal

# Who says nothing gets the first of these that there is.
_USUAL = ("nano", "vim", "vi")
# `+LINE` before the file, of their manuals.
_PLUS = frozenset(
    ("vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "hx", "helix", "micro", "joe", "ne", "kak")
)
# `FILE:LINE` behind these options; they return at once unless they are told to wait.
_COLON = {
    **dict.fromkeys(("code", "codium", "code-insiders", "cursor"), ("--wait", "--goto")),
    **dict.fromkeys(("subl", "zed", "zeditor"), ("--wait",)),
}


def editor_argv(environ: Mapping[str, str], path: Path, line: int | None) -> list[str]:
    """The command that edits `path`, at `line` where that is known and the editor's way to say so is. Raises
    MvtuiError: it can't be read, or there is none."""
    said = next((name for name in ("VISUAL", "EDITOR") if environ.get(name, "").strip()), None)
    if said is None:
        words = [found for found in map(shutil.which, _USUAL) if found][:1]
        if not words:
            raise MvtuiError("there is no editor here", "EDITOR=… names one")
    else:
        try:
            words = shlex.split(environ[said])
        except ValueError as error:
            raise MvtuiError(f"{said}={environ[said]} can't be read: {str(error).lower()}", f"{said}=vim") from None
        if shutil.which(words[0]) is None:
            raise MvtuiError(f"there is no {words[0]} here", f"{said} names another editor")
    name = os.path.basename(words[0])
    if name in _COLON:
        options = [one for one in _COLON[name] if one not in words]
        return [*words, *options, f"{path}:{line}" if line is not None else str(path)]
    at = [f"+{line}"] if line is not None and name in _PLUS else []
    return [*words, *at, str(path)]


async def run(
    argv: Sequence[str], suspended: Callable[[], AbstractContextManager[None]], calls: CallLog | None = None
) -> str:
    """Run it with the terminal to itself (within `suspended`), which is afterwards as it was. What is to be said of how
    it ended, "" where it ended well. Raises MvtuiError where it can't be run."""
    with (calls or CallLog()).call(CallKind.COMMAND, shlex.join(argv)) as call:
        with suspended(), kept_terminal() as left_open:
            try:
                ended = await lent_child.run(argv)
            except OSError as error:
                raise MvtuiError(f"{argv[0]} can't be run: {error.strerror}", "EDITOR names another editor") from None
            if ended.code != 0:
                left_open()
        call.end(f"exit {ended.code}", ok=ended.code == 0)
    return "" if ended.code == 0 else f"{os.path.basename(argv[0])} ended with {ended.how}: "

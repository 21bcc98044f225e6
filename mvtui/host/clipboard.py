"""What takes a text for a clipboard: the terminal itself (OSC 52), tmux, GNU screen, a desktop's own program."""

import base64
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind

# Those of a desktop answer at once; one whose display can't be reached may not.
_SECONDS = 2.0
# GNU screen keeps no more than 768 bytes of a string that it hands on.
_SCREENS_MOST = 700
# Longer ones are dropped by xterm and those that took its bound over: 74,994 bytes of base64.
MOST_BYTES = 56_000

# By the variable that says that such a desktop is there.
_DESKTOPS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
# They print what they do not know, or have nowhere to put it.
_WITHOUT = ("", "dumb", "linux", "vt100", "vt102", "vt220", "ansi", "cons25", "unknown")


def has_clipboard(environ: Mapping[str, str]) -> bool:
    """Whether the terminal may know OSC 52: nothing tells for sure."""
    return environ.get("TERM", "") not in _WITHOUT


def osc52(text: str, environ: Mapping[str, str]) -> str:
    """What has the terminal put `text` into its clipboard; GNU screen hands on what is wrapped for it alone. Behind an
    ssh from within screen or tmux nothing but TERM tells of them: then both, of which one is dropped on the way."""
    content = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()
    bare = f"\x1b]52;c;{content}\x07"
    wrapped = "".join(f"\x1bP{bare[at : at + _SCREENS_MOST]}\x1b\\" for at in range(0, len(bare), _SCREENS_MOST))
    if "STY" in environ:
        return wrapped
    return bare + wrapped if environ.get("TERM", "").startswith("screen") else bare


def desktop(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The program that has the clipboard of the desktop here; () where there is none, or somebody came by ssh."""
    if "SSH_CONNECTION" in environ or "SSH_TTY" in environ:
        return ()
    return next((argv for name, argv in _DESKTOPS if environ.get(name) and shutil.which(argv[0])), ())


def hand_over(argv: Sequence[str], text: str, calls: CallLog, *, listens: bool = False) -> str | None:
    """Run it with `text` on its standard input; what it says where `listens`, None where it fails. Blocking, for two
    seconds at most. One that stays, as wl-copy does to serve the text, holds nothing of ours open."""
    with calls.call(CallKind.COMMAND, shlex.join(argv)) as call:
        try:
            done = subprocess.run(
                argv,
                input=text.encode("utf-8", "backslashreplace"),
                stdout=subprocess.PIPE if listens else subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            call.end(f"no end within {_SECONDS:.0f} s", ok=False)
            return None
        except (OSError, ValueError) as error:
            call.end(str(error), ok=False)
            return None
        call.end(f"exit {done.returncode}", ok=done.returncode == 0)
    if done.returncode != 0:
        return None
    return done.stdout.decode(errors="replace").strip() if listens else ""

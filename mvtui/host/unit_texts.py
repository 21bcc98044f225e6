"""What systemd says of units: their files with drop-ins, and their properties. Their environments never are in it."""

import re
import shlex
import subprocess
from collections.abc import Sequence

from mvtui.errors import MvtuiError
from mvtui.host.calls import CallLog
from mvtui.model.call import CallKind

_SECONDS = 10.0
_MOST_BYTES = 4 << 20
_ENVIRONMENT = re.compile(r"(Environment|SetCredential|SetCredentialEncrypted)=")
_NOTE = "=[left out]\n"


def unit_texts(names: Sequence[str], calls: CallLog) -> str:
    """`systemctl cat` and `systemctl show` of them. Blocking, for some seconds. Raises MvtuiError."""
    if not names:
        raise MvtuiError("systemd has loaded none of its units")
    return "\n".join(without_environment(_systemctl(verb, names, calls)) for verb in ("cat", "show"))


def without_environment(text: str) -> str:
    """A unit's text without the values of its environment and its credentials, also those on further lines."""
    kept: list[str] = []
    goes_on = False
    for line in text.splitlines(keepends=True):
        if not goes_on:
            found = _ENVIRONMENT.match(line.lstrip())
            kept.append(f"{found[1]}{_NOTE}" if found else line)
            leaves = found is not None
        else:
            leaves = True
        goes_on = leaves and line.rstrip("\n").endswith("\\")
    return "".join(kept)


def _systemctl(verb: str, names: Sequence[str], calls: CallLog) -> str:
    command = ["systemctl", "--no-pager", verb, "--", *names]
    with calls.call(CallKind.COMMAND, shlex.join(command)) as call:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise MvtuiError(f"systemctl {verb} gives no answer: {error}") from None
        call.end(f"exit {done.returncode}", ok=done.returncode == 0)
    # Where one of them has no file, the others are there all the same.
    text = done.stdout[:_MOST_BYTES].decode("utf-8", "replace")
    said = done.stderr[:4096].decode("utf-8", "replace").strip()
    if not text:
        raise MvtuiError(f"systemctl {verb}: {said or f'exit {done.returncode}'}")
    return f"# systemctl {verb}\n{text}{said}\n"

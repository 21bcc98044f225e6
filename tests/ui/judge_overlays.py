"""What a panel's questions about overlays say, as the judge of a walk knows them: which question and which key allow
what."""

import re
from collections.abc import Iterator

HOST = "hv01"

_RESET = f"reset the overlay of {{}} on {HOST}?"
_STOP_FRESH = f"stop, reset, start {{}} on {HOST}?"
_BACK = f"bring back the old overlay of {{}} on {HOST}?"
_FREE = f"free the old overlay of {{}} on {HOST}?"
_ARM = f"reset the overlay of {{}} on {HOST} by itself?"
_SUDO_RESET = f"reset the overlay of {{}} on {HOST} with sudo?"
_SUDO_ARM = f"at its next start, reset the overlay of {{}} on {HOST} with sudo?"

# What was done: the questions that allow it, each with the key that does it (`enter`: its name is typed).
ALLOWED: dict[str, tuple[tuple[str, str], ...]] = {
    "choose": ((f"which image is the overlay of {{}} on {HOST}?", "digit"),),
    "reset": ((_RESET, "o"),),
    "reset and start": ((_RESET, "s"),),
    "stop, reset, start": ((_STOP_FRESH, "enter"),),
    "restore": ((_BACK, "u"),),
    "free": ((_FREE, "x"),),
    "arm once": ((_ARM, "o"), (f"{_RESET} It runs", "n")),
    "arm always": ((_ARM, "a"),),
    "disarm": ((_ARM, "n"),),
    "sudo reset --yes": ((_SUDO_RESET, "o"), (_SUDO_RESET, "y")),
    "sudo start --fresh": (
        (_SUDO_RESET, "s"),
        (f"reset the overlay and start {{}} on {HOST} with sudo?", "y"),
        (_STOP_FRESH, "enter"),
        (f"stop, reset, start {{}} on {HOST} with sudo?", "y"),
    ),
    "sudo stop": ((_STOP_FRESH, "enter"), (f"stop, reset, start {{}} on {HOST} with sudo?", "y")),
    "sudo restore": (
        (f"bring back the old overlay of {{}} on {HOST} with sudo?", "u"),
        (f"bring back the old overlay of {{}} on {HOST} with sudo?", "y"),
    ),
    "sudo reset --discard --yes": (
        (f"free the old overlay of {{}} on {HOST} with sudo?", "x"),
        (f"free the old overlay of {{}} on {HOST} with sudo?", "y"),
    ),
    "sudo arm --once": ((_SUDO_RESET, "n"), (_SUDO_ARM, "y")),
    "sudo arm --always": ((f"at every start, reset the overlay of {{}} on {HOST} with sudo?", "y"),),
    "sudo arm --off": ((f"at no start, reset the overlay of {{}} on {HOST} with sudo?", "y"),),
}
# What is asked of several, before their number.
SEVERAL = {
    "reset": "reset the overlays of",
    "restore": "bring back the old overlays of",
    "free": "free the old overlays of",
    "arm once": "at their next start, reset the overlays of",
    "arm always": "at every start, reset the overlays of",
    "disarm": "at no start, reset the overlays of",
}

# How a question ends, without blanks, and its keys.
_ENDS = {
    "oresets,sresetsandstarts,Escleaves": "os",
    "fstop,reset,start,natitsnextstart,Escleaves": "fn",
    "ubringsitback,Escleaves": "u",
    "xfreesit,Escleaves": "x",
    "oatthenextstart,aateverystart,nnever,Escleaves": "oan",
    "ydoesit,Escleaves": "y",
    "ggrowsit,Escleaves": "g",
    "ggrowsit,oresetsitinstead,Escleaves": "go",
    "ggrowsthefilealone,mmountsithereandgrowsit,Escleaves": "gm",
    "ggrowsthefilealone,mmountsithereandgrowsit,oresetsitinstead,Escleaves": "gmo",
    "mmountsithereandgrowsit,Escleaves": "m",
    "mmountsithereandgrowsit,oresetsitinstead,Escleaves": "mo",
}
_SPANS = {
    "o": r"\bo (?:resets it instead|resets|at the next start), ?",
    "s": r"\bs resets and starts, ?",
    "f": r"\bf stop, reset, start, ?",
    "n": r"\bn (?:at its next start|never), ?",
    "u": r"\bu brings it back, ?",
    "x": r"\bx frees it, ?",
    "g": r"\bg grows (?:it|the file alone), ?",
    "m": r"\bm mounts it here and grows it, ?",
    "a": r"\ba at every start, ?",
    "y": r"\by does it, ?",
    "1": r"  1 [^,]*, ?",
}


def keys_of(lines: tuple[str, ...]) -> str:
    """The keys that a question of these lines takes; "" where it is none about overlays."""
    solid = "".join("".join(lines).split())
    if solid.startswith("─whichimageistheoverlayof"):
        return "123456789"
    return next((keys for end, keys in _ENDS.items() if solid.endswith(end)), "")


def may_grow(lines: tuple[str, ...], name: str) -> bool:
    """Whether a question of these lines asks for a volume of that microVM."""
    solid = "".join("".join(lines).split())
    return solid.startswith("─grow") and f"of{''.join(name.split())}to" in solid


def key_at(line: str, x: int) -> Iterator[str]:
    """The keys that a click on that cell of a question presses."""
    for key, span in _SPANS.items():
        if any(found.start() <= x < found.end() for found in re.finditer(span, line)):
            yield key

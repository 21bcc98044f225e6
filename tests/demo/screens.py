"""Screens that are compared with recorded ones, once what differs from run to run is masked."""

import os
import re
import time
from difflib import unified_diff
from pathlib import Path

from tests.demo.tmux import SECONDS, Tmux

RENEW = "MVTUI_RENEW_SCREENS"
_RECORDED = Path(__file__).parent / "screens"
_SETTLED_SECONDS = 3.0

_MASK = "¤"
# (what varies, what stands for it). Blanks beside a mask are one blank: how wide a number is varies too.
_VARYING = (
    (r"█*░+|#*-+(?= +\d+%)", "░"),  # how full
    (r"( *[▁▂▃▄▅▆▇█])+", " ▁"),  # CPU and memory of the last minutes; in ASCII:
    (r"(?<=memory  )[_.=-]+|(?<=\d%) +[_.=-][_.= -]*$|(?<=\d[smhd])  +[_.=-][_.= -]*$", " ▁"),
    (r"(?<=ext4 )\d+[~…]", _MASK),
    (r"(?<=directory )[^/]+?(?= free)|(?<=held by  )[^→]+?(?=\n    \w)", _MASK),  # whose, on what, as who may see it
    (r"(?<=← )/.*$", _MASK),  # which Python
    (r"\d\d:\d\d(:\d\d)?", _MASK),  # times of day
    (r"(?<=×)\d+|(?<=looping x)\d+|\b\d+(?= restarts)|(?<=restarts )\d+|(?<=kill -TERM )\d+", _MASK),
    (r"(?<=pid )\d+|(?<=virtiofsd )\d+(?= +cpu)|(?<=child )\d+|^ +\d{2,}(?= {4,})", _MASK),
    (r"\b\d+(\.\d+)?ms\b|\b\d+\.\d+(?: s\b)?[KMGT]?|(?<![\w.])\d+[smhdwBKMGT%](?!\w)", _MASK),  # ages, sizes, shares
    (r"(?<![\w/])\d+/\d{2,}k?(?!\w)|(?<=threads )\d+", _MASK),  # open files and their limit
    (rf"(?<={_MASK}) +\d+ +(?={_MASK})", " "),  # threads, between two of these
    (rf"(?<=looping [×x]{_MASK}).*?(?=/ )", f" {_MASK} "),  # its processes come and go
    (r" +(?=[|│])", " "),  # the edge of the side
    (rf" *{_MASK}[ {_MASK}]*{_MASK} *| *{_MASK} *", f" {_MASK} "),
)


def masked(lines: list[str], root: Path) -> str:
    """The screen without what differs from run to run: numbers (_VARYING), and in the paths the random end of the
    demo's folder and the digests of the store, also where they go over two lines or are cut."""
    text = "\n".join(lines)
    store = root / "nix" / "store"
    digests = {name[:32] for name in os.listdir(store) if re.match(r"[0-9a-f]{32}-", name)}
    for name in (root.parent.name.removeprefix("mvtui-test-"), *digests):
        text = re.sub(_over_lines(name), lambda found: re.sub(r"\w", "x", found[0]), text)
    for pattern, stands in _VARYING:
        text = re.sub(pattern, stands, text, flags=re.MULTILINE)
    return "\n".join(line.strip(" ") if _MASK in line[:2] else line.rstrip(" ") for line in text.split("\n")) + "\n"


def _over_lines(name: str) -> str:
    """A pattern of the name, of its start before an ellipsis, or of its end behind one."""
    whole = r"(?:\n[ │|]*)?".join(map(re.escape, name))
    starts = "|".join(re.escape(name[:length]) for length in range(len(name) - 1, 0, -1))
    ends = "|".join(re.escape(name[-length:]) for length in range(len(name) - 1, 0, -1))
    return rf"{whole}|(?<=[/-])(?:{starts})(?=[…~])|(?<=[…*])(?:{ends})(?=[/-])"


def compare(terminal: Tmux, name: str, root: Path) -> None:
    """Wait until the screen reads as the recorded one. Raises AssertionError with the difference.

    With MVTUI_RENEW_SCREENS set, it is recorded once it stands still: look at what git says has changed.
    """
    path = _RECORDED / f"{name}.txt"
    if os.environ.get(RENEW):
        path.write_text(_settled(terminal, root), encoding="utf-8")
        return
    wanted = path.read_text(encoding="utf-8")
    deadline = time.monotonic() + SECONDS
    while (seen := masked(terminal.lines, root)) != wanted:
        if time.monotonic() > deadline:
            difference = unified_diff(wanted.splitlines(), seen.splitlines(), str(path), "the screen", lineterm="")
            raise AssertionError("\n".join(("the screen is another:", *difference)))
        time.sleep(0.1)


def _settled(terminal: Tmux, root: Path) -> str:
    """The screen when it has stood still for a while."""
    seen, since = "", time.monotonic()
    while time.monotonic() - since < _SETTLED_SECONDS:
        now = masked(terminal.lines, root)
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.1)
    return seen

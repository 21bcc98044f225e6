"""The names in the directory where overlays are set aside (see the package)."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

OWN = ".mvtui"
OVERLAY = "overlay"
LOCK = "lock"
MAKING = "making"
NEW = "new."
BACK = "back."
FREEING = "freeing."
RESIZING = "resizing."
IMAGE_SUFFIX = ".img"
SHARE_SUFFIX = ".dir"

TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_TIME_SHAPE = "00000000T000000Z"
_MOST_OF_ONE_SECOND = 9999

KeptKey = tuple[str, int]


def kept_key(name: str, suffix: str) -> KeptKey | None:
    """By what kept overlays are sorted: the time in their name, and their number within its second. None for a name of
    another kind."""
    if not (name.endswith(suffix) and name.isascii()):
        return None
    told, dash, number = name[: -len(suffix)].partition("-")
    if "".join("0" if char.isdigit() else char for char in told) != _TIME_SHAPE:
        return None
    if not dash:
        return told, 0
    if number.isdigit() and not number.startswith("0") and int(number) <= _MOST_OF_ONE_SECOND:
        return told, int(number)
    return None


def kept_names(names: Iterable[str], suffix: str) -> list[str]:
    """Those of kept overlays among `names`, the newest first."""
    keys = {name: key for name in names if (key := kept_key(name, suffix)) is not None}
    return sorted(keys, key=keys.__getitem__, reverse=True)


def next_kept_name(names: Iterable[str], suffix: str) -> str:
    """A name for what is set aside now: newer than all that are there, also where the clock was set back."""
    now = time.strftime(TIME_FORMAT, time.gmtime())
    newest = max((key for name in names if (key := kept_key(name, suffix)) is not None), default=("", 0))
    told, number = (now, 0) if now > newest[0] else (newest[0], newest[1] + 1)
    return f"{told}-{number}{suffix}" if number else f"{told}{suffix}"


def inodes_in(name: str, prefix: str) -> tuple[int, ...] | None:
    """The numbers in `new.12` or `new.12.34`; None for a name of another kind."""
    if not name.startswith(prefix):
        return None
    words = name[len(prefix) :].split(".")
    return tuple(int(word) for word in words) if all(word.isascii() and word.isdigit() for word in words) else None

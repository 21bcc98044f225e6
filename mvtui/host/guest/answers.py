"""Single values out of what a peer has answered: it may be anything that JSON can say."""

from mvtui.model.text import clean

_MAX_TEXT = 200
# No host has more memory, and no counter counts further.
_MOST = 1 << 62
MAX_ITEMS = 64

Json = object


def member(value: Json, *keys: str) -> Json:
    """`value[key][key]…`, None where there is no such thing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Json) -> str | None:
    """A text of the host, cleaned and cut; None for anything else, and for an empty one."""
    return clean(value[: _MAX_TEXT * 4])[:_MAX_TEXT] if isinstance(value, str) and value else None


def number(value: Json) -> int | None:
    """A count, or a size in bytes."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def flag(value: Json) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def items(value: Json) -> list[Json]:
    """The first MAX_ITEMS of a list; none of anything else."""
    return value[:MAX_ITEMS] if isinstance(value, list) else []

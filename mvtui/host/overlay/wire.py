"""What the child and its parent write to each other: lines of `key=value`, each value the hex of its UTF-8. A key may
come many times."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Message = dict[str, list[str]]


def pack(pairs: Iterable[tuple[str, str | int | None]]) -> bytes:
    """One line with its newline; None is left out."""
    words = (
        f"{key}={str(value).encode('utf-8', 'surrogateescape').hex()}" for key, value in pairs if value is not None
    )
    return " ".join(words).encode() + b"\n"


def unpack(line: bytes) -> Message:
    """The values by key. Raises ValueError for what is no such line."""
    message: Message = {}
    for pair in line.decode("ascii").split():
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(pair)
        message.setdefault(key, []).append(bytes.fromhex(value).decode("utf-8", "surrogateescape"))
    return message

"""Paths as text: what they name, not how they are spelled. Nothing is looked up."""

from functools import lru_cache


# Every rule of paths asks for the same few.
@lru_cache(maxsize=1024)
def normal(path: str) -> str:
    """`path` without doubled slashes, `.` and a slash at its end; `..` stays, for it may stand behind a link."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def same_path(one: str, other: str) -> bool:
    """Whether both are spellings of one path."""
    return normal(one) == normal(other)


def is_inside(path: str, directory: str) -> bool:
    """Whether `path` is `directory`, or lies in it."""
    return same_path(path, directory) or normal(path).startswith(normal(directory).rstrip("/") + "/")

"""Places in a document, as the subjects of findings name them: `shares[1].tag`. Pure."""

import re
from collections.abc import Sequence

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def place(keys: Sequence[str | int]) -> str:
    """The place that `keys` and indices lead to, from the document's top."""
    text = ""
    for key in keys:
        text = f"{text}[{key}]" if isinstance(key, int) else joined(text, key)
    return text


def joined(table: str, key: str) -> str:
    """`key` of the table at the place `table`, "" for the top. Keys that are not bare in TOML are quoted."""
    word = key if _BARE_KEY.fullmatch(key) else quoted(key)
    return f"{table}.{word}" if table else word


def quoted(text: str) -> str:
    """`text` as a basic string of TOML, control characters aside."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'

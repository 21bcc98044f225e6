"""Drafts of definitions that outlive a panel which was ended from outside, with the text that they began from."""

import json
import os
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host import left_files
from mvtui.host.documents import parse
from mvtui.operations.definitions_save import Document
from mvtui.operations.draft import Draft, check, is_saved

SCHEMA = 1


def leave(draft: Draft) -> Path:
    """Keep it for the next panel; the file that it is in. Blocking. Raises OSError."""
    content = {"schema": SCHEMA, "base": draft.document.text, "text": draft.text, "changes": list(draft.changes)}
    return left_files.leave(draft.document.path, json.dumps(content).encode(), os.environ)


def find(document: Document) -> Draft | None:
    """What was left about that file, as it was begun; None where nothing was, it makes no sense, or it is saved by now.
    Blocking."""
    content = left_files.find(document.path, os.environ)
    if content is None:
        return None
    try:
        told = json.loads(content)
        base, text, changes = str(told["base"]), str(told["text"]), tuple(map(str, told["changes"]))
        begun = document._replace(text=base, values=parse(document.path, base))
        values = parse(document.path, text)
    except (ValueError, KeyError, TypeError, RecursionError, MvtuiError):
        return None
    draft = Draft(begun, text, values, check(begun, values), changes)
    if not draft.changed or is_saved(draft, document):
        forget(document.path)
        return None
    return draft


def forget(path: Path) -> None:
    """It is saved, or given up. Blocking."""
    left_files.forget(path, os.environ)

"""A definition file's text with one thing changed in it.

The text is cut where its tables and keys begin; tomlkit gets the one entry that changes. So what is not touched stays
as it is, byte for byte, whatever tomlkit would make of it. What came out is read again with tomllib, and must say what
was meant.
"""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from mvtui.errors import MvtuiError
from mvtui.host.document_layout import Layout, Piece, layout
from mvtui.model.edit import AddItem, Edit, ItemKind, MoveItem, RemoveItem, SetField, SetOverlay, Value
from mvtui.model.positions import Entry

_OVERLAY = "writableStoreOverlay"


def edited(text: str, edit: Edit) -> str:
    """`text`, which tomllib has read, with `edit`. Raises MvtuiError where the way in which it is written can't take
    the change, IndexError for an item that there is not."""
    before = tomllib.loads(text)
    if not isinstance(edit, SetOverlay) and not _are_tables(before.get(edit.kind, [])):
        raise MvtuiError(f"{edit.kind} are no tables in this file", f"write each as [[{edit.kind}]]")
    meant = changed_values(before, edit)
    if same(before, meant):
        return text
    try:
        found = _edited(text, edit)
        if same(tomllib.loads(found), meant):
            return found
    except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, KeyError):
        pass
    raise MvtuiError(
        f"{_subject(edit)} can't be changed in the way in which the file writes it",
        "change it in the file itself, or write each share as [[shares]] and each volume as [[volumes]]",
    )


def changed_values(values: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """The tables `values` as they are meant to be with `edit`. Raises IndexError."""
    new = dict(values)
    if isinstance(edit, SetOverlay):
        return _with(new, _OVERLAY, edit.path)
    items = list(new.get(edit.kind, ()))
    if isinstance(edit, AddItem):
        items.insert(len(items) if edit.at is None else edit.at, {k: _plain(v) for k, v in edit.values.items()})
    else:
        if not 0 <= edit.at < len(items):
            raise IndexError(f"{edit.kind}[{edit.at}]")
        if isinstance(edit, SetField):
            items[edit.at] = _with(dict(items[edit.at]), edit.key, edit.value)
        else:
            item = items.pop(edit.at)
            if isinstance(edit, MoveItem):
                items.insert(edit.to, item)
    # An empty list is told: of what does not stand there, the file says nothing.
    return _with(new, edit.kind, items)


def same(one: object, other: object) -> bool:
    """Whether two values that tomllib has read are the same; what is not a number is itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124


def _are_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _with(table: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = _plain(value)
    return table


def _plain(value: Value | Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _subject(edit: Edit) -> str:
    if isinstance(edit, SetOverlay):
        return _OVERLAY
    if isinstance(edit, SetField):
        return f"{edit.kind}[{edit.at}].{edit.key}"
    return f"a new one of {edit.kind}" if isinstance(edit, AddItem) else f"{edit.kind}[{edit.at}]"


def _edited(text: str, edit: Edit) -> str:
    shape = layout(text)
    if isinstance(edit, SetOverlay):
        return _set(shape, shape.top, shape.top_end, _OVERLAY, edit.path)
    inline = shape.top_pair(edit.kind)
    if inline is not None:
        return _edited_list(shape, inline, edit)
    pieces = shape.items(edit.kind)
    match edit:
        case SetField():
            piece = pieces[edit.at]
            return _set(shape, piece.pairs, piece.pairs_end, edit.key, edit.value)
        case AddItem():
            return _added(shape, pieces, edit)
        case RemoveItem():
            rest = _removed(shape, pieces[edit.at])
            if len(pieces) > 1:
                return rest
            left = layout(rest)
            return _set(left, left.top, left.top_end, edit.kind, ())
        case MoveItem():
            return _moved(shape, pieces, edit)


def _set(shape: Layout, pairs: Sequence[Entry], end: int, key: str, value: Value | None) -> str:
    """One of `pairs` gets a value or goes; a new one comes at `end`, where a line begins."""
    text = shape.text
    old = next((pair for pair in pairs if pair.keys == (key,)), None)
    if old is None:
        if value is None:
            return text
        line = f"{shape.indent(pairs)}{_line(key, value)}{shape.newline}"
        # The first of all, before a table: a blank line keeps the two apart.
        alone = key in (_OVERLAY, *ItemKind) and not pairs and text[end:].strip(" \t\r\n")
        return shape.insert(end, line + shape.newline if alone else line)
    first, last = shape.line_start(old.start), shape.line_end(old.end)
    if value is None:
        return text[:first] + text[last:]
    parsed = tomlkit.parse(text[old.start : last])
    parsed[key] = _plain(value)
    return text[: old.start] + shape.lines(parsed.as_string()) + text[last:]


def _line(key: str, value: Value) -> str:
    return tomlkit.dumps({key: _plain(value)}).rstrip("\n")


def _added(shape: Layout, pieces: Sequence[Piece], edit: AddItem) -> str:
    lines = [f"[[{edit.kind}]]", *(_line(key, value) for key, value in edit.values.items())]
    block = shape.newline.join([*lines, ""])
    if edit.at is not None and edit.at < len(pieces):
        start = pieces[edit.at].start
        above = shape.text[shape.line_start(start - 1) : start] if start else ""
        return shape.insert(start, (shape.newline if above.strip(" \t\r\n") else "") + block + shape.newline)
    return shape.insert_table(pieces[-1].end if pieces else len(shape.text), block)


def _removed(shape: Layout, piece: Piece) -> str:
    before, after = shape.text[: piece.start], shape.text[piece.end :]
    rest = after.lstrip(" \t\r\n")
    if not rest:
        return before.rstrip(" \t\r\n") + shape.newline if before.strip(" \t\r\n") else ""
    gap = after[: len(after) - len(rest)]
    # Of the blank lines before and behind it those before stay.
    return before + (after if not before else gap[gap.rfind("\n") + 1 :] + rest)


def _moved(shape: Layout, pieces: Sequence[Piece], edit: MoveItem) -> str:
    """The pieces change places; what stands between them stays."""
    order = list(pieces)
    order.insert(edit.to, order.pop(edit.at))
    parts: list[str] = []
    at = 0
    for place, piece in zip(pieces, order, strict=True):
        own = shape.text[piece.start : piece.end]
        own = own if own.endswith("\n") else own + shape.newline
        # Right above another table, its last comment would be that one's.
        apart = shape.ends_in_comment(piece) and shape.text[place.end :].lstrip(" \t")[:1] not in ("", "\r", "\n")
        parts += [shape.text[at : place.start], own, shape.newline if apart else ""]
        at = place.end
    return "".join(parts) + shape.text[at:]


def _edited_list(shape: Layout, pair: Entry, edit: Edit) -> str:
    """`shares = [{…}, …]`."""
    text = shape.text
    first, last = shape.line_start(pair.start), shape.line_end(pair.end)
    parsed = tomlkit.parse(text[pair.start : last])
    assert not isinstance(edit, SetOverlay)
    items = parsed[edit.kind]
    if isinstance(edit, AddItem) and not items:
        # An empty list makes room for tables.
        without = text[:first] + text[last:]
        return _added(layout(without), (), edit)
    if not isinstance(items, Array):
        raise KeyError(edit.kind)
    _change_list(items, edit)
    return text[: pair.start] + shape.lines(parsed.as_string()) + text[last:]


def _change_list(items: Array, edit: SetField | AddItem | RemoveItem | MoveItem) -> None:
    match edit:
        case SetField():
            table = items[edit.at]
            if not isinstance(table, InlineTable):
                raise KeyError(edit.kind)
            if edit.value is None:
                table.remove(edit.key)
            else:
                table[edit.key] = _plain(edit.value)
        case AddItem():
            table = tomlkit.inline_table()
            table.update({key: _plain(value) for key, value in edit.values.items()})
            items.insert(len(items) if edit.at is None else edit.at, table)
        case RemoveItem():
            del items[edit.at]
        case MoveItem():
            item = items[edit.at]
            del items[edit.at]
            items.insert(edit.to, item)

"""Where keys stand: found again in texts of every spelling that TOML has."""

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.place import joined, place
from mvtui.model.positions import Position, position_of, positions

_TEXT = '''\
# [[shares]]
mem = 1 # x = 2
"vcpu" = 2
'user' = "a#b = 'c' \\" ]"
vsock . "cid" = 3
preStart = """
[[shares]]
tag = "\\"""x"
"""
other = \'\'\'
it's \'\'\'
[qemu] # more
machineOpts = { accel = "tcg", "a b" = '}', x.y = [ 1, { z = 2 } ] }
extraArgs = [ # a
  "-a", # b
  [ 'b' ],
]

[[shares]]
tag = "a"

  [[ shares ]]
  tag = "b"
  [shares.sub]
  x = 1979-05-27 07:32:00
[[shares.more]]
y = 1
[[shares.more]]
y = 1
[ a."b.c" ]
"\\u0061\\"" = 1
'''


def test_every_spelling() -> None:
    tomllib.loads(_TEXT)
    found = positions(_TEXT)
    expected = {
        "mem": (2, 1),
        "vcpu": (3, 1),
        "user": (4, 1),
        "vsock": (5, 1),
        "vsock.cid": (5, 9),
        "preStart": (6, 1),
        "other": (10, 1),
        "qemu": (12, 1),
        "qemu.machineOpts": (13, 1),
        "qemu.machineOpts.accel": (13, 17),
        'qemu.machineOpts."a b"': (13, 32),
        "qemu.machineOpts.x": (13, 45),
        "qemu.machineOpts.x.y": (13, 47),
        "qemu.machineOpts.x.y[0]": (13, 53),
        "qemu.machineOpts.x.y[1]": (13, 56),
        "qemu.machineOpts.x.y[1].z": (13, 58),
        "qemu.extraArgs": (14, 1),
        "qemu.extraArgs[0]": (15, 3),
        "qemu.extraArgs[1]": (16, 3),
        "qemu.extraArgs[1][0]": (16, 5),
        "shares": (19, 1),
        "shares[0]": (19, 1),
        "shares[0].tag": (20, 1),
        "shares[1]": (22, 3),
        "shares[1].tag": (23, 3),
        "shares[1].sub": (24, 3),
        "shares[1].sub.x": (25, 3),
        "shares[1].more": (26, 1),
        "shares[1].more[0]": (26, 1),
        "shares[1].more[0].y": (27, 1),
        "shares[1].more[1]": (28, 1),
        "shares[1].more[1].y": (29, 1),
        "a": (30, 1),
        'a."b.c"': (30, 1),
        'a."b.c"."a\\""': (31, 1),
    }
    assert found == {name: Position(*at) for name, at in expected.items()}


def test_lines_end_with_crlf_too() -> None:
    assert positions("a = 1\r\n# x\r\nb = 2\r\n") == {"a": Position(1, 1), "b": Position(3, 1)}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("shares[1].tag", (23, 3)),
        ("shares[1].source", (22, 3)),
        ("shares[1].sub.y.z", (24, 3)),
        ("shares[2].tag", (19, 1)),
        ("qemu.extraArgs[7]", (14, 1)),
        ("nothing.here", None),
        ("", None),
    ],
)
def test_what_is_not_there_is_shown_where_it_belongs(wanted: str, expected: tuple[int, int] | None) -> None:
    assert position_of(wanted, positions(_TEXT)) == (Position(*expected) if expected else None)


_KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=6) | st.floats() | st.datetimes() | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.booleans())
def test_every_place_of_any_document_is_found(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    found = positions(text)
    lines = text.replace("\r\n", "\n").split("\n")
    for keys in _places(tomllib.loads(text), ()):
        position = found[place(keys)]
        rest = lines[position.line - 1][position.column - 1 :]
        if isinstance(keys[-1], str):
            assert rest.lstrip("[").startswith((joined("", keys[-1])[:3], keys[0][:1], '"')), (keys, rest)


def _places(value: Any, keys: tuple[Any, ...]) -> Any:
    if keys:
        yield keys
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*keys, index))

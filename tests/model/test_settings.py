"""The table of options, the cheap look at values, and the pydantic model that is made of it."""

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mvtui.model.settings import BY_NAME, OPTIONS, Option, Settings, is_right, takes
from mvtui.model.settings_types import wrong_in

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-5, 4000),
    st.floats(),
    st.text(max_size=8),
    st.dates(),
    st.sampled_from(["auto", "on", "off", "systemd", "direct", "/x", "/x\0", "-x", "a b"]),
)
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=5), SCALARS, max_size=3))
NAMES = st.one_of(st.sampled_from([*BY_NAME]), st.text(max_size=8))


def test_the_table_has_every_field_of_the_settings() -> None:
    assert tuple(BY_NAME) == Settings._fields


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_defaults_and_examples_are_right(option: Option) -> None:
    example_of_it = tomllib.loads(f"{option.name} = {option.example}")
    assert is_right(example_of_it)
    assert wrong_in(example_of_it) == []
    if option.name not in ("definitions", "keys"):
        assert takes(option, option.default)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
@example({"interval": True})
@example({"interval": 0})
@example({"keys": {"stop": ["X", 3]}})
@example({"keys": {"stop": []}})
@example({"keys": {"": "x"}})
@example({"read_only": 1})
@example({"theme": "-x"})
def test_the_cheap_look_and_pydantic_say_the_same(values: dict[str, Any]) -> None:
    wrong = wrong_in(values)
    assert is_right(values) == (wrong == [])
    for one in wrong:
        name = str(one.keys[0])
        assert name in values
        assert one.what
        assert one.fix
        assert name not in BY_NAME or not is_right({name: values[name]})

"""Drift as JSON documents: an option's own units, but for sizes, which are bytes as everywhere."""

from mvtui.cli.output import Json
from mvtui.model.drift import FieldDrift
from mvtui.model.drift_fields import Value
from mvtui.model.drift_words import IN_MIB
from mvtui.model.microvm import MicroVM


def drift_documents(microvm: MicroVM) -> list[Json]:
    """Each field that differs. In `values` a stage that can't tell it is missing; null is none."""
    return [
        {
            "place": one.place,
            "kind": one.kind or None,
            "item": one.item or None,
            "field": one.field or None,
            "values": {str(stage): _value(one, value) for stage, value in one.values},
            "follows": [str(follow) for follow in one.follows],
        }
        for one in microvm.drift
    ]


def _value(one: FieldDrift, value: Value) -> object:
    if one.field in IN_MIB and isinstance(value, int):
        return value * 2**20
    return list(value) if isinstance(value, tuple) else value

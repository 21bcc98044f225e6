"""Drift in words, the same in the panel, in a finding and in `mvtui diff`. Pure."""

from collections.abc import Sequence

from mvtui.model.drift import FieldDrift
from mvtui.model.drift_fields import Stage, Value

_ONE_OF = {"shares": "share", "volumes": "volume"}
# The fields that microvm.nix counts in MiB.
IN_MIB = ("mem", "size")
_NOTHING = {"mountPoint": "not mounted"}


def place_words(one: FieldDrift) -> str:
    """Where it is: `share home source`, `mem`, `volumes order`."""
    kind = _ONE_OF.get(one.kind, "") if one.item else one.kind
    return " ".join(part for part in (kind, one.item, one.field) if part)


def value_words(field: str, value: Value) -> str:
    """What one stage says there."""
    if field == "":
        return "there" if value else "not there"
    if value is None:
        return _NOTHING.get(field, "none")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return f"{value} MiB" if field in IN_MIB else str(value)


def stage_words(one: FieldDrift, stages: Sequence[Stage] = tuple(Stage)) -> str:
    """Each value with the stages that say so: `defined /srv/git, built and booted /srv/git-home`."""
    said: dict[str, list[str]] = {}
    for stage, value in one.values:
        if stage in stages:
            said.setdefault(value_words(one.field, value), []).append(stage)
    return ", ".join(f"{' and '.join(who)} {words}" for words, who in said.items())

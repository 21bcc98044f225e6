"""Whether a document has only options that there are, each of its type: what Nix would say, all of it at once. Pure.

The one module that leads to pydantic, which takes longer to import than `mvtui list` to run.
"""

import datetime
import difflib
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mvtui.model.document import Table
from mvtui.model.finding import Finding
from mvtui.model.options import MicrovmOptions
from mvtui.model.place import place, quoted
from mvtui.model.rules.finding import error

_EXPECTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_TABLES = {"shares": "[[shares]]", "volumes": "[[volumes]]", "interfaces": "[[interfaces]]"}


def type_findings(document: Table) -> tuple[Finding, ...]:
    """What is wrong with the keys and the types of `document`; every finding is an error, its subject a place."""
    found = list(_dates(document, ()))
    try:
        MicrovmOptions.model_validate(document)
    except ValidationError as invalid:
        wrong_already = {finding.subject for finding in found}
        found += [
            _finding(details)
            for details in invalid.errors(include_url=False)
            if place(details["loc"]) not in wrong_already
        ]
    return tuple(found)


def _finding(details: ErrorDetails) -> Finding:
    kind, keys, value = details["type"], details["loc"], details["input"]
    subject = place(keys)
    key = place(keys[-1:]) if isinstance(keys[-1], str) else "this"
    if kind == "missing":
        return error(subject, f"{key} is missing.", "microvm.nix has no default for it.", f"write {key} = …")
    if kind == "extra_forbidden":
        return _unknown(subject, keys)
    if kind == "package":
        return error(subject, f"{key} takes {_expected(details)}.", "", f"leave {key} out")
    return error(subject, f"{key} takes {_expected(details)}, not {_shown(value)}.", "", _type_fix(kind, value))


def _expected(details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == "literal_error":
        return "one of " + re.sub("'([^']*)'", r'"\1"', str(context["expected"]).replace(" or ", ", "))
    if kind == "greater_than":
        return f"a whole number above {context['gt']}"
    if kind == "greater_than_equal":
        return f"a whole number that is not below {context['ge']}"
    if kind == "less_than_equal":
        return f"a whole number up to {context['le']}"
    return _EXPECTED.get(kind) or details["msg"]


def _unknown(subject: str, keys: Sequence[str | int]) -> Finding:
    key = str(keys[-1])
    options, top = _names(keys[:-1]), _names(())
    fix = ""
    if len(keys) > 1 and key in top and key not in options:
        table = _TABLES.get(str(keys[0]), f"[{keys[0]}]")
        fix = f"what stands below {table} belongs to it: move {key} above the first table"
    elif near := difflib.get_close_matches(key.lower(), [name.lower() for name in options], n=1, cutoff=0.6):
        fix = f"did you mean {next(name for name in options if name.lower() == near[0])}?"
    return error(subject, f"microvm.nix has no option {key} here.", "", fix)


def _names(keys: Sequence[str | int]) -> list[str]:
    """The options that may stand in the table at `keys`."""
    schema = _schema()
    here = schema
    for key in keys:
        here = here["items"] if isinstance(key, int) else here.get("properties", {}).get(key, {})
        here = schema["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else here
    return list(here.get("properties", {}))


@cache
def _schema() -> dict[str, Any]:
    return MicrovmOptions.model_json_schema()


def _type_fix(kind: str, value: object) -> str:
    if kind == "bool_type" and value in ("true", "false"):
        return f"write {value}, without quotes"
    if kind in ("int_type", "greater_than", "greater_than_equal"):
        if isinstance(value, str) and re.fullmatch(r"\d+", value):
            return f"write {value}, without quotes"
        if isinstance(value, float) and value.is_integer():
            return f"write {int(value)}"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f"write {quoted(_shown(value))}"
    if kind == "list_type" and isinstance(value, str):
        return f"write [{quoted(value)}]"
    return ""


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"the string {quoted(value if len(value) <= 40 else value[:40] + '…')}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return str(value)


def _dates(value: object, keys: tuple[str | int, ...]) -> Iterator[Finding]:
    """Nix: "Dates and times are not supported", whatever the option (builtins.fromTOML)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _dates(inner, (*keys, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _dates(inner, (*keys, index))
    elif isinstance(value, datetime.date | datetime.time):
        subject = place(keys)
        yield error(subject, "Nix reads no dates and no times, whatever the option.", "", "write it as a string")

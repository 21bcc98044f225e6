"""The fix of a finding as a change of a field: where it says what to write, a key can do it. Pure."""

import re
import tomllib
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from mvtui.model.finding import Finding

# How findings say it: `proto = "virtiofs"`, `size = 1024 (MiB)`, `write "/nix"`, `a shorter one: "abc"`.
_SET = re.compile(r"""(?:a shorter one: )?(?P<key>[A-Za-z]+) = (?P<value>"[^"\\]*"|true|false|\d+)(?:$|[ ,])""")
_WRITE = re.compile(r"""(?:write|a shorter one:) (?P<value>"[^"\\]*")$""")
_LEAVE_OUT = re.compile(r"leave (?P<key>[A-Za-z]+) out")
# How that of a source that is not there begins.
_MKDIR = "mkdir -p "
# What stands in such a value for one that nobody knows.
_PLACEHOLDER = "NAME"


class Fix(NamedTuple):
    """The option `key` gets `value`; None takes it out. `words` say so."""

    key: str
    value: Any
    words: str


def fix_of(finding: Finding, key: str, keys: Collection[str]) -> Fix | None:
    """What mends it: `key` is the option that the finding is about, `keys` are those that there are fields for. None
    where that takes more than one value."""
    if matched := _SET.match(finding.fix):
        value = tomllib.loads(f"x = {matched['value']}")["x"]
        if matched["key"] in keys and (not isinstance(value, str) or _PLACEHOLDER not in value):
            return Fix(matched["key"], value, f"{matched['key']} = {matched['value']}")
    elif matched := _WRITE.match(finding.fix):
        return Fix(key, tomllib.loads(f"x = {matched['value']}")["x"], finding.fix)
    elif matched := _LEAVE_OUT.match(finding.fix):
        named = key if matched["key"] == "it" else matched["key"]
        return Fix(named, None, f"leave {named} out") if named in keys else None
    return None


def is_missing(findings: Iterable[Finding]) -> bool:
    """Whether one of them says that a source is not there, which a key can make."""
    return any(one.subject.endswith(".source") and one.fix.startswith(_MKDIR) for one in findings)


def another_name(taken: Collection[str], name: str) -> str:
    """`name` with a number that makes it another than those `taken`."""
    stem, dot, end = name.rpartition(".")
    stem, end = (stem, dot + end) if stem else (name, "")
    base = re.sub(r"-\d+$", "", stem)
    return next(new for number in range(2, len(taken) + 3) if (new := f"{base}-{number}{end}") not in taken)

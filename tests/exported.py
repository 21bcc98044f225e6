"""Entries as journalctl exports them."""

from collections.abc import Mapping

# These come first, whatever was logged.
_FIRST = ("__CURSOR", "__REALTIME_TIMESTAMP")


def exported(fields: Mapping[str, str | bytes]) -> bytes:
    """The entry without the blank line behind it; bytes, and texts of several lines, go behind their length."""
    ordered = sorted(fields.items(), key=lambda field: field[0] not in _FIRST)
    return b"\n".join(_field(name.encode(), value) for name, value in ordered)


def _field(name: bytes, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    if isinstance(value, bytes) or b"\n" in data:
        return name + b"\n" + len(data).to_bytes(8, "little") + data
    return name + b"=" + data

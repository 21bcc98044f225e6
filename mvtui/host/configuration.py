"""What a person has chosen for every run: `/etc/mvtui/config.toml`, and before it the one in their own directory."""

import os
from collections.abc import Sequence
from pathlib import Path

from mvtui.errors import MvtuiError

_NAME = "mvtui/config.toml"
_KEYS = ("definitions",)


def configuration_files() -> tuple[Path, ...]:
    """Where configurations are looked for, the one that counts more last: that of the host, that of the person
    (XDG Base Directory Specification, `XDG_CONFIG_HOME`)."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path("/etc") / _NAME, Path(home) / _NAME


def configured_definitions(files: Sequence[Path] | None = None) -> Path | None:
    """`definitions`: the absolute directory of the definition files, None where nobody has chosen one. `files`: as
    `configuration_files`, which are meant by default. Raises MvtuiError: one can't be read, is no TOML, has an unknown
    key or a wrong value, or belongs to somebody who is neither root nor this
    person."""
    chosen = None
    for path in configuration_files() if files is None else files:
        if os.path.lexists(path):
            chosen = _definitions_in(path) or chosen
    return chosen


def _definitions_in(path: Path) -> Path | None:
    # Only where there is a file: without one, mvtui list goes without these.
    from mvtui.host.documents import parse, read_text  # noqa: PLC0415

    try:
        owner = os.stat(path).st_uid
    except OSError as error:
        raise MvtuiError(f"{path}: {(error.strerror or '').lower()}", "mend or remove it") from None
    # Whoever has become root by sudo(8) is the same person.
    if str(owner) not in ("0", str(os.geteuid()), os.environ.get("SUDO_UID")):
        raise MvtuiError(f"{path} belongs to user {owner}: mvtui takes nothing from it", "chown it, or remove it")
    values = parse(path, read_text(path) or "")
    for key in values:
        if key not in _KEYS:
            raise MvtuiError(f"{path}: there is no option {key!r}", f"the options are {', '.join(_KEYS)}")
    value = values.get("definitions")
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise MvtuiError(
            f"{path}: definitions is an absolute path, not {value!r}", 'definitions = "/etc/nixos/microvms"'
        )
    return Path(value)

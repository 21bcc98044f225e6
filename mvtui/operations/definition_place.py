"""Where the definition file of a microVM is, or would be made."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from mvtui.host.ports import DEFAULT_DEFINITIONS, Host
from mvtui.model.microvm import MicroVM

# A flake reference that is a directory of this host (nix3-flake(1)); what follows `?` and `#` is not the path.
_LOCAL = re.compile(r"(?:(?:git\+)?file://|path:(?://)?)?(/[^?#]*)(?:[?#].*)?")


def find_document(host: Host, microvm: MicroVM) -> Path | None:
    """The definition file of `microvm` (a path of this process), None where there is none: NAME.toml in
    `host.definitions`, else in the microVM's flake or its folder microvms, where that is a directory of this host."""
    return next((place for place in _places(host, microvm) if os.path.lexists(place)), None)


def is_in_definitions(host: Host, microvm: MicroVM) -> bool:
    """Whether its definition file is one of the host's definitions. Where its flake is, the microVM's user says: what
    another user, or a guest's root on a share, wrote there is not root's choice."""
    return find_document(host, microvm) == next(_places(host, microvm))


def document_place(host: Host, microvm: MicroVM) -> Path:
    """As `find_document`; where there is none, where it is to be made. A flake reads nothing outside of itself: with
    the definitions of NixOS elsewhere, in the flake."""
    found = find_document(host, microvm)
    if found is not None:
        return found
    first, *others = _places(host, microvm)
    if host.definitions != DEFAULT_DEFINITIONS or not others:
        return first
    flake = others[0].parent
    if Path(os.path.realpath(first)).is_relative_to(os.path.realpath(flake)):
        return first
    in_folder = others[1]
    return in_folder if in_folder.parent.is_dir() else others[0]


def local_flake(host: Host, microvm: MicroVM) -> Path | None:
    """The directory of the microVM's flake (a path of this process); None where it is fully declarative, its flake is
    not of this host, or the directory may be another's trap: who can write in the state directory, which the flake's
    name stands in, must not own what root then writes."""
    reference = microvm.entry.flake if microvm.entry is not None else None
    matched = _LOCAL.fullmatch(reference) if reference else None
    path = unquote(matched[1]) if matched is not None else "\0"
    if "\0" in path:
        return None
    place = host.on_disk(path)
    return place if _trusted(host, place) else None


def _places(host: Host, microvm: MicroVM) -> Iterator[Path]:
    """The first is told without a look at the host."""
    name = f"{microvm.name}.toml"
    yield host.on_disk(host.definitions) / name
    flake = local_flake(host, microvm)
    if flake is not None:
        yield flake / name
        yield flake / "microvms" / name


def _trusted(host: Host, directory: Path) -> bool:
    """Whether no part of the way to the directory belongs to the state directory's owner, unless that is this user or
    root."""
    try:
        stranger = os.stat(host.on_disk(host.state_dir)).st_uid
        if stranger in (0, os.geteuid()):
            return True
        real = Path(os.path.realpath(directory, strict=True))
        return all(os.stat(each).st_uid != stranger for each in (real, *real.parents))
    except (OSError, ValueError):
        return False

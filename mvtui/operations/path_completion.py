"""Paths of the host that begin with what was typed."""

import os

from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM


def complete_path(host: Host, microvm: MicroVM, typed: str, *, directories: bool) -> tuple[str, ...]:
    """Those in its directory, sorted; a relative one lies in the state directory. Blocking."""
    folder, slash, start = typed.rpartition("/")
    place = host.on_disk(folder + slash) if typed.startswith("/") else host.on_disk(f"{microvm.path}/{folder}")
    try:
        with os.scandir(place) as found:
            names = [
                each.name + ("/" if each.is_dir() else "")
                for each in found
                if each.name.startswith(start) and (each.is_dir() or not directories)
            ]
    except OSError:
        return ()
    return tuple(sorted(f"{folder}{slash}{name}" for name in names if start or not name.startswith(".")))

"""Which microVM a process belongs to: by its cgroup, else by its working directory."""

from collections.abc import Iterator
from typing import NamedTuple

from mvtui.model.unit import parse_unit_name


class Owner(NamedTuple):
    """The microVM that a process belongs to; `unit` is None where no cgroup says so."""

    microvm: str
    unit: str | None


def manager_root(text: str) -> str:
    """Where systemd's own cgroups begin, from what /proc/1/cgroup says: "" on a host, a path in some containers."""
    paths = [path for path in _systemd_paths(text) if path != "/"]
    return paths[-1].removesuffix("/init.scope") if paths else ""


def owner_by_cgroup(text: str, root: str = "") -> Owner | None:
    """What /proc/PID/cgroup says: cgroups(7), of version 1 (`1:name=systemd:PATH`), 2 (`0::PATH`), or both.

    Only a unit that stands in slices alone, seen from `root` (manager_root), is this host's: what calls itself
    `microvm@web.service` within a user's manager or a container is none of it.
    """
    for path in _systemd_paths(text):
        if not path.startswith(f"{root}/"):
            continue
        for component in path.removeprefix(root).split("/")[1:]:
            # systemd puts `_` before names that the kernel would take for its own files (cg_escape).
            name = component.removeprefix("_")
            if (parsed := parse_unit_name(name)) is not None:
                return Owner(parsed[1], name)
            if not name.endswith(".slice"):
                break
    return None


def _systemd_paths(text: str) -> Iterator[str]:
    """The cgroups that systemd manages: those of version 2, and of version 1's `name=systemd`."""
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers in ("", "name=systemd"):
            yield path


def microvm_of_directory(directory: str, state_dir: str) -> str | None:
    """The name below `state_dir` that `directory` (absolute, links resolved) is or lies in."""
    prefix = state_dir.rstrip("/") + "/"
    if not directory.startswith(prefix):
        return None
    name = directory[len(prefix) :].partition("/")[0]
    return name if name and not name.startswith(".") else None

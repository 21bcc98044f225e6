"""Which microVM a process belongs to: by its cgroup, else by its working directory and what it runs."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mvtui.model.unit import parse_unit_name

_INTERPRETER = re.compile(r"(ba|da)?sh|busybox|(python|tclsh)[\d.]*")
_HYPERVISORS = frozenset(("cloud-hypervisor", "firecracker", "crosvm", "lkvm", "stratovirt", "alioth"))
_DAEMONS = frozenset(("virtiofsd", "supervisord"))
# In a runner `bin/microvm-run`, in the store `microvm-HOSTNAME-microvm-run`.
_SCRIPT = re.compile(r"(.+-)?(microvm-run|microvm-shutdown|virtiofsd-run)")


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


def is_part_of_microvm(exe: str | None, argv: Sequence[str]) -> bool:
    """True for a hypervisor, virtiofsd, its supervisord, and the scripts of a runner; false for everything else that
    may stand in a microVM's directory, such as a person's shell."""
    if argv and argv[0].startswith("microvm@"):
        return True
    return any(
        name in _HYPERVISORS or name in _DAEMONS or name.startswith("qemu-system-") for name in _names(exe, argv)
    ) or (_is_interpreter(exe, argv) and len(argv) > 1 and _SCRIPT.fullmatch(_name(argv[1])) is not None)


def is_virtiofsd(exe: str | None, argv: Sequence[str]) -> bool:
    """True for a virtiofsd."""
    return "virtiofsd" in _names(exe, argv)


def _names(exe: str | None, argv: Sequence[str]) -> Iterator[str]:
    if exe:
        yield _name(exe)
    if argv:
        yield _name(argv[0])
    if len(argv) > 1 and _is_interpreter(exe, argv):
        yield _name(argv[1])


def _is_interpreter(exe: str | None, argv: Sequence[str]) -> bool:
    program = exe or (argv[0] if argv else "")
    return _INTERPRETER.fullmatch(_name(program)) is not None


def _name(path: str) -> str:
    """The program's name; Nix's wrapper of `x` runs `.x-wrapped`."""
    name = os.path.basename(path)
    if name.startswith(".") and name.endswith("-wrapped"):
        return name[1:].removesuffix("-wrapped")
    return name

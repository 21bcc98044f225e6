"""What a process is to a microVM, by the name of its program."""

import os
import re
from collections.abc import Iterator, Sequence

_INTERPRETER = re.compile(r"(ba|da)?sh|busybox|(python|tclsh)[\d.]*")
_HYPERVISORS = frozenset(("cloud-hypervisor", "firecracker", "crosvm", "lkvm", "stratovirt", "alioth"))
_DAEMONS = frozenset(("virtiofsd", "supervisord"))
# In a runner `bin/microvm-run`, in the store `microvm-HOSTNAME-microvm-run`.
_SCRIPT = re.compile(r"(.+-)?(microvm-run|microvm-shutdown|virtiofsd-run)")


def is_part_of_microvm(exe: str | None, argv: Sequence[str]) -> bool:
    """True for a hypervisor, virtiofsd, its supervisord, and the scripts of a runner; false for everything else that
    may stand in a microVM's directory, such as a person's shell."""
    if argv and argv[0].startswith("microvm@"):
        return True
    return _script(exe, argv) is not None or any(
        name in _HYPERVISORS or name in _DAEMONS or name.startswith("qemu-system-") for name in _names(exe, argv)
    )


def serves_shares(exe: str | None, argv: Sequence[str]) -> bool:
    """True for virtiofsd, its supervisord, and the script that starts both."""
    script = _script(exe, argv)
    return any(name in _DAEMONS for name in _names(exe, argv)) or (script is not None and script[2] == "virtiofsd-run")


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


def _script(exe: str | None, argv: Sequence[str]) -> re.Match[str] | None:
    """The script of a runner that an interpreter runs."""
    return _SCRIPT.fullmatch(_name(argv[1])) if len(argv) > 1 and _is_interpreter(exe, argv) else None


def _is_interpreter(exe: str | None, argv: Sequence[str]) -> bool:
    program = exe or (argv[0] if argv else "")
    return _INTERPRETER.fullmatch(_name(program)) is not None


def _name(path: str) -> str:
    """The program's name; Nix's wrapper of `x` runs `.x-wrapped`."""
    name = os.path.basename(path)
    if name.startswith(".") and name.endswith("-wrapped"):
        return name[1:].removesuffix("-wrapped")
    return name

"""What the command line of a hypervisor or a virtiofsd says of its microVM.

The same readers serve the exec line of bin/microvm-run and /proc/PID/cmdline.
"""

import posixpath
import re
from collections.abc import Mapping, Sequence

from mvtui.host.hypervisor_arguments import READERS, ReadFile, options_of, read_firecracker
from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.model.hypervisor import Hypervisor

# How `prettyProcnames` renames a hypervisor: `exec -a "microvm@HOST"`.
_PRETTY = "microvm@"
_PROGRAMS: Mapping[str, Hypervisor] = {
    "qemu-kvm": Hypervisor.QEMU,
    "cloud-hypervisor": Hypervisor.CLOUD_HYPERVISOR,
    "firecracker": Hypervisor.FIRECRACKER,
    "crosvm": Hypervisor.CROSVM,
    "lkvm": Hypervisor.KVMTOOL,
    "stratovirt": Hypervisor.STRATOVIRT,
    "alioth": Hypervisor.ALIOTH,
}
# Their other subcommands (`crosvm powerbtn`, `lkvm balloon`) are tools that talk to a running hypervisor.
_WITH_SUBCOMMAND = frozenset((Hypervisor.CROSVM, Hypervisor.KVMTOOL, Hypervisor.ALIOTH))
_INTERPRETER = re.compile(r"(python|tclsh|expect)[\d.]*|(ba|da|)sh")
_UNBUFFER = "unbuffer"
# An option that microvm.nix gives to this hypervisor always and to no other one: what tells them apart where the
# name is `microvm@HOST` and /proc/PID/exe can't be read.
_MARKS: Mapping[str, Hypervisor] = {
    "-nodefaults": Hypervisor.QEMU,
    "--initramfs": Hypervisor.CLOUD_HYPERVISOR,
    "--config-file": Hypervisor.FIRECRACKER,
    "--initrd": Hypervisor.CROSVM,
    "--rng": Hypervisor.KVMTOOL,
    "--num-cpu": Hypervisor.ALIOTH,
}
_MAX_PREFIX = 6


def which_hypervisor(argv: Sequence[str], exe: str | None = None) -> Hypervisor | None:
    """The hypervisor that runs with `argv`; `exe` is the target of /proc/PID/exe, None where it can't be read.

    None for other programs, for a hypervisor's tools (`crosvm powerbtn`), and for the `unbuffer` before stratovirt:
    that one's child is the hypervisor.
    """
    found, start = _find(argv, exe)
    before = [_program(word) for word in (exe or "", *argv[: start - 1])]
    is_parent = _UNBUFFER in before or (start > 1 and argv[0].startswith(_PRETTY))
    return None if is_parent else found


def read_command_line(
    argv: Sequence[str],
    *,
    read_file: ReadFile,
    exe: str | None = None,
    hypervisor: Hypervisor | None = None,
) -> Definition:
    """What a hypervisor's command line defines. Never raises; what it does not tell is None.

    `read_file` gives the text of firecracker's configuration, None where it can't be read. `exe` is the executable
    where argv does not name it, `hypervisor` is what to take where neither tells.
    """
    found, start = _find(argv, exe)
    found = found or hypervisor
    name = argv[0].removeprefix(_PRETTY) if argv and argv[0].startswith(_PRETTY) else None
    if found is None:
        return Definition(host_name=name)
    options = options_of(argv[start:])
    is_firecracker = found is Hypervisor.FIRECRACKER
    definition = read_firecracker(options, read_file) if is_firecracker else READERS[found](options)
    return definition._replace(hypervisor=found, host_name=definition.host_name or name)


def read_virtiofsd(argv: Sequence[str], tag: str | None = None) -> Share | None:
    """The share that a virtiofsd serves; None for another program. Its own options name the tag with crosvm alone:
    `tag` is what else is known of it.

    Understands virtiofsd's own options and `-o source=DIR,cache=…`, which it takes for the sake of QEMU's old one.
    """
    if "virtiofsd" not in (_program(word) for word in argv[:2]):
        return None
    options = options_of(argv[1:])
    old = dict(item.partition("=")[::2] for value in options.get("-o", ()) for item in value.split(","))

    def value(name: str) -> str | None:
        return next(iter(options.get(name, ())), None)

    socket, source = value("--socket-path"), value("--shared-dir") or old.get("source")
    if socket is None and source is None:
        return None
    cache = value("--cache") or old.get("cache") or "auto"
    return Share(
        tag=tag if tag is not None else value("--tag"),
        proto=ShareProto.VIRTIOFS,
        source=source,
        socket=socket,
        read_only="--readonly" in options,
        cache="never" if cache == "none" else cache,
        posix_acl="--posix-acl" in options or "posix_acl" in old,
    )


def join_shares(definition: Definition, virtiofsd_shares: Sequence[Share]) -> Definition:
    """`definition` with its virtiofs shares completed by those that virtiofsd serves on the same sockets."""
    return definition._replace(shares=completed_shares(definition.shares, virtiofsd_shares))


def completed_shares(shares: Sequence[Share], others: Sequence[Share]) -> tuple[Share, ...]:
    """`shares` where each virtiofs one has what it does not tell itself from the one of `others` with its socket."""
    served = {posixpath.normpath(share.socket): share for share in others if share.socket}

    def complete(share: Share) -> Share:
        other = served.get(posixpath.normpath(share.socket)) if share.socket else None
        if other is None or share.proto is not ShareProto.VIRTIOFS:
            return share
        return share._replace(
            tag=share.tag if share.tag is not None else other.tag,
            source=share.source if share.source is not None else other.source,
            read_only=share.read_only if share.read_only is not None else other.read_only,
            cache=share.cache if share.cache is not None else other.cache,
            posix_acl=share.posix_acl if share.posix_acl is not None else other.posix_acl,
        )

    return tuple(complete(share) for share in shares)


def _find(argv: Sequence[str], exe: str | None) -> tuple[Hypervisor | None, int]:
    """The hypervisor and where its arguments begin."""
    named = _hypervisor_called(_program(exe)) if exe is not None else None
    start = 0
    for index, word in enumerate(argv[:_MAX_PREFIX]):
        program = _program(word)
        if (hypervisor := _hypervisor_called(program)) is not None:
            named, start = hypervisor, index
            break
        follows_interpreter = index > 0 and word.startswith("-") and _is_prefix(argv[index - 1], index - 1)
        if not (_is_prefix(word, index) or follows_interpreter):
            break
    start += 1
    if named is None and argv and argv[0].startswith(_PRETTY):
        named = next((hypervisor for word in argv if (hypervisor := _MARKS.get(word)) is not None), None)
    if named in _WITH_SUBCOMMAND and tuple(argv[start : start + 1]) != ("run",):
        return None, start
    return named, start


def _is_prefix(word: str, index: int) -> bool:
    """True for what may stand before the hypervisor's name: an interpreter, unbuffer, the process's pretty name."""
    program = _program(word)
    pretty = index == 0 and word.startswith(_PRETTY)
    return pretty or program == _UNBUFFER or _INTERPRETER.fullmatch(program) is not None


def _hypervisor_called(program: str) -> Hypervisor | None:
    return Hypervisor.QEMU if program.startswith("qemu-system-") else _PROGRAMS.get(program)


def _program(path: str) -> str:
    """The name of an executable; Nix calls a wrapped one `.NAME-wrapped`, the kernel adds ` (deleted)`."""
    name = path.removesuffix(" (deleted)").rpartition("/")[2]
    return name[1:].partition("-wrapped")[0] if name.startswith(".") else name

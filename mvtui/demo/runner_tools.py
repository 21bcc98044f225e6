"""The programs that a sample runner calls, and how their arguments are quoted."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9,._+:@%/-]+")


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that a runner's scripts call, and what is not part of a definition.

    `hypervisor`, `virtiofsd`, `supervisord`, `socat`, `curl`, `unbuffer` (stratovirt) are executables; `bash` and
    `python` stand in the scripts' first lines; `mkfs_path` are the directories with mkfs.*, truncate and chattr.
    `socket_group` is the option `microvm.virtiofsd.group`. `supervisord_user` must be None where the package is run
    without root.

    QEMU without KVM: `cpu="max"`, `machine_opts={"accel": "tcg"}` (options `microvm.cpu`, `microvm.qemu.machineOpts`;
    the latter is merged into the defaults here); `aio="threads"` where io_uring is forbidden. `kernel_params` stand
    before `init=`. `extra_args` end the command line, as `microvm.qemu.extraArgs`.
    """

    hypervisor: str
    kernel: str = "/nix/store/kernel/bzImage"
    initrd: str = "/nix/store/initrd/initrd"
    store_disk: str = "/nix/store/microvm-store-disk.erofs"
    bash: str = "/bin/bash"
    python: str = sys.executable
    virtiofsd: str = "virtiofsd"
    supervisord: str = "supervisord"
    socat: str = "socat"
    curl: str = "curl"
    unbuffer: str = "unbuffer"
    mkfs_path: tuple[str, ...] = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
    socket_group: str | None = "kvm"
    supervisord_user: str | None = "root"
    virtiofsd_args: tuple[str, ...] = ()
    cpu: str | None = None
    machine_opts: Mapping[str, str] | None = None
    aio: str = "io_uring"
    kernel_params: tuple[str, ...] = ()
    extra_args: tuple[str, ...] = ()
    pretty_procnames: bool = True


def quoted(word: str) -> str:
    """One shell word, quoted as nixpkgs' `lib.escapeShellArg` does: in single quotes where it must be."""
    if _NEEDS_NO_QUOTES.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"

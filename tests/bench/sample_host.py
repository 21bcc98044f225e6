"""State directories with as many microVMs as a benchmark wants, their runners in the form of microvm.nix."""

import os
import shutil
from pathlib import Path

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.model.definition import Definition, Share, ShareProto, Volume

SPEC = Definition(
    host_name="sample",
    mem=512,
    vcpu=1,
    shares=(
        Share("ro-store", ShareProto.VIRTIOFS, source="/nix/store", mount_point="/nix/.ro-store"),
        Share("home", ShareProto.VIRTIOFS, source="/srv/home", mount_point="/home"),
    ),
    volumes=(Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64),),
    writable_store_overlay="/nix/.rw-store",
)


def build(folder: Path, count: int) -> Path:
    """A state directory of `count` stopped microVMs below `folder`, each with a runner of its own; its path."""
    store, states = folder / "store", folder / f"microvms-{count}"
    pattern = build_runner(SPEC, store / "0-microvm-qemu-sample", Tools(hypervisor="/bin/qemu-system-x86_64"))
    states.mkdir()
    for number in range(count):
        name = f"vm{number:04}"
        runner = store / f"{number + 1}-microvm-qemu-{name}"
        shutil.copytree(pattern, runner, symlinks=True, copy_function=os.link)
        (states / name).mkdir()
        for link in ("current", "toplevel"):
            (states / name / link).symlink_to(runner)
    return states

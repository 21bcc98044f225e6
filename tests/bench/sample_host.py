"""State directories with as many microVMs as a benchmark wants, their runners in the form of microvm.nix."""

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
    tools = Tools(hypervisor="/bin/qemu-system-x86_64")
    for number in range(count):
        name = f"vm{number:04}"
        spec = SPEC._replace(host_name=name)
        runner = build_runner(spec, store / f"{number}-microvm-qemu-{name}", tools)
        (states / name).mkdir(parents=True)
        for link in ("current", "toplevel"):
            (states / name / link).symlink_to(runner)
    return states

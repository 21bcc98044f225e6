"""A host with one microVM, `web`: its directory and its runner are real, what runs is what the test says."""

from pathlib import Path

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.fakes import FakeProcesses, FakeUnits, fake_host, process, unit

WEB = Definition(
    host_name="web",
    mem=512,
    vcpu=2,
    shares=(
        Share("ro-store", ShareProto.VIRTIOFS, source="/nix/store", mount_point="/nix/.ro-store"),
        Share("docs", ShareProto.NINE_P, source="docs", mount_point="/docs"),
    ),
    volumes=(Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64),),
    writable_store_overlay="/nix/.rw-store",
)
_QEMU = (
    "microvm@web -name web -nodefaults -m 512M -smp 2 -qmp unix:web.sock,server,nowait "
    "-drive id=vda,format=raw,file=nix-store-overlay.img,if=none,aio=io_uring,read-only=off "
    "-device virtio-blk-pci,drive=vda "
    "-chardev socket,id=fs0,path=web-virtiofs-ro-store.sock -device vhost-user-fs-pci,chardev=fs0,tag=ro-store "
    "-fsdev local,id=fs1,path=docs,security_model=none,readonly=off "
    "-device virtio-9p-pci,fsdev=fs1,mount_tag=docs"
)
QEMU = tuple(_QEMU.split())
VIRTIOFSD = ("/bin/virtiofsd", "--socket-path=web-virtiofs-ro-store.sock", "--shared-dir=/nix/store", "--cache=auto")


def build_web(folder: Path, definition: Definition = WEB) -> Host:
    """The host, nothing runs."""
    runner = build_runner(
        definition, folder / "store" / "1-microvm-qemu-web", Tools(hypervisor="/bin/qemu-system-x86_64")
    )
    directory = folder / "microvms" / "web"
    (directory / "docs").mkdir(parents=True)
    (directory / "current").symlink_to(runner)
    return fake_host(folder / "microvms", FakeUnits(), FakeProcesses())


def units_of(host: Host) -> FakeUnits:
    assert isinstance(host.units, FakeUnits)
    return host.units


def processes_of(host: Host) -> FakeProcesses:
    assert isinstance(host.processes, FakeProcesses)
    return host.processes


def run_web(host: Host, *, daemons: int = 2) -> None:
    """`web` runs: both units, the hypervisor, and so many virtiofsd processes (parent, child)."""
    for name in ("microvm@web.service", "microvm-virtiofsd@web.service"):
        units_of(host).units[name] = unit(name)
    hypervisor = process(100, "web", *QEMU)._replace(exe="/bin/qemu-system-x86_64")
    daemon = process(90, "web", *VIRTIOFSD)._replace(connected_sockets=frozenset({"web-virtiofs-ro-store.sock"}))
    known = [hypervisor, daemon, daemon._replace(pid=91, ppid=90)][: 1 + daemons]
    processes_of(host).living = {each.pid: each for each in known}
    link = host.state_dir / "web" / "booted"
    if not link.is_symlink():
        link.symlink_to((host.state_dir / "web" / "current").readlink())

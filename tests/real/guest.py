"""A guest that QEMU really boots: Debian's kernel, and a busybox initramfs that mounts what it is told to."""

import gzip
import hashlib
import lzma
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.real.packages import UnavailableError, debian, download, made_once, program

INIT = Path(__file__).with_name("guest_init.sh")
# What a guest of microvm.nix needs, in the order of loading. (Debian's cloud kernel has no 9p.)
MODULES = """
drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev
drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci drivers/virtio/virtio_mmio drivers/block/virtio_blk
drivers/char/hw_random/virtio-rng lib/crc16 crypto/crc32c_generic arch/x86/crypto/crc32c-intel lib/libcrc32c
fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4 fs/netfs/netfs fs/fscache/fscache net/9p/9pnet net/9p/9pnet_virtio fs/9p/9p
fs/fuse/fuse fs/fuse/virtiofs fs/overlayfs/overlay drivers/acpi/button
"""


def guest() -> Path:
    """A folder with `vmlinux` and `initrd.img`. Raises UnavailableError where its parts can't be had."""
    return made_once(f"guest-{_version(INIT, Path(__file__))}", _build)


def _version(*made_by: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_by)).hexdigest()[:12]


def _build(folder: Path) -> None:
    kernel = made_once(f"kernel-{_version(Path(__file__))}", _take_kernel)
    busybox = program("busybox", "busybox-static")
    cpio = program("cpio", "cpio")
    root = folder / "root"
    for name in ("bin", "dev", "proc", "sys", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy2(busybox, root / "bin/busybox")
    shutil.copy2(INIT, root / "init")
    (root / "init").chmod(0o755)
    shutil.copytree(kernel / "modules", root / "lib/modules")
    (folder / "vmlinux").hardlink_to(kernel / "vmlinux")
    names = "\0".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        [cpio, "--null", "--create", "--format=newc", "--quiet"],
        cwd=root,
        input=names.encode(),
        capture_output=True,
        check=True,
    ).stdout
    (folder / "initrd.img").write_bytes(gzip.compress(archive, compresslevel=1))
    shutil.rmtree(root)


def _kernel_package() -> str:
    debian()
    depends = subprocess.run(
        ["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=False
    ).stdout
    for line in depends.splitlines():
        if line.strip().startswith("Depends:"):
            return line.split()[-1]
    raise UnavailableError("apt knows no linux-image-amd64: apt-get update")


def _take_kernel(folder: Path) -> None:
    """Out of the kernel's package: `vmlinux`, and in `modules` those that it has (what is missing is built in)."""
    package = _kernel_package()
    modules = folder / "modules"
    modules.mkdir()
    release = package.removeprefix("linux-image-")
    wanted = {f"./lib/modules/{release}/kernel/{module}.ko": Path(module).name + ".ko" for module in MODULES.split()}
    found: set[str] = set()
    with tempfile.TemporaryDirectory() as downloads:
        deb = download(package, Path(downloads))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
            assert unpack.stdout is not None
            with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
                for member in archive:
                    file = archive.extractfile(member) if member.isfile() else None
                    if file is None:
                        continue
                    if member.name == f"./boot/vmlinuz-{release}":
                        (folder / "vmlinux").write_bytes(_uncompressed(file.read()))
                    elif member.name in wanted:
                        (modules / wanted[member.name]).write_bytes(file.read())
                        found.add(member.name)
    order = [name for path, name in wanted.items() if path in found]
    (modules / "order").write_text("\n".join(order) + "\n")


def _uncompressed(vmlinuz: bytes) -> bytes:
    """The ELF kernel in a bzImage: QEMU boots it through its PVH note, which saves the guest the unpacking (3 s)."""
    return lzma.LZMADecompressor().decompress(vmlinuz[vmlinuz.index(b"\xfd7zXZ\0") :])

"""MicroVMs whose overlay is reset, and what must stay the same beside it."""

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.real.host import STATE_DIR, RealHost, sample

IMAGE = "nix-store-overlay.img"


def on_volume(name: str) -> Definition:
    """A microVM with its overlay on a volume, and with another volume at `/data`."""
    whole = sample(name)
    return whole._replace(volumes=(*whole.volumes, Volume("data.img", mount_point="/data", size=16)))


def on_share(name: str) -> Definition:
    """The same, but for the overlay: it is on a virtiofs share."""
    whole = on_volume(name)
    overlay = Share("rw-store", ShareProto.VIRTIOFS, f"/srv/{name}/overlay", whole.writable_store_overlay)
    return whole._replace(shares=(*whole.shares, overlay), volumes=whole.volumes[1:])


def image(host: RealHost, name: str) -> Path:
    """The image of the overlay, out here."""
    return host.nested.path(f"{STATE_DIR}/{name}/{IMAGE}")


def digests(folders: Iterable[Path], *, but: Iterable[str] = ()) -> dict[str, str]:
    """By path, what each entry below these folders is: kind, mode, owner, size, time of its last change and a digest
    of its bytes. Entries named in `but` are left out, with all below them."""
    left_out = set(but)
    found = {}
    for folder in folders:
        for below, directories, files in os.walk(folder):
            directories[:] = [name for name in directories if name not in left_out]
            for name in [*directories, *(file for file in files if file not in left_out)]:
                path = Path(below, name)
                status = path.lstat()
                content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else ""
                content = os.readlink(path) if path.is_symlink() else content
                found[str(path)] = (
                    f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {status.st_mtime_ns} "
                    f"{status.st_size if content else ''} {content}"
                )
    return found

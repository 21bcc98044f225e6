"""Runners as the modules of microvm.nix write them: recorded by tests/nix/renew.py, put on disk without Nix."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import IGNORES_DIRECT, IGNORES_SERIAL, WITH_9P, WITHOUT_VIRTIOFS
from tests.nix.documents import OVERLAY, STORE, Document

RECORD = Path(__file__).parent.parent / "host" / "runners_recorded.jsonl"

# See judge.nix: a name, and the text of what is written under it.
_WRITTEN = re.compile("\x01([^\x01\x02\x03]*)\x02([^\x01\x02\x03]*)\x03")
_HASH = re.compile("/nix/store/0{32}-")


class Recorded(NamedTuple):
    """The definition file, the script that makes its runner, and the guest's mounts: `mountPoint`, `device`, `fsType`,
    `options`, `overlay`."""

    document: str
    runner: str
    mounts: Sequence[dict[str, Any]]


def recorded() -> list[Recorded]:
    """All of RECORD."""
    lines = RECORD.read_text(encoding="utf-8").splitlines()
    return [Recorded(**json.loads(line)) for line in lines[1:]]


def documents() -> Iterator[Document]:
    """For each hypervisor what it can have at most: with the host's store and an overlay, with a store disk, and
    nothing."""
    for hypervisor in Hypervisor:
        top = {"hypervisor": str(hypervisor), "mem": 768, "vcpu": 3, "vsock": {"cid": 7}}
        shares, volumes = _shares(hypervisor), _volumes(hypervisor)
        if shares:
            yield {**top, "writableStoreOverlay": OVERLAY, "shares": shares, "volumes": volumes}
        yield {**top, "storeOnDisk": True, "writableStoreOverlay": OVERLAY, "shares": shares[1:], "volumes": volumes}
        yield {**top, "volumes": volumes[1:]}


def _shares(hypervisor: Hypervisor) -> list[Document]:
    home = {"tag": "home", "source": "/srv/it's mine", "mountPoint": "/ho me"}
    docs: Document = {"tag": "docs", "source": "the docs", "mountPoint": "/docs", "proto": "9p"}
    if hypervisor is Hypervisor.QEMU:
        docs |= {"securityModel": "mapped", "readOnly": True}
    nine_p = [docs] if hypervisor in WITH_9P else []
    if hypervisor in WITHOUT_VIRTIOFS:
        return [{**STORE, "proto": "9p"}, *nine_p] if nine_p else []
    more = {"proto": "virtiofs", "cache": "always", "posixAcl": False, "extraArgs": ["--allow-direct-io"]}
    return [{**STORE, "readOnly": True}, {**home, **more}, {**home, **more, **_relative()}, *nine_p]


def _relative() -> Document:
    return {"tag": "data", "source": "dä ta", "mountPoint": "/data/ö", "socket": "a b.sock", "extraArgs": []}


def _volumes(hypervisor: Hypervisor) -> list[Document]:
    disk: Document = {"image": "/data/gr 2.img", "mountPoint": "/big", "size": 300, "fsType": "xfs", "readOnly": True}
    disk |= {"direct": True} if hypervisor not in IGNORES_DIRECT else {}
    disk |= {"serial": "S1"} if hypervisor not in IGNORES_SERIAL else {}
    return [
        {"image": "rw.img", "mountPoint": OVERLAY, "size": 512, "label": "rw", "mkfsExtraArgs": ["-O", "^x", "-q"]},
        disk,
        {"image": "esp.img", "mountPoint": "/boot", "size": 64, "fsType": "vfat", "label": "ESP"},
        {"image": "by hand.img", "mountPoint": "/by hand", "autoCreate": False},
        {"image": "bare.img", "size": 8},
    ]


def put_on_disk(runner: Recorded, root: Path) -> str:
    """The runner and the guest's fstab below `root`; the host's path of it."""
    store = root / "nix" / "store"
    store.mkdir(parents=True)
    script, count = runner.runner, 0
    name = ""
    while found := _WRITTEN.search(script):
        count += 1
        name, text = found[1], found[2]
        (store / f"{count}-{name}").write_text(text)
        script = f"{script[: found.start()]}/nix/store/{count}-{name}{script[found.end() :]}"
    # The last is the package, whose script has made it.
    made = store / f"{count}-{name}"
    commands = made.read_text()
    made.unlink()
    subprocess.run(["bash", "-euc", commands], env={**os.environ, "out": str(made)}, check=True)
    etc = next(iter(_HASH.findall(runner.runner))) + "nixos-system/etc"
    fstab = root / etc.lstrip("/") / "fstab"
    fstab.parent.mkdir(parents=True)
    fstab.write_text("".join(map(_fstab_line, runner.mounts)))
    return f"/nix/store/{made.name}"


def _fstab_line(mount: dict[str, Any]) -> str:
    """As nixpkgs writes it (tasks/filesystems.nix, filesystems/overlayfs.nix)."""
    options = list(mount["options"])
    if overlay := mount["overlay"]:
        options = [one for one in options if not one.startswith("lowerdir=")]
        options += [f"lowerdir={':'.join(overlay['lowerdir'])}"]
        options += [f"{key}={overlay[key]}" for key in ("upperdir", "workdir")]
    fields = (mount["device"], mount["mountPoint"], mount["fsType"], ",".join(options))
    return " ".join(field.replace(" ", "\\040").replace("\t", "\\011") for field in fields) + " 0 0\n"

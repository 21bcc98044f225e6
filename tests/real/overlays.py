"""MicroVMs whose overlay is reset, what mvtui says of it, who has it in use, and what must stay the same beside it."""

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.host.living import dies_with_us
from tests.real.host import STATE_DIR, Json, RealHost, sample

IMAGE = "nix-store-overlay.img"
REFUSED = 3


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


def asked(host: RealHost, *words: str, exit_code: int = 0) -> Json:
    """The one result of `mvtui reset …` or `restore …`."""
    ran = host.mvtui(*words, "--json", check=False)
    assert ran.returncode == exit_code, ran
    (result,) = json.loads(ran.stdout)["resets"]
    assert isinstance(result, dict)
    return result


def reset(host: RealHost, name: str) -> Json:
    result = asked(host, "reset", "--yes", name)
    assert result["result"] == "done", result
    return result


def refused(host: RealHost, name: str) -> str:
    """Why it is refused, with all that the plan says."""
    result = asked(host, "reset", "--yes", name, exit_code=REFUSED)
    assert result["result"] == "refused", result
    assert result["words"], result
    return json.dumps(result)


def kept(host: RealHost, name: str) -> list[Json]:
    found: list[Json] = json.loads(host.mvtui("show", name, "--json").stdout)["overlay"]["kept"]
    return found


def stopped(host: RealHost, name: str) -> str:
    """A microVM that has never run, its overlay made as at its first start, by the user that it runs as."""
    host.add(on_volume(name))
    path = f"{STATE_DIR}/{name}/{IMAGE}"
    make = f"truncate -s 64M {path} && mkfs.ext4 -q {path}"
    host.nested.run("setpriv", "--reuid=microvm", "--regid=kvm", "--clear-groups", "sh", "-c", make)
    return name


def started(host: RealHost, name: str) -> None:
    """Start it by mvtui, until its guest is ready once more."""
    boots = host.boots(name)
    host.mvtui("start", name)
    host.wait_for_boot(name, boots + 1)


HELD = "echo held && read line"
# Python's own mmap keeps a descriptor.
MAPPED = """
import ctypes, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
mmap = ctypes.CDLL(None).mmap
mmap.restype, mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, *[ctypes.c_long] * 5]
assert mmap(None, 4096, 1, 1, file, 0) not in (None, ctypes.c_void_p(-1).value)
os.close(file)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def running(*argv: str) -> Iterator[None]:
    """While a process runs that has said `held`."""
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dies_with_us,  # noqa: PLW1509 (tests have no threads)
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.stdin.close()

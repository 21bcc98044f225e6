"""Run in mounts of its own: mounts a file system and prints what mvtui says of a share and an image on it.

python -m tests.real.field_checks WHERE DEVICE TYPE SOURCE
"""

import asyncio
import ctypes
import json
import os
import sys
import time
from pathlib import Path

from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import State, StateWord
from mvtui.operations.definition_checks import check_fields
from mvtui.operations.path_completion import COMPLETION_SECONDS, complete_path
from tests.fakes import FakeProcesses, FakeUnits

# For a machine that has as little time as one with other tests beside it.
SECONDS = 1.0
NOT_HERE = 5


def mount(device: str, where: str, fs_type: str) -> None:
    """FUSE without a server: who holds the descriptor never reads from it."""
    options = ""
    if fs_type == "fuse":
        fd = os.open("/dev/fuse", os.O_RDWR)
        os.set_inheritable(fd, True)
        options = f"fd={fd},rootmode=40000,user_id=0,group_id=0"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(device.encode(), where.encode(), fs_type.encode(), 0, options.encode()) != 0:
        print(f"no mount of {fs_type} here: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        raise SystemExit(NOT_HERE)


def main(where: str, device: str, fs_type: str, source: str) -> None:
    mount(device, where, fs_type)
    overlay = "/nix/.rw-store"
    share = Share("t", ShareProto.VIRTIOFS, source, overlay, read_only=False, posix_acl=True)
    volume = Volume(f"{source}/new.img", mount_point="/v", size=64, fs_type="ext4", auto_create=True)
    definition = Definition(shares=(share,), volumes=(volume,), writable_store_overlay=overlay)
    host = Host("hv", FakeUnits(), FakeProcesses(), Path("/nowhere"))
    microvm = MicroVM("web", "/nowhere/web", State(StateWord.STOPPED, None, ""))
    began = time.monotonic()
    for _ in range(3):
        found = asyncio.run(
            check_fields(host, microvm, definition, Snapshot("hv", "/nowhere", "systemd"), seconds=SECONDS)
        )
    complete_path(host, microvm, f"{source}/", directories=True)
    # The first try waits, the others know already.
    assert time.monotonic() - began < 2 * SECONDS + COMPLETION_SECONDS + 20, "it was held up"
    print(json.dumps([finding._asdict() | {"severity": int(finding.severity)} for finding in found]))


if __name__ == "__main__":
    main(*sys.argv[1:])

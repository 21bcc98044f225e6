"""The mounts that this process sees, and on which of them an open file lies: proc_pid_mountinfo(5)."""

import os
import re
from contextlib import suppress
from typing import NamedTuple

_MOUNT_ID = re.compile(rb"^mnt_id:\s*(\d+)$", re.MULTILINE)
# Spaces, tabs, newlines, backslashes and `#` within a field.
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """`device` is the file system's own (os.makedev): what st_dev is but where files have others (subvolumes of
    btrfs). `source` is what is mounted, as the file system calls it: a device, a server, a dataset of ZFS."""

    device: int
    mount_point: str
    fs_type: str
    source: str = ""


class Mounts:
    """The mounts as they are now. Nothing is found where /proc does not tell."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._by_id: dict[int, Mount] = {}
        with suppress(OSError), open(f"{proc}/self/mountinfo", "rb") as file:
            for line in file:
                self._add(line)

    def _add(self, line: bytes) -> None:
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        with suppress(IndexError, ValueError):
            major, minor = fields[2].split(b":")
            fs_type, source = after.rstrip(b"\n").split(b" ")[:2]
            self._by_id[int(fields[0])] = Mount(
                os.makedev(int(major), int(minor)), _text(fields[4]), _text(fs_type), _text(source)
            )

    def of(self, fd: int) -> Mount | None:
        """The mount that `fd`, a descriptor of this process, was opened on."""
        with suppress(OSError), open(f"{self._proc}/self/fdinfo/{fd}", "rb") as file:
            match = _MOUNT_ID.search(file.read())
            return self._by_id.get(int(match[1])) if match else None
        return None

    @property
    def mount_points(self) -> list[str]:
        """Where something is mounted."""
        return [mount.mount_point for mount in self._by_id.values()]

    def of_device(self, device: int) -> list[str]:
        """Where the file system on that block device is mounted."""
        return [mount.mount_point for mount in self._by_id.values() if mount.device == device]


def _text(field: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field))

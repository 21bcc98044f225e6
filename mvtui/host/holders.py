"""Who holds the images of volumes: processes that have them open, locked or mapped, loop devices, mounts. One scan of
the host serves all images; it takes about 5 µs of CPU for each open file of the host."""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mvtui.host.images import find_image, open_image
from mvtui.host.locks import NO_PROCESS, locker, read_locks
from mvtui.host.mappings import Mappings
from mvtui.host.mounts import Mounts
from mvtui.host.open_files import FileId, OpenFiles, file_id
from mvtui.host.process_stat import read_proc
from mvtui.model.facts import Holder

ImageKey = tuple[str, str]
"""The microVM's state directory, and the image as defined."""

_COMMAND_BYTES = 64
_SYSFS_BYTES = 4096


class HolderScan(NamedTuple):
    """What one scan found. `complete`: everything that can hold an image in these ways was seen. `owners` are the
    microVMs of the processes known at the time, by pid."""

    found: Mapping[ImageKey, tuple[Holder, ...]]
    complete: bool
    owners: Mapping[int, str]

    def of(self, image: ImageKey) -> tuple[Holder, ...] | None:
        """Its holders; None where nobody was found and that means nothing."""
        holders = self.found.get(image)
        return holders if holders or self.complete else None


class _Image(NamedTuple):
    """`locks_key` is what /proc/locks calls it; `locker` is None where nobody has a lock that can be asked for."""

    file: FileId
    locks_key: tuple[int, int]
    locker: int | None


def find_holders(
    images: Iterable[ImageKey],
    owners: Mapping[int, str],
    root: Path = Path("/"),
    proc: str = "/proc",
    sysfs: str = "/sys",
    *,
    mapped: bool = False,
) -> HolderScan:
    """Scan the host once for the holders of `images`. Blocking; never raises. An image that does not exist, or whose
    directory may not be entered, has no entry. With `mapped` also for who has it mapped into memory alone.

    Not seen: what kernel services but loop devices, mounts and the device mapper do with it (nbd, an iSCSI target,
    swap); and a mount of a block device in another mount namespace alone.
    """
    mounts = Mounts(proc)
    known = {key: image for key in images if (image := _image(key, root, mounts)) is not None}
    if not known:
        return HolderScan({}, True, owners)
    processes = OpenFiles({image.file for image in known.values()}, proc)
    found: dict[FileId, list[Holder]] = defaultdict(list)
    lockers: dict[FileId, set[int]] = defaultdict(set)
    for pid, file, locked in processes.find():
        found[file].append(Holder(pid, _command(pid, proc), owners.get(pid), "lock" if locked else "open"))
        lockers[file] |= {pid, NO_PROCESS} if locked else set()
    locks = read_locks(proc)
    for image in known.values():
        told = locks.get(image.locks_key, set()) | ({image.locker} if image.locker is not None else set())
        # A flock is told with the pid that took it, which may have left it to its children.
        alive = {pid if os.path.exists(f"{proc}/{pid}") else NO_PROCESS for pid in told}
        for pid in sorted(alive - lockers[image.file] - {os.getpid()}):
            lockers[image.file].add(pid)
            found[image.file].append(_hidden_locker(pid, owners, proc))
    seen_mapped = not mapped or _add_mappers(found, known.values(), owners, proc)
    seen_all = _add_loop_devices(found, {image.file for image in known.values()}, sysfs)
    for file in {image.file for image in known.values() if not image.file.inode}:
        found[file] += _users_of_device(file.device, mounts, sysfs)
    complete = processes.complete and seen_all and seen_mapped
    return HolderScan({key: tuple(found[image.file]) for key, image in known.items()}, complete, owners)


def find_directory_holders(
    paths: Iterable[str], owners: Mapping[int, str], root: Path = Path("/"), proc: str = "/proc"
) -> tuple[tuple[Holder, ...], bool]:
    """Who has one of the directories at the host's absolute `paths` open, and what is mounted at or below one; and
    whether every process was looked at. A directory that does not exist has no holders. Raises OSError for one that
    can't be looked at. Blocking.

    Not seen: a directory that is a process' working directory alone.
    """
    wanted: set[FileId] = set()
    mounted: list[Holder] = []
    mount_points = Mounts(proc).mount_points
    for path in paths:
        on_disk = path if str(root) == "/" else os.path.join(root, path.lstrip("/"))
        with suppress(FileNotFoundError):
            wanted.add(file_id(os.stat(on_disk, follow_symlinks=False)))
        mounted += [
            Holder(None, None, None, f"mounted at {mount_point}")
            for mount_point in mount_points
            if mount_point == on_disk or mount_point.startswith(f"{on_disk.rstrip('/')}/")
        ]
    processes = OpenFiles(wanted, proc)
    pids = sorted({pid for pid, _, _ in processes.find()}) if wanted else []
    open_in = (Holder(pid, _command(pid, proc), owners.get(pid), "open") for pid in pids)
    return (*open_in, *mounted), processes.complete


def _image(key: ImageKey, root: Path, mounts: Mounts) -> _Image | None:
    try:
        place = find_image(*key, root)
    except (OSError, ValueError):
        return None
    try:
        file, mount, lock = file_id(status := os.fstat(place)), mounts.of(place), None
        with suppress(OSError):
            fd = open_image(place)
            try:
                lock = locker(fd)
            finally:
                os.close(fd)
        return _Image(file, (mount.device if mount is not None else status.st_dev, status.st_ino), lock)
    finally:
        os.close(place)


def _hidden_locker(pid: int, owners: Mapping[int, str], proc: str) -> Holder:
    """One whose descriptors were not seen."""
    if pid == NO_PROCESS:
        return Holder(None, None, None, "lock")
    return Holder(pid, _command(pid, proc), owners.get(pid), "lock")


def _add_mappers(
    found: Mapping[FileId, list[Holder]], images: Iterable[_Image], owners: Mapping[int, str], proc: str
) -> bool:
    """Add who has a wanted file mapped and is not found yet; false where not all could be looked at."""
    files = {image.locks_key: image.file for image in images}
    mappings = Mappings(files, proc)
    for pid, key in mappings.find():
        holders = found[files[key]]
        if pid not in {holder.pid for holder in holders}:
            holders.append(Holder(pid, _command(pid, proc), owners.get(pid), "mapped"))
    return mappings.complete


def _command(pid: int, proc: str) -> str | None:
    name = read_proc(f"{proc}/{pid}/comm", _COMMAND_BYTES)
    return os.fsdecode(name.removesuffix(b"\n")) if name is not None else None


def _add_loop_devices(found: Mapping[FileId, list[Holder]], wanted: Iterable[FileId], sysfs: str) -> bool:
    """Add the loop devices that stand on a wanted file; false where they can't be listed."""
    files = frozenset(wanted)
    try:
        names = sorted(name for name in os.listdir(f"{sysfs}/block") if name.startswith("loop"))
    except OSError:
        return False
    for name in names:
        backing = read_proc(f"{sysfs}/block/{name}/loop/backing_file", _SYSFS_BYTES)
        # Where it is deleted there is no image of that name, and where its path means another file here neither.
        with suppress(OSError, ValueError):
            if backing and (file := file_id(os.stat(backing.removesuffix(b"\n")))) in files:
                found[file].append(Holder(None, None, None, f"loop device {name}"))
    return True


def _users_of_device(device: int, mounts: Mounts, sysfs: str) -> Iterable[Holder]:
    """What of the host stands on a block device: mounts, and devices of the device mapper."""
    for mount_point in mounts.of_device(device):
        yield Holder(None, None, None, f"mounted at {mount_point}")
    with suppress(OSError):
        for name in sorted(os.listdir(f"{sysfs}/dev/block/{os.major(device)}:{os.minor(device)}/holders")):
            yield Holder(None, None, None, f"device {name}")

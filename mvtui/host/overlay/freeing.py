"""Rubbish is freed in the background, little by little, so that the host never stalls on it."""

from __future__ import annotations

import errno
import os
import stat
import time

from mvtui.host.overlay.names import FREEING
from mvtui.host.overlay.places import look, names_in, open_only_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mvtui.host.overlay.effects import Effects

STEP_BYTES = 64 << 20


def free(effects: Effects, at: int) -> None:
    """Remove everything named `freeing.*` in the open directory. What can't be removed stays, for the next time."""
    stuck: set[str] = set()
    while names := [name for name in names_in(at) if name.startswith(FREEING) and name not in stuck]:
        for name in names:
            try:
                _free(effects, name, at)
            except FileNotFoundError:  # another frees too
                pass
            except OSError:
                stuck.add(name)


def _free(effects: Effects, name: str, at: int) -> None:
    status = look(name, at)
    if status is None:
        return
    if stat.S_ISDIR(status.st_mode):
        _free_directory(effects, name, at)
    else:
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            _shorten(effects, name, at)
        effects.unlink(name, at)


def _shorten(effects: Effects, name: str, at: int) -> None:
    """Cut off its end again and again; between two cuts the disk is others' for as long as a cut took."""
    try:
        fd, status = open_only_regular(name, at, os.O_WRONLY)
    except OSError:
        return
    try:
        if status.st_nlink != 1 or effects.lease(fd) is False:
            return
        end = status.st_size
        while end > 0:
            end = max(0, _end_of_data(fd, end) - STEP_BYTES)
            began = time.monotonic()
            effects.truncate(fd, end)
            effects.fsync(fd)
            time.sleep(time.monotonic() - began)
    except OSError:  # unlink frees it too, at once
        pass
    finally:
        os.close(fd)


def _end_of_data(fd: int, end: int) -> int:
    """Where there is nothing but a hole below `end`, the hole's begin."""
    start = max(0, end - STEP_BYTES)
    while start > 0:
        try:
            if os.lseek(fd, start, os.SEEK_DATA) < end:
                break
        except OSError as error:
            if error.errno != errno.ENXIO:
                break
        start, end = max(0, start - STEP_BYTES), start
    return end


def _free_directory(effects: Effects, name: str, at: int) -> None:
    """No deeper than one level, however deep it is: directories in it come beside it, and are freed likewise. A mount
    point can't be renamed, so that what is mounted there stays out of it."""
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        number = 0
        for entry in os.listdir(fd):
            status = look(entry, fd)
            if status is None:
                continue
            if not stat.S_ISDIR(status.st_mode):
                effects.unlink(entry, fd)
                continue
            while look(beside := f"{FREEING}{status.st_ino}-{number}", at) is not None:
                number += 1
            effects.rename(entry, fd, beside, at)
    finally:
        os.close(fd)
    effects.rmdir(name, at)

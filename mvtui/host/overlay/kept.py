"""What was set aside of an overlay: read for the list and the page, without a child, and believed no further than names
and sizes."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from mvtui.errors import MvtuiError
from mvtui.host.overlay.identity import owner_of, real_path
from mvtui.host.overlay.names import IMAGE_SUFFIX, OVERLAY, OWN, SHARE_SUFFIX, TIME_FORMAT, kept_key, kept_names
from mvtui.host.overlay.places import look, open_own_directory, walk
from mvtui.host.overlay.stop import Stop
from mvtui.host.ports import Host
from mvtui.model.overlay import KeptOverlay, OverlayKind, OverlayTarget

# Whoever has the rights of the microVM's user can put any number of names there.
_MOST = 100
_MOST_NAMES = 10_000


def read_kept(host: Host, microvm: str, target: OverlayTarget) -> tuple[KeptOverlay, ...]:
    """The kept overlays, the newest first. Blocking, some system calls; never raises: what can't be read is nothing."""
    if target.path is None or target.kind not in (OverlayKind.VOLUME, OverlayKind.SHARE):
        return ()
    above, parts = place_of(target)
    try:
        uid, _ = owner_of(host, microvm, target)
        is_share = target.kind is OverlayKind.SHARE
        at: int | None = walk(real_path(host, above))
        for part in parts:
            assert at is not None
            try:
                # On a share of the microVM's user it is root's where the overlay is.
                own = look(part, at)
                below = open_own_directory(part, at, 0 if is_share and own and own.st_uid == 0 else uid, part)
            finally:
                os.close(at)
            if below is None:
                return ()
            at = below
        assert at is not None
        try:
            return tuple(_kept(at, "/".join((above, *parts)), uid, is_share))
        finally:
            os.close(at)
    except (OSError, ValueError, Stop, MvtuiError):
        return ()


def place_of(target: OverlayTarget) -> tuple[str, tuple[str, ...]]:
    """The directory beside whose overlay it is set aside, and the names below."""
    if target.kind is OverlayKind.SHARE:
        return target.path or "", (OWN, OVERLAY)
    directory, name = os.path.split(target.path or "")
    return directory, (OWN, OVERLAY, name)


def set_aside_at(name: str, suffix: str) -> datetime | None:
    """The time in a kept overlay's name (UTC); None where it is no such name."""
    key = kept_key(name, suffix)
    try:
        return datetime.strptime(key[0], TIME_FORMAT).replace(tzinfo=UTC) if key is not None else None
    except ValueError:
        return None


def _kept(at: int, path: str, uid: int, is_share: bool) -> Iterator[KeptOverlay]:
    suffix = SHARE_SUFFIX if is_share else IMAGE_SUFFIX
    with os.scandir(at) as entries:
        names = [entry.name for entry in islice(entries, _MOST_NAMES)]
    for name in kept_names(names, suffix)[:_MOST]:
        status, when = look(name, at), set_aside_at(name, suffix)
        if status is None or when is None:
            continue
        if is_share and stat.S_ISDIR(status.st_mode):
            yield KeptOverlay(name, f"{path}/{name}", when)
        elif not is_share and stat.S_ISREG(status.st_mode) and status.st_uid == uid and status.st_nlink == 1:
            yield KeptOverlay(name, f"{path}/{name}", when, status.st_size, status.st_blocks * 512)

"""The reset of one overlay, from the parent's side: a child does the work, with the rights of the microVM's user."""

import os
import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.overlay.channel import ENTRY, Channel
from mvtui.host.overlay.identity import identity_for, real_path
from mvtui.host.overlay.kept import place_of, read_kept, set_aside_at
from mvtui.host.overlay.mkfs import mkfs_argv
from mvtui.host.overlay.names import IMAGE_SUFFIX, SHARE_SUFFIX
from mvtui.host.overlay.spare import SPARE
from mvtui.host.overlay.wire import Message
from mvtui.host.ports import Host
from mvtui.host.superblock import FileSystem, read_superblock
from mvtui.model.call import CallKind
from mvtui.model.mkfs import PACKAGES
from mvtui.model.overlay import KeptOverlay, NewImage, OverlayFacts, OverlayKind, OverlayTarget
from mvtui.model.text import clean

_DEFAULT_FS_TYPE = "ext4"
_MOST_NUMBER = 1 << 64
_BTRFS_SUPERBLOCK = 0x10000
_MOST_CHARS = 600

Pair = tuple[str, str | int | None]


class Patience(NamedTuple):
    """Seconds: for an answer at all, for what waits for the disk (fsync), for mkfs, and for what is freed while nobody
    waits."""

    answer: float = 15.0
    disk: float = 90.0
    mkfs: float = 300.0
    freeing: float = 7 * 86400.0


PATIENCE = Patience()


class OverlayWorker:
    """A child that works on the overlay of one microVM; a context manager, that ends it. All methods block, and raise
    MvtuiError: REFUSED where a precondition fails, FAILED where the machine did. Whatever fails, there is the old
    overlay or the new one, whole."""

    def __init__(self, host: Host, microvm: str, target: OverlayTarget, channel: Channel, patience: Patience) -> None:
        self._host, self._microvm, self._target = host, microvm, target
        self._channel = channel
        self._patience = patience
        self._shown = target.path or ""

    @classmethod
    def start(
        cls,
        host: Host,
        microvm: str,
        target: OverlayTarget,
        tool_path: Sequence[str],
        *,
        who: str,
        patience: Patience = PATIENCE,
        entry: str = ENTRY,
    ) -> Self:
        """Start the child. `tool_path`: absolute directories in which mkfs is looked for before the usual ones; `who`:
        what another mvtui is told that finds this one at work. `entry` is what the child runs: tests have their own.

        Raises MvtuiError where the target has no files or its owner must not do this, RightsMissingError."""
        if target.kind not in (OverlayKind.VOLUME, OverlayKind.SHARE) or target.path is None:
            raise MvtuiError(f"the overlay of {microvm} is in no file: there is nothing to reset", "", ExitCode.REFUSED)
        image = target.volume.image if target.volume is not None else target.path
        if any(".." in path.split("/") or "\0" in path for path in (image, target.path)):
            raise MvtuiError(
                f"{clean(image)} has .. or a NUL in its path: such an image is left alone",
                "write its path without ..",
                ExitCode.REFUSED,
            )
        identity = identity_for(host, microvm, target)
        above, _ = place_of(target)
        channel = SPARE.take(target.path) if entry == ENTRY else Channel(target.path, entry)
        pairs: list[Pair] = [("uid", identity.uid), ("gid", identity.gid)] if identity.dropped else []
        pairs += [
            ("owner", identity.owner),
            ("who", f"{who} (pid {os.getpid()})"),
            ("kind", target.kind.value),
            ("directory", real_path(host, above)),
            ("shown", above),
            ("name", os.path.basename(target.path) if target.kind is OverlayKind.VOLUME else ""),
            ("cwd", real_path(host, f"{host.state_dir}/{microvm}")),
            *(("tool", directory) for directory in tool_path),
        ]
        channel.send(pairs)
        return cls(host, microvm, target, channel, patience)

    def look(self) -> OverlayFacts:
        """What there is; changes nothing. Of an image that must not be touched, only what stat(2) tells."""
        with self._host.calls.call(CallKind.COMMAND, f"look at the overlay {self._shown}", poll=True):
            answer = self._ask([("do", "look")], self._patience.answer)
        file_system = superblock(answer)
        fs_type = (self._target.volume.fs_type if self._target.volume is not None else None) or (
            file_system.fs_type if file_system is not None else _DEFAULT_FS_TYPE
        )
        made, device, inode = number(answer, "made"), number(answer, "device"), number(answer, "inode")
        return OverlayFacts(
            path=self._shown,
            file_id=(device, inode) if device is not None and inode is not None else None,
            problem=text(answer, "problem"),
            size=number(answer, "size") or 0,
            allocated=number(answer, "allocated") or 0,
            fs_type=file_system.fs_type if file_system is not None else None,
            label=file_system.label if file_system is not None else None,
            fs_size=file_system.size if file_system is not None else None,
            made=_time(made) if made is not None else None,
            uid=number(answer, "uid"),
            gid=number(answer, "gid"),
            mode=number(answer, "mode"),
            nocow=bool(number(answer, "nocow")),
            in_use=None if (in_use := number(answer, "in_use")) is None else bool(in_use),
            free=number(answer, "free") or 0,
            mkfs=text(answer, f"mkfs.{fs_type}") if fs_type in PACKAGES else None,
            worker=text(answer, "worker"),
            kept=read_kept(self._host, self._microvm, self._target),
        )

    def make(self, new: NewImage | None, expected: tuple[int, int] | None) -> None:
        """Make the new overlay complete, beside the old one, which has to be `expected` (its file_id; None: there is
        none). `new` is None for a share. From here on until `close` nobody else can work on this overlay."""
        pairs: list[Pair] = [("do", "make")]
        if expected is not None:
            pairs += [("device", expected[0]), ("inode", expected[1])]
        what = f"mkdir {self._shown}/store {self._shown}/work"
        if new is not None:
            pairs += [
                ("size", new.size),
                ("fs_type", new.fs_type),
                ("label", new.label),
                ("gid", new.gid),
                ("mode", new.mode),
                ("seconds", str(self._patience.mkfs)),
                *(("arg", argument) for argument in new.mkfs_extra_args),
            ]
            extra = list(new.mkfs_extra_args)
            what = shlex.join(mkfs_argv(f"mkfs.{new.fs_type}", new.fs_type, new.label, extra, self._shown))
        with self._host.calls.call(CallKind.COMMAND, what):
            self._ask(pairs, self._patience.mkfs + self._patience.disk)

    def commit(self) -> KeptOverlay | None:
        """Give the new overlay its name; what was set aside for it, None where there was none. Before, and while it is
        done, everything is looked at again: the same file, one name, not in use."""
        with self._host.calls.call(CallKind.COMMAND, f"exchange {self._shown} with the new one"):
            return self._kept(self._ask([("do", "commit")], self._patience.disk))

    def undo_commit(self) -> None:
        """The old overlay has its name again, and the new one is gone; refused where somebody has opened that."""
        with self._host.calls.call(CallKind.COMMAND, f"exchange {self._shown} with the old one"):
            self._ask([("do", "undo")], self._patience.disk)

    def restore(self, name: str | None = None) -> KeptOverlay | None:
        """The newest kept overlay, or the one of that name, has the overlay's name again; what is kept instead, None
        where there was none."""
        with self._host.calls.call(CallKind.COMMAND, f"exchange {self._shown} with {name or 'the newest kept one'}"):
            return self._kept(self._ask([("do", "restore"), ("name", name)], self._patience.disk))

    def free_older_in_background(self, *, all: bool = False, unused: str | None = None) -> int:  # noqa: A002
        """Remove all kept overlays but the newest, or all, while nobody waits for it; how many they are. The one of the
        name `unused` goes before an older one does. What was left over when that was killed is removed too. The last
        that is asked of this child."""
        what = f"free {'what' if all else 'the older ones of what'} is kept of {self._shown}"
        with self._host.calls.call(CallKind.COMMAND, what):
            answer = self._ask([("do", "free"), ("all", 1 if all else None), ("unused", unused)], self._patience.disk)
        if number(answer, "rubbish"):
            self._channel.let_go()
        return number(answer, "count") or 0

    def throw_older_away(self) -> bool:
        """No kept overlay but the newest can be brought back any more; whether there is something for `free_older`.
        The last that is asked of this child."""
        with self._host.calls.call(CallKind.COMMAND, f"throw away the older ones of what is kept of {self._shown}"):
            return bool(number(self._ask([("do", "free"), ("later", 1)], self._patience.disk), "rubbish"))

    def free_older(self) -> int:
        """As `free_older_in_background`, but returns when it is done, which can take hours; others can work on the
        overlay meanwhile. The last that is asked of this child."""
        with self._host.calls.call(CallKind.COMMAND, f"free the older ones of what is kept of {self._shown}"):
            return number(self._ask([("do", "free"), ("here", 1)], self._patience.freeing), "rubbish") or 0

    def close(self) -> None:
        """End the child; what was made and has not got its name is removed."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _ask(self, pairs: Iterable[Pair], seconds: float) -> Message:
        return self._channel.ask(pairs, seconds)

    def _kept(self, answer: Message) -> KeptOverlay | None:
        name = text(answer, "kept")
        if name is None:
            return None
        is_share = self._target.kind is OverlayKind.SHARE
        when = set_aside_at(name, SHARE_SUFFIX if is_share else IMAGE_SUFFIX)
        if when is None:
            raise MvtuiError(f"the child that works on {self._shown} answers nonsense")
        above, parts = place_of(self._target)
        path = "/".join((above, *parts, name))
        return KeptOverlay(name, path, when, number(answer, "size"), number(answer, "allocated"))


def number(answer: Message, key: str) -> int | None:
    """Not more than the kernel has numbers for; None where it is missing or none."""
    for text in answer.get(key, ())[:1]:
        if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < _MOST_NUMBER:
            return int(text)
    return None


def text(answer: Message, key: str) -> str | None:
    """The first that is not empty, clean."""
    return next((clean(text[:_MOST_CHARS]) for text in answer.get(key, ()) if text), None)


def _time(nanoseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def superblock(answer: Message) -> FileSystem | None:
    """The file system that the child has read; None where there is none."""
    try:
        parts = {offset: bytes.fromhex(answer[key][0]) for key, offset in (("start", 0), ("later", _BTRFS_SUPERBLOCK))}
    except (KeyError, IndexError, ValueError):
        return None

    def read(count: int, offset: int) -> bytes:
        for start, content in parts.items():
            if start <= offset < start + len(content):
                return content[offset - start :][:count]
        return b""

    return read_superblock(read)

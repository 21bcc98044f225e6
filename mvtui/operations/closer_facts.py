"""What a closer look at a microVM's surroundings finds, for the checks. Blocking: it belongs to the slow lane."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

from mvtui.host.field_looks import account_of, look_at_image, look_at_source
from mvtui.host.images import file_made
from mvtui.host.last_words import Words, from_journal, from_logs
from mvtui.host.pid_files import PidFileLocks
from mvtui.host.ports import Host
from mvtui.host.rooted_files import RootedFiles
from mvtui.model.closer import CloserFacts, LeftDaemon
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.operations.shares import resolve

# In these states, what was said last may be why. So many are asked for at one look.
_SAYS_WHY = (StateWord.FAILED, StateWord.LOOPING)
_MOST_ASKED = 8


class CloserLook:
    """One look at many microVMs of `host`: what can be read once for all, is. Never raises."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._files = RootedFiles(host.root)
        self._locks = PidFileLocks(host.root)
        self._asked = 0

    def at(self, microvm: MicroVM) -> CloserFacts:
        """The facts of `microvm`, as it was at the last look."""
        words = self._words(microvm)
        account, root = account_of(self._host, microvm.path), self._host.root
        shares = [(status.share.tag, status.share.source) for status in microvm.shares]
        return CloserFacts(
            system_made=self._system_made(microvm),
            current_changed=self._current_changed(microvm),
            left_daemons=tuple(self._left_daemons(microvm)),
            last_words=words.last,
            gave_up=words.gave_up,
            account=account,
            sources=tuple(
                (tag, look_at_source(resolve(microvm.path, source), account, root))
                for tag, source in shares
                if source is not None
            ),
            images=tuple(
                (one.volume.image, look_at_image(resolve(microvm.path, one.volume.image), account, root))
                for one in microvm.volumes
            ),
        )

    def _words(self, microvm: MicroVM) -> Words:
        if microvm.state.word not in _SAYS_WHY:
            return Words()
        if self._host.units.manager == "direct":
            return from_logs(microvm.name, self._host.on_disk(microvm.path))
        self._asked += 1
        if self._host.end_times is None or self._asked > _MOST_ASKED:
            return Words()
        return from_journal(microvm.name, self._host.calls)

    def _system_made(self, microvm: MicroVM) -> datetime | None:
        built = microvm.built
        if built is None:
            return None
        try:
            return file_made(self._files.resolve(built.system or built.path))
        except OSError:
            return None

    def _current_changed(self, microvm: MicroVM) -> datetime | None:
        try:
            status = os.lstat(self._host.on_disk(f"{microvm.path}/current"))
        except (OSError, ValueError):
            return None
        return datetime.fromtimestamp(status.st_mtime, UTC)

    def _left_daemons(self, microvm: MicroVM) -> Iterator[LeftDaemon]:
        for status in microvm.shares:
            if status.share.socket is None or status.daemons:
                continue
            pid_file = f"{resolve(microvm.path, status.share.socket)}.pid"
            for pid in self._locks.holders(pid_file):
                yield LeftDaemon(status.share.tag or "?", pid_file, pid)

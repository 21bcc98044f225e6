"""What one look at a host leaves to the next: caches, slow facts, and what only several looks together can tell."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mvtui.host.images import read_image
from mvtui.host.ports import ARMED, Host
from mvtui.host.rooted_files import RootedFiles
from mvtui.host.runner import RunnerCache
from mvtui.host.state_dir import StateDir
from mvtui.model.definition import Runner
from mvtui.model.facts import Holder, SourceFacts
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.overlay import KeptOverlay
from mvtui.model.process import ProcessSample
from mvtui.model.unit import UnitStatus
from mvtui.operations.endings import Endings
from mvtui.operations.history import History
from mvtui.operations.shares import sources_of

if TYPE_CHECKING:
    from mvtui.host.holders import HolderScan
    from mvtui.model.arming import ArmedState
    from mvtui.model.closer import CloserFacts
    from mvtui.operations.armed_states import ArmedStates
    from mvtui.operations.defined import DefinedDocument, DefinedDocuments
    from mvtui.operations.guests import Guests
    from mvtui.operations.inventory import Sighting
    from mvtui.operations.made import Made
    from mvtui.operations.slow_facts import SlowLook

# What the first look may spend on reading runners (seconds): enough for those in sight, which take 0.4 ms each.
FIRST_RUNNERS_SECONDS = 0.02
# Firecracker's configuration is a few KiB.
_MAX_FILE_BYTES = 1 << 20


class Kept:
    """Caches of one host. With `inline`, a fact that is not known yet is read when it is asked for (one look for a
    command); without, it is None until `renew` has read it, so that a dead mount never holds up a look, and the first
    look reads no more runners than it has time for: the first picture of a thousand microVMs is of those in sight.
    What takes longest (more of a source than that it exists, and who holds an image) is only ever read by `renew`, and
    so are definition files, but for that of the microVM `closer`. `guests` (None before the first is wanted) are asked
    by nobody here."""

    def __init__(self, host: Host, *, inline: bool = True, closer: str | None = None) -> None:
        self.host = host
        self.inline = inline
        self._closer = closer
        self.runners = RunnerCache(host.root)
        self.state_dir = StateDir(host.state_dir, host.root)
        self.history = History()
        self.endings = Endings(host.end_times)
        self.guests: Guests | None = None
        self.units: Mapping[str, UnitStatus] | None = None
        self.units_at: datetime | None = None
        self.made: Mapping[str, Made] = {}
        self.seen: Sighting | None = None
        self.processes: Mapping[int, ProcessSample] = {}
        self.armed: Mapping[str, ArmedState] = {}
        self.facts = 0
        self.quick_seconds = 0.0
        self.unread = False
        self._read_until: float | None = None
        self._armed_states: ArmedStates | None = None
        self._images: dict[tuple[str, str], ImageFacts] = {}
        self._exists: dict[str, bool | None] = {}
        self._sources: dict[str, SourceFacts] = {}
        self._holders: HolderScan | None = None
        self._overlays: dict[str, tuple[KeptOverlay, ...]] = {}
        self._documents: DefinedDocuments | None = None
        self._defined: dict[str, DefinedDocument | None] = {}
        self._slow: SlowLook | None = None
        self._closer_facts: dict[str, CloserFacts] = {}
        self._twins: dict[tuple[int, int], tuple[str, ...]] = {}
        self._asked: dict[str, MicroVM] = {}
        self._asked_images: set[tuple[str, str]] = set()
        self._asked_paths: set[str] = set()
        self._asked_sources: set[str] = set()
        self._is_own_root = host.root == Path("/")

    def begin_look(self) -> None:
        """A look is the first until one has made something."""
        self.unread = False
        self._read_until = None

    def runner(self, path: str) -> Runner | None:
        """The runner at the host's absolute `path`; None where the first look has no time left for it (`unread`): it
        reads one in any case."""
        if self.inline or self.made:
            return self.runners.get(path)
        if self._read_until is None:
            self._read_until = time.monotonic() + FIRST_RUNNERS_SECONDS
        elif time.monotonic() >= self._read_until:
            self.unread = True
            return None
        return self.runners.get(path)

    async def look_at_armed(self) -> None:
        """Renew `armed`: what is armed, by microVM."""
        if self._armed_states is not None or self._was_armed():
            # Where nothing was ever armed, what reads it is not imported.
            from mvtui.operations.armed_states import ArmedStates  # noqa: PLC0415

            self._armed_states = self._armed_states or ArmedStates(self.host)
            self.armed = await self._armed_states.look()

    def _was_armed(self) -> bool:
        return os.path.isdir(self.host.records / ARMED)

    @property
    def missing(self) -> bool:
        """True where a look asked for a fact that is not known yet."""
        known = self._asked_images <= self._images.keys() and self._asked_paths <= self._exists.keys()
        return self.endings.missing or not (known and self._asked_sources <= self._sources.keys())

    def image(self, directory: str, image: str) -> ImageFacts | None:
        """The facts of the image `image` of the microVM in `directory`; None where not known yet."""
        key = (directory, image)
        self._asked_images.add(key)
        if self.inline and key not in self._images:
            self._images[key] = read_image(directory, image, self.host.root)
        return self._images.get(key)

    def exists(self, path: str) -> bool | None:
        """Whether something is there under the host's absolute `path`; None where not known yet or not to be told."""
        self._asked_paths.add(path)
        if self.inline and path not in self._exists:
            self._exists[path] = self._look_for(path)
        return self._exists.get(path)

    def source(self, path: str) -> SourceFacts | None:
        """What stands at the host's absolute `path`; None where not known yet."""
        self._asked_sources.add(path)
        if self.inline and path not in self._sources:
            self._sources[path] = SourceFacts(path, self._look_for(path))
        return self._sources.get(path)

    def holders(
        self, directory: str, image: str, hypervisor: ProcessSample | None
    ) -> tuple[tuple[Holder, ...] | None, bool]:
        """VolumeStatus' `holders` and `holders_complete`, for an image of the microVM that `hypervisor` runs.

        A hypervisor that is younger than the scan was not seen by it; of a process that has ended since, it says
        nothing."""
        scan = self._holders
        if scan is None or (hypervisor is not None and hypervisor.pid not in scan.owners):
            return None, False
        holders = scan.of((directory, image))
        if holders is None:
            return None, False
        living = tuple(holder for holder in holders if holder.microvm is None or holder.pid in self.processes)
        return (living, scan.complete) if living or scan.complete else (None, False)

    def is_gone(self, image: ImageFacts | None, hypervisor: ProcessSample | None) -> bool:
        """Whether `image` had no name any more when it was looked at, after `hypervisor` had been seen."""
        if image is None or not image.missing or hypervisor is None:
            return False
        return self.inline or (self._holders is not None and hypervisor.pid in self._holders.owners)

    def kept_overlays(self, microvm: MicroVM) -> tuple[KeptOverlay, ...]:
        """The overlays of `microvm` that were set aside; none where that was not looked at yet."""
        self._asked[microvm.name] = microvm
        return self._overlays.get(microvm.name, ())

    def closer(self, microvm: MicroVM) -> CloserFacts | None:
        """What a closer look at `microvm` found; None where nobody looked yet."""
        self._asked[microvm.name] = microvm
        return self._closer_facts.get(microvm.name)

    def twins(self, directory: str, image: ImageFacts | None) -> tuple[str, ...]:
        """The other microVMs with a volume on the same file as `image` of the one in `directory`."""
        if image is None or image.identity is None:
            return ()
        own = os.path.basename(directory)
        return tuple(name for name in self._twins.get(image.identity, ()) if name != own)

    def document(self, microvm: MicroVM) -> DefinedDocument | None:
        """The definition file of `microvm`; None where it has none, and where that was not looked at yet."""
        self._asked[microvm.name] = microvm
        if microvm.name == self._closer and microvm.name not in self._defined:
            self._defined[microvm.name] = self._read_document(microvm)
        return self._defined.get(microvm.name)

    def wanted_guests(self) -> Guests | None:
        """Who asks the guests; nobody does in the one look of a command that must be fast."""
        if self.inline:
            return None
        if self.guests is None:
            from mvtui.operations.guests import Guests  # noqa: PLC0415 (`mvtui list` asks no guest)

            self.guests = Guests(self.host)
        return self.guests

    def _read_document(self, microvm: MicroVM) -> DefinedDocument | None:
        if self._documents is None:
            from mvtui.operations.defined import DefinedDocuments  # noqa: PLC0415 (`mvtui list` needs none)

            self._documents = DefinedDocuments(self.host)
        return self._documents.read(microvm)

    def renew(self, only: Collection[str] | None = None) -> None:
        """Read every slow fact that was asked for since the last time, and forget the others; with `only`, what takes
        long for these microVMs alone. Blocking, but what does not answer is left behind."""
        # `mvtui list` needs none of it, and it takes time to import.
        from mvtui.operations.slow_facts import SlowLook  # noqa: PLC0415

        self.endings.renew()  # first, since it ends in time
        images, self._asked_images = self._asked_images, set()
        paths, self._asked_paths = self._asked_paths, set()
        named, self._asked_sources = self._asked_sources, set()
        microvms, self._asked = self._asked, {}
        if only is not None:
            microvms = {name: microvms[name] for name in only if name in microvms}
            named &= {path for microvm in microvms.values() for path in sources_of(microvm)}
        self.facts += 1  # what is taken over from the last look asks for nothing, and would be forgotten
        self._slow = self._slow or SlowLook(self.host)
        look = self._slow
        look.begin()
        self._defined = {
            name: look.document(partial(self._read_document, microvm)) for name, microvm in microvms.items()
        }
        self._exists = {path: look.exists(path) for path in paths}
        self._sources = {path: look.source(path) for path in named}
        self._images = {key: look.image(*key) for key in images}
        self._twins = _sharers(self._images)
        answering = list(look.answering(microvms.values(), self._sources, self._images))
        self._closer_facts = {microvm.name: look.closer(microvm) for microvm in answering}
        self._overlays = look.set_aside(answering) or {}
        owners = {pid: process.microvm for pid, process in self.processes.items()}
        looked_at = {microvm.path for microvm in microvms.values()}
        wanted = {key for key, image in self._images.items() if image.problem is None and key[0] in looked_at}
        self._holders = look.holders(wanted, owners)
        look.end()
        self.facts += 1

    def renew_quickly(self) -> bool:
        """Read again what takes little: what stands at the sources, the superblocks of the images. True where a picture
        of it is another one; that a disk is a little fuller is told by `renew`. Not while that runs."""
        look = self._slow
        if look is None:
            return False
        began = time.thread_time()  # what others take of the processor meanwhile costs this one nothing
        look.begin()
        sources = {path: look.source(path) for path in self._sources}
        images = {key: look.image(*key) for key in self._images}
        look.end()
        self.quick_seconds = look.spent + time.thread_time() - began
        if not _differ(self._sources.values(), sources.values()) and not _differ(
            self._images.values(), images.values()
        ):
            return False
        self._sources, self._images = sources, images
        self.facts += 1
        return True

    def _look_for(self, path: str) -> bool | None:
        try:
            os.stat(path if self._is_own_root else self.host.on_disk(path))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):
            return None
        return True

    def read_file(self, path: str) -> str | None:
        """The text of a regular file of the host, None where there is none: what a command line names
        (firecracker's configuration)."""
        with suppress(OSError, ValueError):
            return RootedFiles(self.host.root).read(path, _MAX_FILE_BYTES)
        return None


def _differ(before: Iterable[SourceFacts | ImageFacts], after: Iterable[SourceFacts | ImageFacts]) -> bool:
    """Whether more is otherwise than what is free on the host's disks."""
    return any(_without_free(one) != _without_free(other) for one, other in zip(before, after, strict=True))


def _without_free(facts: SourceFacts | ImageFacts) -> SourceFacts | ImageFacts:
    return facts._replace(fs_free=None) if isinstance(facts, SourceFacts) else facts._replace(disk_free=None)


def _sharers(images: Mapping[tuple[str, str], ImageFacts]) -> dict[tuple[int, int], tuple[str, ...]]:
    """The names of the microVMs that have a file among their images, for each file that more than one has."""
    found: dict[tuple[int, int], set[str]] = {}
    for (directory, _), image in images.items():
        if image.identity is not None:
            found.setdefault(image.identity, set()).add(os.path.basename(directory))
    return {identity: tuple(sorted(names)) for identity, names in found.items() if len(names) > 1}

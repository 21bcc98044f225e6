"""The slow lane: what takes long to read of a host, or may never answer. Blocking, in a thread of its own."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from mvtui.host.holders import HolderScan, ImageKey, find_holders
from mvtui.host.images import file_made, read_image
from mvtui.host.patience import NoAnswerError, Patience
from mvtui.host.ports import Host
from mvtui.host.sources import Sources
from mvtui.model.closer import CloserFacts
from mvtui.model.facts import SourceFacts
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.overlay import KeptOverlay
from mvtui.operations.closer_facts import CloserLook
from mvtui.operations.set_aside import set_aside
from mvtui.operations.shares import sources_of

T = TypeVar("T")

NO_ANSWER = "does not answer (a file server that is gone?)"
# A scan of all processes ends by itself after 3 s.
_SCAN_SECONDS = 15.0


class SlowLook:
    """Looks at `host` again and again; never raises. What does not answer stays behind, and is told as its problem."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._patience = Patience()
        self._sources = Sources(host.root)
        self._closer = CloserLook(host)

    def begin(self) -> None:
        """Another look: names, mounts and locks are read anew."""
        self._patience.begin()
        self._sources = Sources(self._host.root)
        self._closer = CloserLook(self._host)

    def end(self) -> None:
        """The look is over."""
        self._patience.end()

    @property
    def spent(self) -> float:
        """The processor's time (seconds) that the answers since `begin` took."""
        return self._patience.spent

    def document(self, work: Callable[[], T]) -> T | None:
        """What `work`, which reads a definition file, gives; None where their directory does not answer."""
        try:
            return self._patience.ask(self._on_disk(str(self._host.definitions)), work)
        except NoAnswerError:
            return None

    def exists(self, path: str) -> bool | None:
        """Whether something is there under the host's absolute `path`; None where that can't be told."""
        on_disk = self._on_disk(path)
        try:
            self._patience.ask(on_disk, lambda: os.stat(on_disk))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError, NoAnswerError):
            return None
        return True

    def source(self, path: str) -> SourceFacts:
        """What stands at the host's absolute `path`."""
        sources = self._sources
        try:
            return self._patience.ask(self._on_disk(path), lambda: sources.read(path))
        except NoAnswerError:
            return SourceFacts(path, problem=f"{path}: {NO_ANSWER}")

    def image(self, directory: str, image: str) -> ImageFacts:
        """The facts of `image` of the microVM in `directory`, with when it was made."""
        path = os.path.join(directory, image)
        try:
            return self._patience.ask(self._on_disk(path), lambda: self._read_image(directory, image))
        except NoAnswerError:
            return ImageFacts(path, problem=f"{path}: {NO_ANSWER}")

    def _read_image(self, directory: str, image: str) -> ImageFacts:
        facts = read_image(directory, image, self._host.root)
        if facts.fs_type is None or facts.made is not None:
            return facts
        return facts._replace(made=file_made(self._on_disk(facts.path)))

    def closer(self, microvm: MicroVM) -> CloserFacts:
        """What else is around `microvm`, whose sources and images answer."""
        closer = self._closer
        try:
            return self._patience.ask(self._on_disk(microvm.path), lambda: closer.at(microvm))
        except NoAnswerError:
            return CloserFacts()

    def answering(
        self, microvms: Iterable[MicroVM], sources: Mapping[str, SourceFacts], images: Mapping[ImageKey, ImageFacts]
    ) -> Iterator[MicroVM]:
        """Those of `microvms` whose sources and images all answered."""
        for one in microvms:
            asked = [sources[path].problem for path in sources_of(one) if path in sources]
            keys = [(one.path, status.volume.image) for status in one.volumes]
            asked += [images[key].problem for key in keys if key in images]
            if not any(problem is not None and problem.endswith(NO_ANSWER) for problem in asked):
                yield one

    def set_aside(self, microvms: Iterable[MicroVM]) -> dict[str, tuple[KeptOverlay, ...]] | None:
        """The overlays that resets have set aside, by microVM; None where nothing answers."""
        known = list(microvms)
        try:
            return self._patience.ask(
                self._on_disk(str(self._host.state_dir)), lambda: set_aside(self._host, known), _SCAN_SECONDS
            )
        except NoAnswerError:
            return None

    def holders(self, images: Iterable[ImageKey], owners: Mapping[int, str]) -> HolderScan | None:
        """Who holds `images`; `owners` are the microVMs of processes, by pid. None where nobody can tell."""
        keys = list(images)
        try:
            return self._patience.ask("/proc", lambda: find_holders(keys, owners, self._host.root), _SCAN_SECONDS)
        except NoAnswerError:
            return None

    def _on_disk(self, path: str) -> str:
        return str(self._host.on_disk(path))

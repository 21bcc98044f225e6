"""What a closer look at one microVM finds around it: it comes from the slow lane. Pure."""

from datetime import datetime
from typing import NamedTuple

from mvtui.model.field_facts import ImageLook, SourceLook
from mvtui.model.log_words import told_by_virtiofsd
from mvtui.model.rights import Account


class LeftDaemon(NamedTuple):
    """A virtiofsd of an earlier run: it has the lock on the pid file of the socket of the share `tag`. `pid` is None
    where nobody says whose the lock is."""

    tag: str
    pid_file: str
    pid: int | None


class LastWords(NamedTuple):
    """What a unit said last before it failed: `unit` is its name; `at` in UTC."""

    unit: str
    text: str
    at: datetime | None = None

    @property
    def words(self) -> str:
        """The text without what virtiofsd puts before each line: its time, its level, its own name."""
        return self.text[told_by_virtiofsd(self.text).start :] or self.text


class CloserFacts(NamedTuple):
    """What a closer look at a microVM's surroundings has found.

    `system_made` is when (UTC) the guest's system that is built now came into the host's store, `current_changed` when
    its link was made; a host that boots makes the link of a fully declarative microVM anew. `gave_up` are the tags of
    the shares whose virtiofsd could not be started at the last try. `sources` (by tag) and `images` (as defined) are
    what `account`, as which its processes run, may do with them. Each None where that can't be told.
    """

    system_made: datetime | None = None
    current_changed: datetime | None = None
    left_daemons: tuple[LeftDaemon, ...] = ()
    last_words: tuple[LastWords, ...] = ()
    gave_up: tuple[str, ...] = ()
    account: Account | None = None
    sources: tuple[tuple[str | None, SourceLook], ...] = ()
    images: tuple[tuple[str, ImageLook], ...] = ()

    def source(self, tag: str | None) -> SourceLook | None:
        """What stands at the source of the share `tag`."""
        return next((look for known, look in self.sources if known == tag), None)

    def image(self, name: str) -> ImageLook | None:
        """What stands at the image `name`, as defined."""
        return next((look for known, look in self.images if known == name), None)

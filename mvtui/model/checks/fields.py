"""What the checks of a definition against its host are about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.field_facts import ImageLook, OtherImage, SourceLook
from mvtui.model.finding import Finding
from mvtui.model.rights import Account


class Fields(NamedTuple):
    """The definition of the microVM `name`, whose state directory is `directory`, with what the host knows: `sources`
    and `images` have those that were looked at, by index. `account` is whom its hypervisor runs as, None where nobody
    knows; `virtiofsd_is_root` false: virtiofsd runs as the same. `others` are the volumes of all other microVMs."""

    name: str
    directory: str
    definition: Definition
    account: Account | None = None
    virtiofsd_is_root: bool = True
    sources: Mapping[int, SourceLook] = {}
    images: Mapping[int, ImageLook] = {}
    others: Sequence[OtherImage] = ()

    def shares_seen(self) -> Iterator[tuple[int, Share, SourceLook]]:
        """The shares whose sources were looked at."""
        for index, look in self.sources.items():
            yield index, self.definition.shares[index], look

    def volumes_seen(self) -> Iterator[tuple[int, Volume, ImageLook]]:
        """The volumes whose images were looked at."""
        for index, look in self.images.items():
            yield index, self.definition.volumes[index], look

    def holds_overlay(self, mount_point: str | None) -> bool:
        """Whether the writable store overlay lies on what is mounted there."""
        return self.definition.holds_overlay(mount_point)


# A check looks at one thing and gives a finding for each field where it is wrong; its subject is the field's place, as
# with rules.
Check = Callable[[Fields], Iterator[Finding]]

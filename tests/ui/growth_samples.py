"""Plans of growths, as the operations make them, of what a snapshot tells."""

from mvtui.errors import MvtuiError
from mvtui.model.definition import Definition, Volume
from mvtui.model.facts import Holder
from mvtui.model.growth import GrowPlan, GrowTools, GrowWay, WantedSize, find_volume, target_of
from mvtui.model.growth_plan import plan_growth
from mvtui.model.microvm import ImageFacts, MicroVM, VolumeStatus
from mvtui.model.overlay import OverlayFacts
from mvtui.model.overlay_checks import OverlayEvidence
from tests.ui.samples import GIB, LAB, MIB

DATA = Volume("data.img", "b", "/var/lib/data", 8192, "ext4", "data", auto_create=True)
LOGS = Volume("logs.img", "c", "/var/log", 4096, "xfs", "logs", auto_create=True)


def growable(one: MicroVM) -> MicroVM:
    """With two volumes whose images are smaller than its definition file says."""
    old = (DATA._replace(size=2048), LOGS._replace(size=1024))
    images = (
        ImageFacts(f"{one.path}/data.img", 2 * GIB, 900 * MIB, "ext4", "data", 2 * GIB, 2 * GIB, GIB),
        ImageFacts(f"{one.path}/logs.img", GIB, 80 * MIB, "xfs", "logs", GIB, GIB, 60 * MIB),
    )
    statuses = (VolumeStatus(volume, image, holders=()) for volume, image in zip(old, images, strict=True))
    defined = Definition(volumes=(DATA, LOGS))
    return one._replace(volumes=(*one.volumes, *statuses), defined=defined, document="/etc/nixos/microvms/lab.toml")


GROWABLE = growable(LAB)


def growth_of(one: MicroVM, image: str, way: GrowWay | None = None) -> GrowPlan:
    """The plan for one image of a microVM of the samples, as root makes it."""
    status = next((status for status in one.volumes if status.volume.image == image), None)
    found = find_volume(one, one.defined, image) or find_volume(one, Definition(volumes=_volumes(one)), image)
    if found is None:
        raise MvtuiError(f"{one.name} has no volume {image}")
    target = target_of(one, *found)
    seen = status.image if status is not None else None
    facts = OverlayFacts(target.path or "", free=30 * GIB)
    if seen is not None and seen.problem is None:
        facts = facts._replace(
            file_id=(41, 8), size=seen.size, allocated=seen.allocated, fs_type=seen.fs_type, label=seen.label,
            fs_size=seen.fs_size, in_use=one.hypervisor is not None,
        )  # fmt: skip
    holders = (Holder(one.hypervisor.pid, "qemu", one.name, "open"),) if one.hypervisor is not None else ()
    evidence = OverlayEvidence(one, target, facts, holders=holders)
    volume = next((each for each in (one.defined or Definition()).volumes if each.image == image), found[0])
    wanted = WantedSize((volume.size or 0) * MIB, "as its definition file says")
    tools = GrowTools(lazy=True, total=200 * GIB)
    return plan_growth(evidence, wanted, tools, way, may_mount=True, overlay=status is not None and status.overlay)


def _volumes(one: MicroVM) -> tuple[Volume, ...]:
    return tuple(status.volume for status in one.volumes)

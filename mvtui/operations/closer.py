"""A closer look at one microVM, for a command: what the panel has from its slow lane."""

from mvtui.host.holders import HolderScan, find_holders
from mvtui.host.ports import Host
from mvtui.host.sources import Sources
from mvtui.model.microvm import MicroVM, ShareStatus, Snapshot, VolumeStatus
from mvtui.operations.set_aside import set_aside
from mvtui.operations.shares import resolve


def look_closer(host: Host, snapshot: Snapshot, name: str) -> Snapshot:
    """`snapshot` with all that can be known of the sources and images of its microVM `name`. Blocking; never raises."""
    microvms = snapshot.microvms
    owners = {process.pid: microvm.name for microvm in microvms for process in microvm.processes}
    return snapshot._replace(
        microvms=tuple(_closer(host, one, owners) if one.name == name else one for one in microvms)
    )


def _closer(host: Host, microvm: MicroVM, owners: dict[int, str]) -> MicroVM:
    sources = Sources(host.root)
    scan = find_holders([(microvm.path, status.volume.image) for status in microvm.volumes], owners, host.root)
    return microvm._replace(
        kept=set_aside(host, [microvm]).get(microvm.name, ()),
        shares=tuple(_closer_share(sources, microvm.path, status) for status in microvm.shares),
        volumes=tuple(_closer_volume(scan, microvm.path, status) for status in microvm.volumes),
    )


def _closer_share(sources: Sources, directory: str, status: ShareStatus) -> ShareStatus:
    source = status.share.source
    return status if source is None else status._replace(source=sources.read(resolve(directory, source)))


def _closer_volume(scan: HolderScan, directory: str, status: VolumeStatus) -> VolumeStatus:
    holders = scan.of((directory, status.volume.image))
    return status._replace(holders=holders, holders_complete=holders is not None and scan.complete)

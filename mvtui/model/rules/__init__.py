"""What microvm.nix asserts, and what it does not know but the kernel, mkfs or the hypervisor enforce.

Each rule is a function that names its source. They look at definitions whose types are right
(`mvtui.model.document_types`).
"""

from mvtui.model.finding import Finding
from mvtui.model.rules import hypervisors, mount_points, others, overlay, shares, volumes
from mvtui.model.rules.finding import Defined, Rule

RULES: tuple[Rule, ...] = (
    shares.duplicate_tag,
    shares.tag_length,
    shares.tag_characters,
    shares.duplicate_socket,
    shares.socket_length,
    shares.socket_characters,
    shares.source_spelling,
    shares.source_characters,
    shares.store_spelling,
    shares.posix_acl,
    shares.without_effect,
    volumes.duplicate_image,
    volumes.image_characters,
    volumes.size_needed,
    volumes.size_range,
    volumes.fs_type_known,
    volumes.label_length,
    volumes.label_characters,
    volumes.duplicate_label,
    volumes.too_many,
    volumes.serial,
    volumes.only_made,
    volumes.made_raw,
    volumes.not_mounted,
    mount_points.same_mount_point,
    mount_points.mount_point_spelling,
    mount_points.taken_by_the_store,
    overlay.overlay_path,
    overlay.overlay_place,
    overlay.overlay_volume,
    overlay.overlay_share,
    overlay.store_on_disk,
    hypervisors.share_protocol,
    hypervisors.read_only_9p,
    hypervisors.ignored_on_volumes,
    hypervisors.image_type,
    others.duplicate_interface,
    others.interface_bridge,
    others.interface_length,
    others.interface_macvtap,
    others.interface_type,
    others.forwarded_ports,
    others.oem_strings,
    others.vsock_ssh,
    others.vsock_cid,
    others.narrow_memory,
    others.refused_option,
    others.device_bus,
    others.control_socket,
    others.cut_string,
)


def check(defined: Defined) -> tuple[Finding, ...]:
    """The findings of every rule, in the order of RULES."""
    return tuple(finding for rule in RULES for finding in rule(defined))

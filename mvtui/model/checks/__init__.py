"""What the host knows of a definition's fields: what Nix accepts, and what can't work on this host.

Each check is a function that names its symptom and its source. They look at facts that were read before
(mvtui.host.field_looks), so they are as pure as rules are.
"""

from mvtui.model.checks import images, sources
from mvtui.model.checks.fields import Check, Fields
from mvtui.model.finding import Finding

CHECKS: tuple[Check, ...] = (
    sources.source_untold,
    sources.source_missing,
    sources.source_no_directory,
    sources.source_barred,
    sources.source_without_acls,
    sources.overlay_without_attributes,
    images.image_untold,
    images.image_no_image,
    images.image_of_another,
    images.image_twice,
    images.image_barred,
    images.image_missing,
    images.image_size,
    images.file_system_size,
    images.image_blank,
    images.image_fs_type,
    images.image_label,
    images.no_space,
)


def check(fields: Fields) -> tuple[Finding, ...]:
    """The findings of every check, in the order of CHECKS."""
    return tuple(finding for one in CHECKS for finding in one(fields))

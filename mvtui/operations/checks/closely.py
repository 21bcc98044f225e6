"""The checks that need a closer look: at rights, at the guest, at when something was made."""

from mvtui.operations.checks import guest, overlay, rights
from mvtui.operations.checks.check import Check

# Within a severity, what stands first here is told first.
CLOSE_CHECKS: tuple[Check, ...] = (
    guest.emergency_mode,
    guest.kernel_panic,
    guest.not_running,
    guest.disk_errors,
    guest.share_lost,
    rights.source_denied,
    rights.no_acl,
    rights.overlay_without_attributes,
    rights.image_denied,
    overlay.stale,
    guest.complaints,
)

"""Opening the panel from the command line, which gives it what makes bundles."""

from typing import TYPE_CHECKING

from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.settings import Settings

if TYPE_CHECKING:
    from mvtui.operations.bundle import Written
    from mvtui.ui.keys import Keys


def open_panel(host: Host, settings: Settings, keys: "Keys") -> int:
    """Show the panel of `host` until it is left; the exit code. `keys` are checked."""
    from mvtui.ui.run import run_panel

    return run_panel(host, settings, keys=keys, bundle=_bundle)


def _bundle(host: Host, snapshot: Snapshot, microvm: MicroVM) -> "Written":
    from mvtui.cli.bundle import make_bundle

    return make_bundle(host, snapshot, microvm)

"""Opening the panel: what the command line calls."""

import gc
import os
import sys
from contextlib import suppress

from mvtui import first_names
from mvtui.host.ports import Host
from mvtui.ui.app import MvtuiApp
from mvtui.ui.seams import MakeBundle, Seams, look, no_bundle, only_look
from mvtui.ui.terminal import Terminal


def seams_of(*, read_only: bool, bundle: MakeBundle = no_bundle) -> Seams:
    """Where nothing may be changed, nothing is put on record either."""
    return Seams(source=only_look if read_only else look, bundle=bundle)


def run_panel(
    host: Host,
    *,
    read_only: bool = False,
    interval: float = 2.0,
    seams: Seams | None = None,
    bundle: MakeBundle = no_bundle,
) -> int:
    """Show the panel of `host` until it is left; the exit code. `interval` is in seconds; `bundle` makes bundles, where
    no `seams` do."""
    # A tenth of the time until the panel stands; it turns the collector on again.
    gc.disable()
    terminal = Terminal.of(os.environ)
    app = MvtuiApp(
        host,
        read_only=read_only,
        interval=interval,
        ascii_only=terminal.ascii_only,
        automatic=terminal.theme,
        own_colours=terminal.own_colours,
        names=first_names.names,
        mouse=terminal.mouse,
        seams=seams or seams_of(read_only=read_only, bundle=bundle),
    )
    app.run(mouse=terminal.mouse)
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.writelines(f"mvtui: {line}\n" for line in app.last_words())
    return app.return_code or 0

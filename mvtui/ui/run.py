"""Opening the panel: what the command line calls."""

import gc
import os
import sys
from contextlib import suppress
from functools import partial

from mvtui import first_names
from mvtui.host.ports import Host
from mvtui.model.settings import DEFAULTS, Settings
from mvtui.ui.app import MvtuiApp
from mvtui.ui.keys import Keys
from mvtui.ui.seams import MakeBundle, Seams, find_login, look, no_bundle, only_look
from mvtui.ui.terminal import Terminal

_NO_KEYS: Keys = {}


def seams_of(settings: Settings, bundle: MakeBundle = no_bundle) -> Seams:
    """Where nothing may be changed, nothing is put on record either."""
    return Seams(
        source=only_look if settings.read_only else look,
        bundle=bundle,
        find_login=partial(find_login, user=settings.ssh_user),
    )


def run_panel(
    host: Host,
    settings: Settings = DEFAULTS,
    *,
    keys: Keys = _NO_KEYS,
    seams: Seams | None = None,
    bundle: MakeBundle = no_bundle,
) -> int:
    """Show the panel of `host` as `settings` have it, until it is left; the exit code. `keys` are what
    `keymap.checked_keys` gives; `bundle` makes bundles, where no `seams` do."""
    # A tenth of the time until the panel stands; it turns the collector on again.
    gc.disable()
    terminal = Terminal.of(os.environ).with_settings(settings)
    app = MvtuiApp(
        host,
        read_only=settings.read_only,
        interval=settings.interval,
        ascii_only=terminal.ascii_only,
        theme=settings.theme,
        automatic=terminal.theme,
        own_colours=terminal.own_colours,
        names=first_names.names,
        mouse=terminal.mouse,
        abilities=terminal.abilities,
        keys=keys,
        seams=seams or seams_of(settings, bundle),
    )
    app.run(mouse=terminal.mouse)
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.writelines(f"mvtui: {line}\n" for line in app.last_words())
    return app.return_code or 0

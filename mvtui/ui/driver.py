"""The way to the terminal."""

import sys
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from mvtui import first_names

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


class PanelDriver(LinuxDriver):
    """Textual's own; where the names stand in the alternate screen already, it is not entered (and cleared) again."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        # Textual writes to standard error, which may be a file (`mvtui 2>errors`).
        self._file = sys.__stdout__

    def write(self, data: str) -> None:
        """Send to the terminal."""
        if data == _ENTER_ALTERNATE_SCREEN and first_names.take_over():
            return
        super().write(data)

    def report_mouse(self, on: bool) -> None:
        """Let the terminal report the mouse from now on, or no longer."""
        if not on:
            self._disable_mouse_support()
        self._mouse = on
        self._enable_mouse_support()

    def _enable_mouse_support(self) -> None:
        """Clicks and the wheel; Textual also wants every motion reported, which nothing here needs."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1006h")
            self.flush()

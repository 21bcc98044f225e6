"""The way to the terminal."""

from textual.drivers.linux_driver import LinuxDriver

from mvtui import first_names

_ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"


class PanelDriver(LinuxDriver):
    """Textual's own; where the names stand in the alternate screen already, it is not entered (and cleared) again."""

    def write(self, data: str) -> None:
        """Send to the terminal."""
        if data == _ENTER_ALTERNATE_SCREEN and first_names.take_over():
            return
        super().write(data)

"""Whether systemd is there, told without asking it anything (and without importing what it takes to ask)."""

import os
import stat
from pathlib import Path

SOCKET = "/run/dbus/system_bus_socket"
ADDRESS_VARIABLE = "DBUS_SYSTEM_BUS_ADDRESS"


def systemd_runs(root: Path) -> bool:
    """True where systemd is the manager of the host below `root` (sd_booted(3)) and its bus can be reached."""
    try:
        booted = stat.S_ISDIR(os.lstat(root / "run/systemd/system").st_mode)
        return booted and stat.S_ISSOCK(os.stat(_socket(root)).st_mode)
    except (OSError, ValueError):
        return False


def _socket(root: Path) -> Path:
    """The socket of the system bus; where the address names none, the place where it always is."""
    for address in os.environ.get(ADDRESS_VARIABLE, "").split(";"):
        transport, _, options = address.partition(":")
        path = dict(option.partition("=")[::2] for option in options.split(",")).get("path")
        if transport == "unix" and path:
            return Path(path)
    return root / SOCKET.lstrip("/")

"""What can go wrong between mvtui and systemd, in words: `what: why`, each with what would mend it."""

from mvtui.errors import MvtuiError, RightsMissingError

_RIGHTS = (
    "org.freedesktop.DBus.Error.AccessDenied",
    "org.freedesktop.DBus.Error.AuthFailed",
    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
)
_ABSENT = (
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NoReply",
)
_HINTS = {
    "org.freedesktop.systemd1.NoSuchUnit": "is microvm.nix's host module in this host's configuration?",
    "org.freedesktop.systemd1.UnitMasked": "`systemctl unmask` gives it back",
    "org.freedesktop.DBus.Error.InvalidArgs": (
        "a unit's name takes letters, digits and :-_.\\ only: a microVM of another name can't be one of systemd's"
    ),
}
_HINT_RIGHTS = (
    "run mvtui as root (sudo mvtui), or let a polkit rule allow org.freedesktop.systemd1.manage-units for microvm@* "
    "(NixOS: programs.mvtui.group)"
)
_HINT_BUS = (
    "`systemctl status dbus.socket dbus` says more; DBUS_SYSTEM_BUS_ADDRESS names another bus; "
    "--manager direct works without systemd"
)


class ReplyError(Exception):
    """systemd or the bus answered with an error: `name` is the D-Bus error's, `text` is meant for people."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text

    def explained(self, doing: str) -> MvtuiError:
        """The same as something to read; `doing` completes "can't …"."""
        if self.name in _RIGHTS or self.name.startswith("org.freedesktop.PolicyKit1.Error"):
            return RightsMissingError(f"not allowed to {doing}: {self.text}", _HINT_RIGHTS)
        if self.name in _ABSENT:
            return MvtuiError(f"can't {doing}: systemd is not on the bus", _HINT_BUS)
        hint = _HINTS.get(self.name, f"systemd's journal may say more (journalctl -b _PID=1); {self.name}")
        return MvtuiError(f"can't {doing}: {self.text}", hint)


def unreachable(address: str, error: Exception) -> MvtuiError:
    """No connection to the bus at `address`, for the `error` of socket or library."""
    what = f"can't reach the system bus at {address}"
    if isinstance(error, PermissionError):
        return RightsMissingError(f"{what}: it refuses this user", _HINT_RIGHTS)
    if isinstance(error, TimeoutError):
        return MvtuiError(f"{what}: it does not answer", _HINT_BUS)
    why = (error.strerror if isinstance(error, OSError) else None) or str(error) or "it hung up"
    return MvtuiError(f"{what}: {why}", _HINT_BUS)


def hung_up(address: str) -> MvtuiError:
    """The connection was lost while something was asked."""
    return MvtuiError(f"the connection to systemd was lost: the system bus at {address} hung up", _HINT_BUS)


def silent(address: str, seconds: float) -> MvtuiError:
    """Connected, but no answer."""
    return MvtuiError(
        f"systemd does not answer: nothing came within {seconds:g} s on the bus at {address}",
        "it is reloading, or hangs: `systemctl status` tells; --manager direct works without it",
    )

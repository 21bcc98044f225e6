"""Work that a unit's start leaves to a unit of its own: StartTransientUnit of org.freedesktop.systemd1(5).

What an ExecStartPre= leaves running has no promise (systemd.service(5): it is killed). systemd 252 lets it run, among
the processes of the unit that starts, warns of it at each start, and ends it when that unit stops. The newest does
the same, and with such a rest does not start a unit that has SendSIGKILL=no.
"""

from collections.abc import Sequence

from dbus_fast import Variant

from mvtui.host.systemd_bus import SystemBus
from mvtui.host.systemd_errors import ReplyError

_EXISTS = "org.freedesktop.systemd1.UnitExists"
# ioprio_set(2)
_IO_CLASS_IDLE = 3
_NICE = 10


async def free_apart(bus: SystemBus, microvm: str, argv: Sequence[str]) -> None:
    """As `Units.free_apart`. Raises ReplyError, MvtuiError."""
    words = [word.replace("$", "$$") for word in argv]  # systemd puts variables in
    properties = [
        ["Description", Variant("s", f"Free old store overlays of {microvm}")],
        ["CollectMode", Variant("s", "inactive-or-failed")],
        ["ExecStart", Variant("a(sasb)", [[argv[0], words, False]])],
        ["Nice", Variant("i", _NICE)],
        ["IOSchedulingClass", Variant("i", _IO_CLASS_IDLE)],
    ]
    unit = f"mvtui-free-{microvm}.service"
    try:
        await bus.call("StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", properties, [])
    except ReplyError as error:
        if error.name != _EXISTS:
            raise

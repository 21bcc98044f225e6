"""What has been: the last minutes of processes, and what mvtui called."""

from mvtui.host.calls import CallLog
from mvtui.model.call import Call, CallKind
from mvtui.model.microvm import MicroVM
from mvtui.ui.trends import SLOT_SECONDS, Trends
from tests.ui.samples import MIB, ago


def past(trends: Trends, one: MicroVM, until: int = 60) -> None:
    """Its 60 slots before `until`, with a gap: waves of CPU, memory that grows."""
    for slot in range(60):
        if slot in (20, 21):
            continue
        wave = 40.0 + 35.0 * ((slot % 12) / 11)
        living = tuple(
            process._replace(cpu_percent=wave if process is one.hypervisor else wave / 9, rss=process.rss + slot * MIB)
            for process in one.processes
        )
        trends.take([one._replace(processes=living)], (until - 60 + slot) * SLOT_SECONDS)


def _call(kind: CallKind, what: str, seconds: float | None, ok: bool | None, result: str, age: float) -> Call:
    return Call(ago(seconds=age), kind, what, seconds, ok, result)


CALLS = (
    _call(CallKind.DBUS, "StopUnit microvm@web.service replace", 1.2345, True, "job 811 done", 95),
    _call(CallKind.COMMAND, "sudo -n -- mvtui start --manager systemd -- lab", 0.0123, False, "exit 1", 61),
    _call(CallKind.DBUS, "StartUnit microvm@lab.service replace", 0.004, False, "Access denied (polkit)", 60),
    _call(CallKind.COMMAND, "kill -TERM 4711", 0.0001, True, "sent", 12),
    _call(CallKind.DBUS, "ListUnitsByPatterns microvm@*.service …", 0.0021, True, "37 units", 2)._replace(times=412),
    _call(CallKind.DBUS, "RestartUnit microvm@ci.service replace", None, None, "", 1),
)


class Told(CallLog):
    """A log of these calls."""

    def __init__(self, calls: tuple[Call, ...] = CALLS) -> None:
        super().__init__()
        self.told = calls

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.told

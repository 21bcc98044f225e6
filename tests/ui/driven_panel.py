"""The panel of a fake host, driven by commands on a pipe."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace

from textual._context import active_app

from mvtui.errors import RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import StateWord
from mvtui.ui.run import run_panel
from tests.ui.fake_host import FakeHost
from tests.ui.samples import GIB, LAB, ago, microvm, snapshot

MARK = "\x1b]7777\x07"

TWELVE = snapshot(
    LAB,
    *(
        microvm(f"vm{number:02}", StateWord.RUNNING, since=ago(hours=number + 2), cpu=number + 0.5, memory=GIB)
        for number in range(11)
    ),
)


def with_cpu(one: MicroVM, percent: float) -> MicroVM:
    """The same with another load."""
    assert one.hypervisor is not None
    hypervisor = one.hypervisor._replace(cpu_percent=percent)
    return one._replace(hypervisor=hypervisor, processes=(hypervisor,))


class DrivenPanel:
    """Reads commands from `pipe`; what they have painted is followed by MARK on the terminal.

    `tick` looks again and sees the same, `change N` sees another load on the last N microVMs, `pass N` lets N seconds
    pass, `refuse` ends the last verb for want of rights.
    """

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.fake = FakeHost(TWELVE)
        self.fake.after_look = self.mark
        self.shown = TWELVE
        self.percent = 20.0

    def run(self) -> int:
        """Until the panel is left; its exit code."""
        return run_panel(self.fake.host, seams=replace(self.fake.seams, source=self.source))

    def source(self, host: Host, *, interval: float, wake: asyncio.Event) -> AsyncIterator[Snapshot]:
        asyncio.get_running_loop().add_reader(self.pipe, self.read)
        return self.fake.snapshots(host, interval=interval, wake=wake)

    def read(self) -> None:
        for line in os.read(self.pipe, 4096).decode().splitlines():
            verb, _, argument = line.partition(" ")
            if verb == "change":
                self.change(int(argument))
            elif verb == "pass":
                self.fake.passes(seconds=float(argument))
            elif verb == "refuse":
                self.fake.fail(*self.fake.asked[-1], RightsMissingError("polkit refused it", "be root"))
            # Equal, and not the same object: as a real look yields it.
            self.fake.tell(self.shown._replace(microvms=tuple(one._replace() for one in self.shown.microvms)))

    def change(self, count: int) -> None:
        self.percent += 1.3
        before = self.shown.microvms
        last = tuple(with_cpu(one, self.percent) for one in before[-count:])
        self.shown = self.shown._replace(microvms=(*before[:-count], *last))

    def mark(self) -> None:
        app = active_app.get()
        driver = app._driver
        assert driver is not None
        app.call_after_refresh(driver.write, MARK)

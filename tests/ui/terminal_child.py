"""The panel of a fake host in a terminal of its own: a program that a test runs behind a pty and drives over a pipe.

Each line on the pipe's descriptor (argument 1) is a command; what has been painted until then is followed by a mark
on the terminal, an OSC that terminals ignore, so that the test knows which bytes belong to which command.
"""

import asyncio
import fcntl
import os
import sys
import termios
from dataclasses import replace

from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import StateWord
from mvtui.ui.app import MvtuiApp
from mvtui.ui.terminal import Terminal
from tests.ui.fake_host import FakeHost
from tests.ui.samples import GIB, ago, microvm, snapshot

TWELVE = snapshot(
    *(
        microvm(f"vm{number:02}", StateWord.RUNNING, since=ago(hours=number + 2), cpu=number + 0.5, memory=GIB)
        for number in range(12)
    )
)


def with_cpu(one: MicroVM, percent: float) -> MicroVM:
    """The same with another load."""
    assert one.hypervisor is not None
    hypervisor = replace(one.hypervisor, cpu_percent=percent)
    return replace(one, hypervisor=hypervisor, processes=(hypervisor,))


def changed(before: Snapshot, count: int, percent: float) -> Snapshot:
    """The same with another load of `count` microVMs."""
    first = tuple(with_cpu(one, percent) for one in before.microvms[:count])
    return replace(before, microvms=(*first, *before.microvms[count:]))


class Driven:
    """Carries out the commands."""

    def __init__(self, host: FakeHost, app: MvtuiApp) -> None:
        self.host, self.app = host, app
        self.snapshot = TWELVE
        self.percent = 20.0

    def obey(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        if verb == "tick":
            # Equal, and not the same object: as a real look yields it.
            self.snapshot = replace(self.snapshot, microvms=tuple(replace(one) for one in self.snapshot.microvms))
        elif verb == "change":
            self.percent += 1.3
            self.snapshot = changed(self.snapshot, int(argument), self.percent)
        self.host.tell(self.snapshot)
        self.app.call_later(self._settled, self.host.looks + 1)

    async def _settled(self, looks: int) -> None:
        while self.host.looks < looks:
            await asyncio.sleep(0)
        self.app.call_after_refresh(self._mark)

    def _mark(self) -> None:
        driver = self.app._driver
        assert driver is not None
        driver.write("\x1b]7777\x07")


def main(pipe: int) -> int:
    """Run until the panel is left; its exit code."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    host = FakeHost(TWELVE)
    terminal = Terminal.of(os.environ)
    app = host.app(theme=terminal.theme, ascii_only=terminal.ascii_only)
    driven = Driven(host, app)

    def read() -> None:
        lines = os.read(pipe, 4096).decode().splitlines()
        if not lines:
            asyncio.get_running_loop().remove_reader(pipe)
        for line in lines:
            driven.obey(line)

    async def listen() -> None:
        asyncio.get_running_loop().add_reader(pipe, read)

    app.call_later(listen)
    app.run(mouse=terminal.mouse)
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))

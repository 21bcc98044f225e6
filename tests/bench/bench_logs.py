"""A guest that writes 10,000 lines a second: what the panel takes of a core and sends to the terminal, what journalctl
takes beside it (of a real journal, where one can be had), and what Textual's RichLog takes for as many."""

import sys
import time
from collections.abc import Iterator

import pytest
from textual.app import App, ComposeResult
from textual.widgets import RichLog

from tests.bench.scoreboard import score
from tests.real.host import RealHost, real_host
from tests.real.packages import UnavailableError
from tests.ui import flood
from tests.ui.terminal import TerminalProgram
from tests.ui.test_log_flood import CHILD, MOST_BYTES_A_SECOND, MOST_CPU, cpu_seconds, flooded, newer

SECONDS = 6.0
RICH_LINES = 2000

_WRITER = """\
import os, time
from random import Random
words = [Random(seed).randbytes(40).hex() for seed in range(997)]
began, number = time.monotonic(), 0
while True:
    lines = range(number, number + 100)
    os.write(1, "".join(f"line {n} of a guest: {words[n % 997]}\\n" for n in lines).encode())
    number += 100
    time.sleep(max(0, began + number / 10_000 - time.monotonic()))
"""


class RichLogApp(App[None]):
    def compose(self) -> ComposeResult:
        yield RichLog()


async def rich_log_seconds() -> float:
    """Of CPU, for a line."""
    app = RichLogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        log = app.query_one(RichLog)
        began = time.process_time()
        for number in range(RICH_LINES):
            log.write(f"line {number} of a guest: {flood._WORDS[number % 997][:60]}")
            if number % 100 == 0:
                await pilot.pause()
        await pilot.pause()
        return (time.process_time() - began) / RICH_LINES


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_flood(size: tuple[int, int]) -> None:
    runs = [flooded(size) for _ in range(3)]
    used, written, lines = min(runs)
    words = f"{lines:.0f} lines/s, {written:.0f} bytes/s"
    score(f"log, share of a core at 10,000 lines/s, {size[0]}x{size[1]}", used, MOST_CPU, words=words)
    score(f"log, kB/s to the terminal, {size[0]}x{size[1]}", written / 1000, MOST_BYTES_A_SECOND / 1000)
    if size == (80, 24):
        rich = min([await rich_log_seconds() for _ in range(3)])
        score("log, RichLog's CPU of a line against ours", rich * lines / used, 20, at_least=True)


@pytest.fixture
def host() -> Iterator[RealHost]:
    context = real_host()
    try:
        started = context.__enter__()
    except UnavailableError as error:
        pytest.skip(str(error))
    try:
        yield started
    finally:
        context.__exit__(None, None, None)


def test_flood_of_a_real_journal(host: RealHost) -> None:
    units = host.nested.path("/run/systemd/system")
    (units / "flood.py").write_text(_WRITER)
    run = f"ExecStart={sys.executable} /run/systemd/system/flood.py"
    (units / "microvm@wiki.service").write_text(f"[Service]\nLogRateLimitIntervalSec=0\n{run}\n")
    host.systemctl("daemon-reload")
    host.systemctl("start", "microvm@wiki.service")
    journal = f"/proc/{host.nested.pid}/root/run/log/journal"
    with TerminalProgram([*CHILD, journal], pipe=False) as panel:
        panel.see("wiki")
        panel.type("Gl")
        panel.see("of a guest")
        newer(panel, 2 * flood.LINES_A_SECOND)

        def measured() -> tuple[int, float, float]:
            return newer(panel), time.monotonic(), cpu_seconds(panel.process.pid)

        before = measured()
        panel.read_until(lambda _: time.monotonic() - before[1] > SECONDS)
        lines, took, used = (b - a for a, b in zip(before, measured(), strict=True))
    host.systemctl("stop", "microvm@wiki.service")
    words = f"{lines / took:.0f} lines/s"
    score("log, share of a core with journalctl, real journal", used / took, MOST_CPU, words=words)

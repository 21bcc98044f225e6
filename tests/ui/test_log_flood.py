"""A guest that writes 10,000 lines a second: what that costs the panel, the terminal, and who presses a key."""

import os
import re
import select
import time

import pytest

from tests.ui.flood import LINES_A_SECOND
from tests.ui.terminal import TerminalProgram

CHILD = ["-m", "tests.ui.flood_child"]
SECONDS = 4.0
MOST_CPU = 0.15
MOST_BYTES_A_SECOND = 20_000
KEY_SECONDS = 0.5

_HELP = "The keys that work here"
# A key, and what stands on the screen then, or no longer. Esc must have been dealt with before a letter follows: the
# two together are another key.
KEYS = (("?", _HELP, True), ("\x1b", _HELP, False), ("k", "stands still", True))

_NUMBER = re.compile(r"line (\d+) of a guest")


def cpu_seconds(pid: int) -> float:
    """What the process has used, and those of its children that have ended."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def last_number(panel: TerminalProgram) -> int:
    return max((int(number) for number in _NUMBER.findall(panel.text)), default=-1)


def newer(panel: TerminalProgram, count: int = 0) -> int:
    """The last number that stands there, once it is so much higher than now: just when the panel has painted."""
    now = last_number(panel)
    panel.read_until(lambda _: last_number(panel) > now + count)
    return last_number(panel)


def flooded(size: tuple[int, int]) -> tuple[float, float, float]:
    """Share of a core, bytes a second, lines a second."""
    with TerminalProgram(CHILD, size=size, pipe=False) as panel:
        panel.see("wiki")
        panel.type("l")
        panel.see("of a guest")

        newer(panel, 2 * LINES_A_SECOND)

        def measured() -> tuple[int, float, float, int]:
            return newer(panel), time.monotonic(), cpu_seconds(panel.process.pid), len(panel.written)

        before = measured()
        panel.read_until(lambda _: time.monotonic() - before[1] > SECONDS)
        lines, took, used, written = (b - a for a, b in zip(before, measured(), strict=True))
        return used / took, written / took, lines / took


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_what_it_costs(size: tuple[int, int]) -> None:
    for _ in range(3):  # others may be at work on this machine
        used, written, lines = flooded(size)
        print(f"\n{size}: {used:.1%} of a core, {written:.0f} bytes/s, {lines:.0f} lines/s")
        assert written <= MOST_BYTES_A_SECOND
        if used <= MOST_CPU and lines >= 0.9 * LINES_A_SECOND:
            return
    raise AssertionError(f"{used:.1%} of a core, {lines:.0f} lines/s")


def slowest_key() -> float:
    """Seconds until the screen shows what a key does, of the slowest of some."""
    slowest = 0.0
    with TerminalProgram(CHILD, pipe=False) as panel:
        panel.see("wiki")
        panel.type("l")
        panel.see("of a guest")
        newer(panel, LINES_A_SECOND)
        for key, text, is_there in KEYS:
            assert (text in panel.text) is not is_there
            began = time.monotonic()
            panel.type(key)
            panel.read_until(lambda _, text=text, is_there=is_there: (text in panel.text) is is_there)  # type: ignore[misc]
            took = time.monotonic() - began
            print(f"\n{key!r}: {took * 1000:.0f} ms")
            slowest = max(slowest, took)
    return slowest


def test_no_key_is_blocked() -> None:
    # Others may be at work on this machine: one run in three has to be quick.
    slowest = next((took for _ in range(3) if (took := slowest_key()) <= KEY_SECONDS), None)
    assert slowest is not None, f"every time, a key took more than {KEY_SECONDS} s"


def children(pid: int) -> list[str]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


def test_journalctl_runs_only_while_it_is_looked_at() -> None:
    with TerminalProgram(CHILD, pipe=False) as panel:
        panel.see("wiki")
        assert children(panel.process.pid) == []
        panel.type("l")
        panel.read_until(lambda _: last_number(panel) > 0)
        (child,) = children(panel.process.pid)
        panel.type("1")
        panel.see("Units")
        assert children(panel.process.pid) == []
        assert not os.path.exists(f"/proc/{child}")
        panel.type("5")
        panel.read_until(lambda _: "line " in panel.text)
        (child,) = children(panel.process.pid)
        killed = os.pidfd_open(int(child))
        panel.process.kill()
        assert select.select([killed], [], [], 10)[0], "it lives on"
        os.close(killed)

"""A child that waits for its work."""

import os
import signal
from pathlib import Path

from mvtui.host.overlay.spare import Spare


def children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def test_it_waits_and_is_taken_once() -> None:
    spare, before = Spare(), children()
    spare.get_ready()
    spare.get_ready()
    (child,) = children() - before
    first, second = spare.take("/a"), spare.take("/b")
    assert children() - before > {child}
    assert (first.shown, second.shown) == ("/a", "/b")
    for channel in (first, second):
        channel.close()
    assert children() == before


def test_one_that_has_ended_is_no_use() -> None:
    spare, before = Spare(), children()
    spare.get_ready()
    (killed,) = children() - before
    os.kill(killed, signal.SIGKILL)
    os.waitid(os.P_PID, killed, os.WEXITED | os.WNOWAIT)
    channel = spare.take("/a")
    assert killed not in children()
    channel.close()
    assert children() == before

"""A command that lasts: who follows it is in nobody's way."""

import os
from pathlib import Path

from mvtui.host.lasting_command import LastingCommand, start


def begin(records: Path, script: str) -> LastingCommand:
    return start(("/bin/sh", "-c", script), records, "rebuilds", "web", {})


async def test_who_has_followed_it_to_its_end_keeps_nobody_from_the_next(tmp_path: Path) -> None:
    """Else that one would be told that it runs already, and nothing would be built."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    first = begin(tmp_path / "records", f"read word < {fifo}")
    follower = begin(tmp_path / "records", "exit 3")
    assert follower.pid is None
    with fifo.open("w") as file:
        file.write("go\n")
    assert await first.wait() == 0
    assert await follower.wait() is None
    second = begin(tmp_path / "records", "exit 4")
    try:
        assert second.pid is not None
        assert await second.wait() == 4
    finally:
        for one in (first, follower, second):
            one.close()

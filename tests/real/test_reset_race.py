"""systemd starts a microVM at random moments while its overlay is reset: a guest has the old image or the new one,
whole, and it is the one at the image's name."""

import json
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mvtui.model.definition import Definition, Share, ShareProto
from tests.real.host import Json, RealHost, sample
from tests.real.overlays import IMAGE
from tests.real.starters import HYPERVISOR

# As the hypervisor has it.
LINES = 40
SIZE_MIB = 64


def raced(host: RealHost, name: str, rounds: int, lookers: int = 0, how: str = "unit") -> list[Json]:
    """What each round saw (`tests.real.race.Round`)."""
    # Hundreds of starts are no loop.
    for kind in ("microvm", "microvm-set-booted", "microvm-virtiofsd"):
        host.drop_in(f"{kind}@{name}.service", "[Unit]\nStartLimitIntervalSec=0\n")
    seed = random.randrange(2**32)
    words = [name, IMAGE, str(rounds), str(seed), str(lookers), how]
    ran = host.nested.python("-m", "tests.real.race", *words, timeout=200)
    seen = [json.loads(line) for line in ran.stdout.splitlines()]
    results = Counter(one["result"] for one in seen)
    why = Counter(re.sub(r"\d+", "N", one["words"]) for one in seen if one["result"] != "done")
    print(f"seed {seed}: {results}", *why.items(), sep="\n")
    assert len(seen) == rounds
    return seen


def without_virtiofs(name: str) -> Definition:
    """A start without virtiofsd is ten times as quick."""
    store = Share("ro-store", ShareProto.NINE_P, "/nix/store", "/nix/.ro-store")
    return sample(name)._replace(shares=(store,))


def check(rounds: list[Json]) -> None:
    """Never two images mixed, never half a one, and never a start that fails for it."""
    for seen in rounds:
        assert seen["start"] == "done", seen
        assert seen["restarts"] == 0, seen
        assert seen["held"] == [seen["after"]], seen
        assert (seen["after"] != seen["before"]) == (seen["result"] == "done"), seen
        assert seen["result"] != "failed", seen
        assert seen["fsck"] == 0, seen
        if seen["result"] == "done":
            assert str(seen["before"]) in seen["kept"], seen
        assert seen["entries"] in ([], ["lock"]), seen


@pytest.mark.parametrize(
    ("how", "count", "lookers"), [("unit", 200, 0), ("unit", 30, 2), ("hand", 40, 0), ("hand", 40, 2)]
)
def test_starts_while_an_overlay_is_reset(
    host: RealHost, ending: list[str], how: str, count: int, lookers: int
) -> None:
    program = host.nested.path(HYPERVISOR)
    program.write_text(f"#!{host.tools.python} -IS\n{Path(__file__).with_name(program.name).read_text()}")
    program.chmod(0o755)
    tools = replace(host.tools, hypervisor=HYPERVISOR)
    size = ("--size", str(SIZE_MIB * 2**20))
    name = host.add(without_virtiofs(f"race-{how}-{count}-{lookers}"), tools=tools, extra_args=size)
    ending.append(name)
    rounds = raced(host, name, count, lookers, how)
    check(rounds)
    writers: list[str] = []
    for seen in rounds:
        # Each image tells of those alone that had it, and of all of them.
        before = [] if seen["result"] == "done" else writers
        writers = [*before, f"began {seen['pid']}", f"ended {seen['pid']}"][-LINES:]
        assert seen["writers"] == writers, seen
        assert all("ended" in lines[-1] for lines in seen["kept"].values() if lines), seen
    done = sum(seen["result"] == "done" for seen in rounds)
    assert count / 10 <= done <= count * 9 / 10, "the two did not meet"
    journal = "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))
    assert journal.count("mke2fs") == 1, "the runner saw a moment without an image"


def test_with_qemu(host: RealHost, ending: list[str]) -> None:
    """QEMU with its own locks; its guest waits (`-S`)."""
    name = host.add(without_virtiofs("race-qemu"), extra_args=("-S",))
    ending.append(name)
    host.drop_in(f"microvm@{name}.service", "[Service]\nExecStop=\n")
    check(raced(host, name, 10))

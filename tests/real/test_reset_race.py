"""systemd starts a microVM at random moments while its overlay is reset: a guest has the old image or the new one,
whole, and it is the one at the image's name."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mvtui.model.definition import Definition, Share, ShareProto
from tests.real.host import PROGRAMS, Json, RealHost, sample
from tests.real.overlays import IMAGE

HYPERVISOR = Path(__file__).with_name("locking_hypervisor.py")
# As the hypervisor has it.
LINES = 40
SIZE_MIB = 64


def raced(host: RealHost, name: str, rounds: int, lookers: int = 0) -> list[Json]:
    """What each round saw (`tests.real.race.Round`)."""
    # Hundreds of starts are no loop.
    for kind in ("microvm", "microvm-set-booted", "microvm-virtiofsd"):
        host.drop_in(f"{kind}@{name}.service", "[Unit]\nStartLimitIntervalSec=0\n")
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    ran = host.nested.python("-m", "tests.real.race", name, IMAGE, str(rounds), str(seed), str(lookers), timeout=200)
    return [json.loads(line) for line in ran.stdout.splitlines()]


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
        assert all(entry == "lock" or entry.startswith("freeing.") for entry in seen["entries"]), seen


@pytest.mark.parametrize(("count", "lookers"), [(200, 0), (60, 2)])
def test_starts_while_an_overlay_is_reset(host: RealHost, ending: list[str], count: int, lookers: int) -> None:
    program = host.nested.path(f"{PROGRAMS}/qemu-system-x86_64")
    program.write_text(f"#!{host.tools.python} -IS\n{HYPERVISOR.read_text()}")
    program.chmod(0o755)
    tools = replace(host.tools, hypervisor=f"{PROGRAMS}/{program.name}")
    name = host.add(without_virtiofs(f"race-{count}"), tools=tools, extra_args=("--size", str(SIZE_MIB * 2**20)))
    ending.append(name)
    rounds = raced(host, name, count, lookers)
    results = Counter(seen["result"] for seen in rounds)
    print(results, Counter(seen["words"] for seen in rounds if seen["result"] != "done").most_common(8))
    check(rounds)
    writers: list[str] = []
    for seen in rounds:
        # Each image tells of those alone that had it, and of all of them.
        before = [] if seen["result"] == "done" else writers
        writers = [*before, f"began {seen['pid']}", f"ended {seen['pid']}"][-LINES:]
        assert seen["writers"] == writers, seen
        assert all(lines[-1].startswith("ended ") for lines in seen["kept"].values()), seen
    assert len(rounds) == count
    assert min(results["done"], results["refused"]) >= count / 10, "the two did not meet"
    journal = "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))
    assert journal.count("mke2fs") == 1, "the runner saw a moment without an image"


def test_with_qemu(host: RealHost, ending: list[str]) -> None:
    """QEMU with its own locks; its guest waits (`-S`)."""
    name = host.add(without_virtiofs("race-qemu"), extra_args=("-S",))
    ending.append(name)
    host.drop_in(f"microvm@{name}.service", "[Service]\nExecStop=\n")
    rounds = raced(host, name, 20)
    print(Counter(seen["result"] for seen in rounds))
    check(rounds)
    assert len(rounds) == 20

"""A host whose `web` runs, with a hypervisor that answers and a console; the socket and the log are real."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM
from mvtui.operations.guests import Guests
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.host.guest import peers
from tests.host.guest.peers import Peer, peer
from tests.operations.sample import build_web, processes_of, run_web, units_of

KERNEL = b"[    0.000000] Linux version 6.12\n"
UP = b"[  OK  ] Reached target Multi-User System.\n"
EMERGENCY = b"[FAILED] Failed to mount /docs.\nYou are in emergency mode.\n"
UNIT = "microvm@web.service"
# All is well, also with a device that is no share of it.
_CONNECTED = {"query-chardev": [{"label": "fs0", "filename": "unix:"}, {"label": "fs2", "filename": "unix:/x"}]}


@pytest.fixture
def web(tmp_path: Path) -> Host:
    """`web` runs under a keeper; its hypervisor is this process."""
    host = build_web(tmp_path)
    (host.state_dir / "web" / "nix-store-overlay.img").touch()
    run_web(host)
    units_of(host).manager = "direct"
    units_of(host).units[UNIT] = units_of(host).units[UNIT]._replace(log_start=0)
    living = processes_of(host).living
    living[os.getpid()] = living.pop(100)._replace(pid=os.getpid())
    (host.state_dir / "web" / "microvm.log").write_bytes(KERNEL)
    return host


@pytest.fixture
def qemu(web: Host) -> Iterator[Peer]:
    with peer(web.state_dir / "web" / "web.sock", peers.qmp(peers.QEMU | _CONNECTED)) as one:
        yield one


def say(host: Host, content: bytes) -> None:
    with (host.state_dir / "web" / "microvm.log").open("ab") as log:
        log.write(content)


async def look(host: Host, kept: Kept) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    return microvm


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def panel(host: Host) -> tuple[Kept, Clock]:
    """As the panel has it, with a clock that the test moves."""
    kept, clock = Kept(host, inline=False), Clock()
    kept.guests = Guests(host, clock)
    return kept, clock


def is_due(kept: Kept) -> bool:
    assert kept.guests is not None
    return kept.guests.due


def has_news(kept: Kept) -> bool:
    assert kept.guests is not None
    return kept.guests.has_news


def renew(kept: Kept) -> None:
    """In a thread, as the panel does it: this one has an event loop."""
    assert kept.guests is not None
    thread = threading.Thread(target=kept.guests.renew)
    thread.start()
    thread.join()

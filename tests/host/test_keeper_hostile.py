"""A keeper of root's beside users who mean ill: what they run keeps nobody from starting and stopping a microVM."""

import os
import shutil
from collections.abc import Iterator

import pytest

from mvtui.host.keeper import Order
from mvtui.model.unit import UnitVerb
from tests.host.direct_host import OWNER, SLEEPS, DirectHost, direct_host, need_root, until
from tests.host.living import Spawn, spawning
from tests.host.state_dirs import NOBODY

START, STOP = UnitVerb.START, UnitVerb.STOP


@pytest.fixture
def host() -> Iterator[DirectHost]:
    with direct_host() as made:
        yield made


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    with spawning() as start:
        yield start


async def test_who_could_not_write_there_is_not_adopted(host: DirectHost, spawn: Spawn) -> None:
    need_root()
    directory = host.add()
    others = spawn(directory, "microvm@web", "1000", executable="/bin/sleep", user=NOBODY)
    daemon = spawn(directory, "virtiofsd", "1000", executable="/bin/sleep", user=NOBODY)
    await host.run(START)
    assert await host.main_pid() != others.pid
    await host.run(STOP)
    assert (others.poll(), daemon.poll()) == (None, None)


async def test_who_reads_the_log_is_no_daemon(host: DirectHost, spawn: Spawn) -> None:
    directory = host.add()
    (directory / "virtiofsd.log").write_text("sleep 1000; :")
    reader = spawn(directory, "less", "virtiofsd.log", executable="/bin/sh")
    await host.run(START)
    await host.run(STOP)
    assert reader.poll() is None


async def test_what_only_looks_like_another_keeper(host: DirectHost, spawn: Spawn) -> None:
    """A set-user-ID program runs as root, and its caller chose its command line."""
    need_root()
    host.add()
    program = host.folder / "tail"
    shutil.copy("/usr/bin/tail", program)
    program.chmod(0o4755)
    *boot, order = Order("start", str(host.state_dir), "web", "/elsewhere", []).command()[4:]
    spawn(host.folder, str(program), "-f", "/dev/null", *boot, order, user=NOBODY)
    spawn(host.folder, "sh", "-c", "sleep 1000; :", *boot, "[" * 50_000, user=OWNER[0])
    assert (await host.run(START)).words == "web: started"


async def test_what_forks_on_and_on_ends_too(host: DirectHost) -> None:
    """Each of them holds the fifo open."""
    directory = host.add(
        scripts={"microvm-run": "exec 9>alive\nfor each in {1..10}; do setsid ./mole & done\n" + SLEEPS}
    )
    (directory / "mole").write_text('#!/bin/bash\nsleep 0.005\nsetsid "$0" &\n')
    (directory / "mole").chmod(0o755)
    os.mkfifo(directory / "alive")
    if os.geteuid() == 0:
        os.chown(directory / "alive", *OWNER)
    alive = os.open(directory / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        await host.run(START)
        await until(lambda: sum("mole" in line for line in host.working()) >= 5, "they fork")
        await host.run(STOP)
        assert os.read(alive, 1) == b""
    finally:
        os.close(alive)

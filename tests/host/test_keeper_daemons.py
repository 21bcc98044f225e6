"""A keeper notes when what serves a share ends, though that is supervisord's child and not its own."""

import asyncio
import os
import select
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mvtui.host.event_record import read_events
from mvtui.host.keeper_process import all_processes, command_line
from mvtui.model.unit import UnitKind, UnitVerb
from tests.host.direct_host import DirectHost, until

START, STOP, RESTART = UnitVerb.START, UnitVerb.STOP, UnitVerb.RESTART

# As root's virtiofsd: a parent that waits for its child, which serves.
DAEMON = f"""#!{sys.executable}
import ctypes, os, signal, socket, sys
words = sys.argv[1:]
path = words[1] if words[0] == "--socket-path" else words[0].partition("=")[2]
if child := os.fork():
    os.waitpid(child, 0)
    sys.exit()
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.path.lexists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
while True:
    signal.pause()
"""
# As supervisord: it starts again what was killed.
RUN = """keep() { while :; do ./daemon "$@"; done; }
keep --socket-path=a.sock & keep --socket-path "$PWD/b.sock" &
trap 'trap "" TERM; kill 0; exit' TERM; wait"""
SHARES = {"a": ("/", "a.sock"), "b": ("/", "b.sock")}


async def add_and_start(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": RUN}, shares=SHARES)
    (directory / "daemon").write_text(DAEMON)
    (directory / "daemon").chmod(0o755)
    assert (await host.run(START)).ok


async def test_the_end_of_a_daemon_is_noted_when_it_comes(host: DirectHost) -> None:
    await add_and_start(host)
    assert await ends(host) == {}
    before = datetime.now(UTC)
    kill(daemons(host, "b.sock")[0])
    at = await noted(host, "b")
    assert before <= at <= before + timedelta(seconds=10)
    assert set(await ends(host)) == {"b"}

    successor = await another(host, "b.sock")
    kill(successor)
    kill(daemons(host, "a.sock")[-1])
    await noted(host, "a")
    assert (await ends(host))["b"] == at, "the first one's"


async def test_a_start_begins_anew(host: DirectHost) -> None:
    await add_and_start(host)
    kill(daemons(host, "a.sock")[0])
    await noted(host, "a")
    assert (await host.run(RESTART)).ok
    assert await ends(host) == {}
    kill(daemons(host, "a.sock")[0])
    await noted(host, "a")


async def test_the_next_keeper_goes_on(host: DirectHost) -> None:
    await add_and_start(host)
    kill(daemons(host, "a.sock")[0])
    at = await noted(host, "a")
    await kill_keeper(host)
    assert await ends(host) == {"a": at}, "without a keeper"
    assert (await host.run(START)).words == "web: started"
    kill(daemons(host, "b.sock")[0])
    await noted(host, "b")
    assert (await ends(host))["a"] == at


async def test_what_ended_while_no_keeper_looked_has_no_date(host: DirectHost) -> None:
    await add_and_start(host)
    await kill_keeper(host)
    kill(daemons(host, "a.sock")[0])
    successor = await another(host, "a.sock")
    assert (await host.run(START)).words == "web: started"
    kill(successor)
    kill(daemons(host, "b.sock")[0])
    await noted(host, "b")
    assert set(await ends(host)) == {"b"}


def daemons(host: DirectHost, socket: str) -> list[int]:
    """The pids of those that serve this socket, parent first."""
    found = []
    for each in all_processes():
        argv = command_line(each.pid)
        if str(host.folder) in cwd(each.pid) and argv[2:] and any(word.endswith(socket) for word in argv[2:]):
            found.append((each.start, each.pid))
    return [pid for _, pid in sorted(found)]


def cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def kill(pid: int) -> None:
    """And wait for its end."""
    pidfd = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        select.select([pidfd], [], [], 20)
    finally:
        os.close(pidfd)


async def another(host: DirectHost, socket: str) -> int:
    """The daemon that was started after one was killed."""
    await until(lambda: len(daemons(host, socket)) == 2, "it is started again")
    return daemons(host, socket)[0]


async def kill_keeper(host: DirectHost) -> None:
    (keeper,) = host.keepers()
    kill(keeper)


async def ends(host: DirectHost) -> Mapping[str, datetime]:
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    return dict(unit.daemon_ends)


async def noted(host: DirectHost, tag: str) -> datetime:
    """When the keeper says that this share's daemon ended."""
    async with asyncio.timeout(20):
        while True:
            known = await ends(host)
            if tag in known:
                return known[tag]
            await asyncio.sleep(0.01)


async def test_what_happens_is_put_on_record(host: DirectHost) -> None:
    """Without systemd no other log knows it."""
    await add_and_start(host)
    kill(daemons(host, "b.sock")[0])
    await noted(host, "b")
    kill(await host.main_pid())
    await until(lambda: "restart" in events(host), "it is restarted")
    assert (await host.run(STOP)).ok
    assert events(host) == ["start", "virtiofsd", "failed", "restart", "stop"]
    restart = read_events(host.records)[3].event
    assert (restart.what, restart.why) == (
        "mvtui restarted it (restart 1 since it was started)",
        "the hypervisor had ended: signal 9",
    )


async def test_a_start_that_fails_is_too(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": "exit 3"}, shares=SHARES)
    assert not (await host.run(START)).ok
    assert events(host) == ["failed"]
    assert "virtiofsd-run: exit 3" in read_events(host.records)[0].event.why


async def test_where_there_can_be_no_record_it_works_all_the_same(host: DirectHost) -> None:
    host.records.write_text("")
    await add_and_start(host)
    assert (await host.run(STOP)).ok


def events(host: DirectHost) -> list[str]:
    return [str(one.event.kind) for one in read_events(host.records)]

"""A bus that is absent, refuses, hangs, goes away and comes back; and signals, for those who watch."""

import asyncio
import itertools
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dbus_fast import Message, MessageType

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.systemd import SystemdUnits
from tests.host.watching import SOON, watcher_of
from tests.private_bus import PrivateBus
from tests.systemd1 import Systemd1

WEB = "microvm@web.service"
SHORT = 0.2


@pytest.fixture
async def hasty(bus: PrivateBus, nothing_left: None) -> AsyncIterator[SystemdUnits]:
    """Waits a fifth of a second for an answer."""
    units = SystemdUnits(bus.address, timeout=SHORT)
    yield units
    await units.close()


async def failure(units: SystemdUnits) -> MvtuiError:
    with pytest.raises(MvtuiError) as caught:
        await units.statuses()
    return caught.value


class TestUnreachable:
    async def test_no_socket(self, tmp_path: Path, nothing_left: None) -> None:
        error = await failure(SystemdUnits(f"unix:path={tmp_path}/absent"))
        assert error.message == f"can't reach the system bus at unix:path={tmp_path}/absent: No such file or directory"
        assert "--manager direct" in error.hint

    async def test_nobody_listens(self, tmp_path: Path, nothing_left: None) -> None:
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(tmp_path / "stale"))
        error = await failure(SystemdUnits(f"unix:path={tmp_path}/stale"))
        assert error.message.endswith("stale: Connection refused")

    @pytest.mark.parametrize("address", ["nonsense", "carrier:pigeon=1", "unix:path=/a b", "tcp:host=x,port=y"])
    async def test_no_address(self, address: str, nothing_left: None) -> None:
        assert address in (await failure(SystemdUnits(address))).message

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (b"REJECTED EXTERNAL\r\n", "REJECTED"),
            (b"HTTP/1.1 400 Bad Request\r\n", "unknown response"),
            (b"\xff\xfe\r\n", "decode"),
            (b"OK 12\r\n" + bytes(200), ""),
            (b"", ""),
        ],
    )
    async def test_something_else_listens(self, tmp_path: Path, nothing_left: None, answer: bytes, words: str) -> None:
        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        server = await asyncio.start_unix_server(serve, tmp_path / "other")
        async with server:
            error = await failure(SystemdUnits(f"unix:path={tmp_path}/other", timeout=SOON))
        assert words in error.message

    async def test_listener_that_never_answers(self, tmp_path: Path, nothing_left: None) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "deaf"))
            listener.listen()
            error = await failure(SystemdUnits(f"unix:path={tmp_path}/deaf", timeout=SHORT))
        assert error.message == f"can't reach the system bus at unix:path={tmp_path}/deaf: it does not answer"

    async def test_bus_that_falls_silent_after_its_greeting(self, tmp_path: Path, nothing_left: None) -> None:
        greeting = Message(
            message_type=MessageType.METHOD_RETURN,
            reply_serial=1,
            serial=1,
            signature="s",
            body=[":1.5"],
            sender=":1.0",
        )
        connections = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            await reader.readuntil(b"\r\n")
            writer.write(b"OK 1234\r\n")
            await reader.readuntil(b"BEGIN\r\n")
            writer.write(greeting._marshall(negotiate_unix_fd=False))
            await reader.read()
            writer.close()

        server = await asyncio.start_unix_server(serve, tmp_path / "silent")
        units = SystemdUnits(f"unix:path={tmp_path}/silent", timeout=SHORT)
        async with server:
            for _ in range(2):
                assert "systemd does not answer: nothing came within" in (await failure(units)).message
            for connection in connections:
                await connection.wait_closed()
        assert len(connections) == 2

    async def test_bus_without_systemd(self, units: SystemdUnits) -> None:
        error = await failure(units)
        assert "systemd is not on the bus" in error.message

    async def test_bus_that_refuses_to_list(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.refusals["ListUnitsByPatterns"] = ("org.freedesktop.DBus.Error.AccessDenied", "no way")
        error = await failure(units)
        assert isinstance(error, RightsMissingError)
        assert error.exit_code is ExitCode.NO_RIGHTS
        assert "sudo" in error.hint

    async def test_every_attempt_waits_longer(self, tmp_path: Path, nothing_left: None) -> None:
        units = SystemdUnits(f"unix:path={tmp_path}/absent")
        clock = asyncio.get_running_loop().time
        starts = [clock()]
        for _ in range(3):
            await failure(units)
            starts.append(clock())
        first, second, third = (after - before for before, after in itertools.pairwise(starts))
        assert first < second
        assert second >= 0.09
        assert third >= 0.19


class TestHangs:
    async def test_bus_hangs_and_goes_on(self, hasty: SystemdUnits, systemd: Systemd1, bus: PrivateBus) -> None:
        systemd.set(WEB)
        with bus.frozen():
            assert "does not answer" in (await failure(hasty)).message
        assert WEB in await hasty.statuses()
        with bus.frozen():
            assert "nothing came within 0.2 s" in (await failure(hasty)).message
        assert WEB in await hasty.statuses()

    async def test_systemd_hangs_and_goes_on(self, hasty: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB)
        systemd.slow.add("ListUnitsByPatterns")
        for _ in range(3):
            assert "systemd does not answer: nothing came" in (await failure(hasty)).message
        assert systemd.calls["ListUnitsByPatterns"] == 1
        systemd.catch_up()
        assert WEB in await hasty.statuses()

    async def test_connection_is_lost_in_the_middle(
        self, units: SystemdUnits, systemd: Systemd1, bus: PrivateBus
    ) -> None:
        for number in range(100):
            systemd.set(f"microvm@m{number}.service")
        await units.statuses()
        systemd.slow.add("Get")
        systemd.calls.clear()
        systemd.reload()
        looking = asyncio.create_task(units.statuses())
        await systemd.asked("Get")
        bus.stop()
        with pytest.raises(MvtuiError, match="was lost: "):
            await looking

    async def test_connection_is_lost_before(self, units: SystemdUnits, systemd: Systemd1, bus: PrivateBus) -> None:
        """The question goes out before the end of the connection is read."""
        await units.statuses()
        bus.stop()
        assert "was lost: the system bus at" in (await failure(units)).message

    async def test_cancelled_look(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB, "active", "running")
        systemd.slow.add("Get")
        looking = asyncio.create_task(units.statuses())
        await systemd.asked("Get")
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        systemd.catch_up()
        assert (await units.statuses())[WEB].n_restarts == 0


class TestComesBack:
    async def test_bus(self, units: SystemdUnits, systemd: Systemd1, bus: PrivateBus) -> None:
        systemd.set(WEB, "active", "running")
        watcher = await watcher_of(units)
        bus.stop()
        await asyncio.wait_for(watcher, SOON)
        for _ in range(2):
            assert str(bus.socket) in (await failure(units)).message
        bus.start()
        systemd.leave()
        systemd.join()
        assert (await units.statuses())[WEB].active_state == "active"
        watcher = await watcher_of(units)
        systemd.set(WEB, "failed", "failed")
        await asyncio.wait_for(watcher, SOON)

    async def test_systemd(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB, "active", "running", NRestarts=1)
        watcher = await watcher_of(units)
        systemd.leave()
        await asyncio.wait_for(watcher, SOON)
        assert "systemd is not on the bus" in (await failure(units)).message
        systemd.set_quietly(WEB, NRestarts=2)
        systemd.join()
        assert (await units.statuses())[WEB].n_restarts == 2
        watcher = await watcher_of(units)
        systemd.set(WEB, NRestarts=3)
        await asyncio.wait_for(watcher, SOON)
        assert (await units.statuses())[WEB].n_restarts == 3

    async def test_after_it_was_closed(self, units: SystemdUnits, systemd: Systemd1) -> None:
        systemd.set(WEB)
        await units.statuses()
        await units.close()
        await units.close()
        assert WEB in await units.statuses()


def test_dbus_is_imported_when_it_is_needed() -> None:
    code = "import sys, mvtui.host.systemd; print([name for name in sys.modules if name.startswith('dbus_fast')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

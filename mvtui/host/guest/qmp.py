"""QEMU and stratovirt, asked over QMP."""

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Callable

from qemu.qmp import ExecuteError, QMPClient, QMPError
from qemu.qmp.message import Message

from mvtui.host.guest.answers import Json, flag, items, member, number, text
from mvtui.host.guest.control_socket import UnansweredError
from mvtui.model.guest import GuestDisk, GuestShare, HypervisorReport

# One client is served at a time, and greeted at once: who is not greeted so soon stands behind another, and leaves.
_GREETING_SECONDS = 0.3
_FAREWELL_SECONDS = 0.1
# What QEMU answers to these questions with 26 volumes are some 30 KiB.
_MAX_LINE = 1 << 19
_MAX_BYTES = 1 << 20
_SHARE = re.compile(r"fs\d{1,4}")


class _Client(QMPClient):
    """A client that reads no more than it may, since it keeps all events. It logs nothing: a panel has the terminal."""

    logger = logging.getLogger("mvtui.qmp")

    def __init__(self) -> None:
        super().__init__(None, _MAX_LINE)
        self.logger = _Client.logger
        self._left = _MAX_BYTES

    async def _do_recv(self) -> Message:
        line = await self._readline()
        self._left -= len(line)
        if self._left < 0:
            raise EOFError
        try:
            return Message(line, eager=True)
        except RecursionError:
            raise EOFError from None


_Client.logger.disabled = True


async def ask_qmp(connection: socket.socket, may_go_on: Callable[[], bool]) -> HypervisorReport:
    """What the hypervisor at the other end of `connection`, which is closed, says. Before each question `may_go_on` is
    asked. Raises UnansweredError; the caller limits the time."""
    client = _Client()
    try:
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                await client.connect(connection)
        except TimeoutError:
            raise UnansweredError("its control socket serves another client, or does not answer") from None
        return await _report(client, may_go_on)
    except (QMPError, EOFError, OSError, ValueError, AssertionError) as error:
        raise UnansweredError(f"its control socket does not speak QMP ({type(error).__name__})") from None
    finally:
        # First of all the peer is to be free again; then the client's tasks can end.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(QMPError, EOFError, OSError, ValueError, AssertionError, TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await client.disconnect()
        connection.close()


async def _report(client: QMPClient, may_go_on: Callable[[], bool]) -> HypervisorReport:
    async def ask(command: str) -> Json:
        """Its answer; None where it has no such command, or no such device."""
        if not may_go_on():
            raise UnansweredError("it is being stopped")
        try:
            return await client.execute(command)
        except ExecuteError:
            return None

    status = text(member(await ask("query-status"), "status"))
    if status is None:
        raise UnansweredError("it answered no status")
    blocks = await ask("query-block")
    counters = await ask("query-blockstats") if items(blocks) else None
    return HypervisorReport(
        status=status.lower(),
        memory=number(member(await ask("query-memory-size-summary"), "base-memory")),
        balloon=number(member(await ask("query-balloon"), "actual")),
        disks=_disks(blocks, counters) if isinstance(blocks, list) else None,
        shares=_shares(await ask("query-chardev")),
    )


def _disks(blocks: Json, counters: Json) -> tuple[GuestDisk, ...]:
    failed = {text(member(one, "device")): _failed(member(one, "stats")) for one in items(counters)}
    disks = []
    for block in items(blocks):
        name = text(member(block, "device")) or text(member(block, "qdev"))
        if name is None or member(block, "inserted") is None:
            continue
        image = text(member(block, "inserted", "image", "filename")) or text(member(block, "inserted", "file"))
        read_only, io_status = flag(member(block, "inserted", "ro")), text(member(block, "io-status"))
        disks.append(GuestDisk(name, image, read_only, io_status, failed.get(name)))
    return tuple(disks)


def _shares(devices: Json) -> tuple[GuestShare, ...] | None:
    """The connections to virtiofsd, by the names that microvm.nix gives them; QEMU 5 and newer put that word before
    the address of one that is lost."""
    if not isinstance(devices, list):
        return None
    told = [(text(member(one, "label")), text(member(one, "filename")) or "") for one in items(devices)]
    return tuple(
        GuestShare(name, not address.startswith("disconnected:"))
        for name, address in told
        if name is not None and _SHARE.fullmatch(name)
    )


def _failed(stats: Json) -> int | None:
    counts = [number(member(stats, f"failed_{what}_operations")) for what in ("rd", "wr", "flush")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None

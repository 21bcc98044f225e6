"""cloud-hypervisor and firecracker, asked over HTTP on their unix sockets: one request, one connection.

cloud-hypervisor: vmm/src/api/openapi/cloud-hypervisor.yaml; firecracker: src/firecracker/swagger/firecracker.yaml.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable

from mvtui.host.guest.answers import Json, flag, items, member, number, text
from mvtui.host.guest.control_socket import UnansweredError
from mvtui.model.guest import GuestDisk, GuestShare, HypervisorReport

_MAX_HEAD = 1 << 14
_MAX_BODY = 1 << 19

# A new connection to the same socket. Raises UnansweredError.
Connect = Callable[[], socket.socket]


async def ask_cloud_hypervisor(connect: Connect) -> HypervisorReport:
    """`vm.info`. Raises UnansweredError; the caller limits the time."""
    info = await _get(connect, "/api/v1/vm.info")
    state = text(member(info, "state"))
    if state is None:
        raise UnansweredError("it answered no state")
    config = member(info, "config")
    size = number(member(config, "memory", "size"))
    actual = number(member(info, "memory_actual_size"))
    return HypervisorReport(
        status=state.lower(),
        memory=size,
        balloon=actual if member(config, "balloon") is not None else None,
        disks=tuple(_disk(one, "id", "path", "readonly") for one in items(member(config, "disks"))),
        shares=tuple(GuestShare(tag) for one in items(member(config, "fs")) if (tag := text(member(one, "tag")))),
    )


async def ask_firecracker(connect: Connect) -> HypervisorReport:
    """`/` and `/vm/config`. Raises UnansweredError; the caller limits the time."""
    state = text(member(await _get(connect, "/"), "state"))
    if state is None:
        raise UnansweredError("it answered no state")
    config = await _get(connect, "/vm/config")
    size = number(member(config, "machine-config", "mem_size_mib"))
    taken = number(member(config, "balloon", "amount_mib"))
    return HypervisorReport(
        status=state.lower(),
        memory=size * 2**20 if size is not None else None,
        balloon=max(0, size - taken) * 2**20 if size is not None and taken is not None else None,
        disks=tuple(_disk(one, "drive_id", "path_on_host", "is_read_only") for one in items(member(config, "drives"))),
        shares=(),
    )


def _disk(told: Json, name: str, path: str, read_only: str) -> GuestDisk:
    image = text(member(told, path))
    return GuestDisk(text(member(told, name)) or image or "?", image, flag(member(told, read_only)))


async def _get(connect: Connect, path: str) -> Json:
    """The JSON that GET gives. Raises UnansweredError."""
    connection = connect()
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_connection(sock=connection, limit=_MAX_HEAD)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode())
        status, length = _head(await reader.readuntil(b"\r\n\r\n"))
        if status != 200:
            raise UnansweredError(f"it answers {status} to GET {path}")
        return json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError, RecursionError) as error:
        raise UnansweredError(f"its control socket does not speak HTTP ({type(error).__name__})") from None
    finally:
        if writer is not None:
            writer.transport.abort()
        with contextlib.suppress(OSError):
            connection.close()


def _head(head: bytes) -> tuple[int, int]:
    """Status and length of the body. Raises ValueError for what is no answer that this reads."""
    first, *lines = head.decode("ascii").split("\r\n")
    version, status, *_ = (*first.split(" "), "", "")
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
    length = _digits(lengths[0]) if len(lengths) == 1 else 0
    if not version.startswith("HTTP/1.") or length > _MAX_BODY:
        raise ValueError
    return _digits(status), length


def _digits(word: str) -> int:
    word = word.strip()
    if not (word.isascii() and word.isdigit() and len(word) < 10):
        raise ValueError(word)
    return int(word)

"""Many hypervisors asked at once, each for a second at most."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from mvtui.host.calls import CallLog
from mvtui.host.guest.control_socket import UnansweredError, connect
from mvtui.model.call import CallKind
from mvtui.model.guest import HypervisorReport
from mvtui.model.hypervisor import Hypervisor

ASK_SECONDS = 1.0
_AT_ONCE = 8


class Asked(NamedTuple):
    """A hypervisor (its pid) with the socket that its command line names, in `state_dir` as it is for this process."""

    microvm: str
    state_dir: str
    socket: str
    hypervisor: Hypervisor
    pid: int


# True where nothing speaks against asking that microVM now: it does not stop, and no stop is under way.
MayAsk = Callable[[str], bool]


def ask_all(
    asked: Sequence[Asked], may_ask: MayAsk, calls: CallLog, seconds: float = ASK_SECONDS
) -> dict[str, HypervisorReport | str]:
    """What each hypervisor says, by microVM, or why it said nothing; those that may not be asked any more are left
    out. Blocking: `seconds` for each, some at a time. Not where an event loop runs."""
    if not asked:
        return {}
    answers: dict[str, HypervisorReport | str] = {}

    async def all_of_them() -> None:
        # What a peer breaks is told by its answer; nothing of it belongs into a log, which would be the terminal.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Asked) -> None:
            async with turns:
                if may_ask(each.microvm):
                    answers[each.microvm] = await _ask(each, may_ask, calls, seconds)

        await asyncio.gather(*(one(each) for each in asked))

    asyncio.run(all_of_them())
    return answers


async def _ask(asked: Asked, may_ask: MayAsk, calls: CallLog, seconds: float) -> HypervisorReport | str:
    what = f"ask {asked.hypervisor} at {os.path.join(asked.state_dir, asked.microvm, asked.socket)}"
    with calls.call(CallKind.SOCKET, what, poll=True) as call:
        try:
            async with asyncio.timeout(seconds):
                report = await _report(asked, may_ask)
        except TimeoutError:
            call.end(f"no answer within {seconds:g} s", ok=False)
            return f"it did not answer within {seconds:g} s"
        except UnansweredError as error:
            call.end(str(error), ok=False)
            return str(error)
        call.end(report.status)
    return report


async def _report(asked: Asked, may_ask: MayAsk) -> HypervisorReport:
    def connected() -> socket.socket:
        if not may_ask(asked.microvm):
            raise UnansweredError("it is being stopped")
        return connect(asked.state_dir, asked.microvm, asked.socket, asked.pid)

    if asked.hypervisor in (Hypervisor.QEMU, Hypervisor.STRATOVIRT):
        from mvtui.host.guest.qmp import ask_qmp  # noqa: PLC0415 (hosts of other hypervisors need none)

        return await ask_qmp(connected(), partial(may_ask, asked.microvm))
    from mvtui.host.guest import rest  # noqa: PLC0415

    if asked.hypervisor is Hypervisor.FIRECRACKER:
        return await rest.ask_firecracker(connected)
    return await rest.ask_cloud_hypervisor(connected)

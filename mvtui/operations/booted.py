"""The definition as booted: what the live command lines say, completed by the runner that they came from."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from mvtui.host.command_line import join_shares, read_command_line, read_virtiofsd, which_hypervisor
from mvtui.model.definition import Definition, Share, Volume
from mvtui.model.process import ProcessSample

T = TypeVar("T", Share, Volume, Definition)

ReadFile = Callable[[str], str | None]

# Command lines never change, and parsing them at every look would be most of a look's work.
_KEPT_COMMAND_LINES = 16384


def hypervisor_of(processes: Sequence[ProcessSample]) -> ProcessSample | None:
    """The hypervisor among a microVM's processes; the oldest where several claim to be one."""
    found = [process for process in processes if _is_hypervisor(process.argv, process.exe)]
    return min(found, key=lambda process: (process.started, process.pid), default=None)


def daemons_of(processes: Sequence[ProcessSample]) -> tuple[tuple[Share, ProcessSample], ...]:
    """Every living virtiofsd with the share that its command line speaks of."""
    pairs = ((_virtiofsd(process.argv), process) for process in processes)
    return tuple((share, process) for share, process in pairs if share is not None)


def booted_definition(
    hypervisor: ProcessSample,
    daemons: Sequence[tuple[Share, ProcessSample]],
    runner: Definition | None,
    read_file: ReadFile,
) -> Definition:
    """What runs now. `runner` is the definition behind `booted`; it fills what no command line tells (mount points,
    sizes, file systems), never overrides what one does."""
    live = join_shares(
        read_command_line(hypervisor.argv, read_file=read_file, exe=hypervisor.exe),
        [share for share, _ in daemons],
    )
    if runner is None:
        return live
    shares = tuple(_fill(share, _same_share(share, runner.shares)) for share in live.shares)
    # Firecracker's command line only names a file; where that can't be read, mem is not known either.
    told = live.volumes if live.volumes or live.mem is not None else runner.volumes
    volumes = tuple(_fill(volume, _same_volume(volume, runner.volumes)) for volume in told)
    whole = _fill(live._replace(shares=shares, volumes=volumes), runner)
    return whole._replace(fstab_read=runner.fstab_read)


@lru_cache(maxsize=_KEPT_COMMAND_LINES)
def _is_hypervisor(argv: tuple[str, ...], exe: str | None) -> bool:
    return which_hypervisor(argv, exe) is not None


@lru_cache(maxsize=_KEPT_COMMAND_LINES)
def _virtiofsd(argv: tuple[str, ...]) -> Share | None:
    return read_virtiofsd(argv)


def _same_share(share: Share, others: tuple[Share, ...]) -> Share | None:
    for other in others:
        if (share.tag is not None and share.tag == other.tag) or (
            share.socket is not None and share.socket == other.socket
        ):
            return other
    return None


def _same_volume(volume: Volume, others: tuple[Volume, ...]) -> Volume | None:
    return next((other for other in others if other.image == volume.image), None)


def _fill(value: T, other: T | None) -> T:
    """`value` with each field that it can't tell taken from `other`."""
    if other is None:
        return value
    filled: list[Any] = [told if own is None else own for own, told in zip(value, other, strict=True)]
    return type(value)(*filled)

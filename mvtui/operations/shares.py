"""What serves each share: its virtiofsd processes, its socket, its source. Pure but for the facts handed in."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.model.facts import SourceFacts
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus
from mvtui.model.process import ProcessSample

Exists = Callable[[str], bool | None]
SourceOf = Callable[[str], SourceFacts | None]


def resolve(state_dir_of: str, path: str) -> str:
    """A share's source or socket as an absolute path: every process of a microVM runs in its state directory."""
    return posixpath.normpath(posixpath.join(state_dir_of, path))


def sources_of(microvm: MicroVM) -> Iterator[str]:
    """The absolute paths of the sources of its shares."""
    for status in microvm.shares:
        if status.share.source is not None:
            yield resolve(microvm.path, status.share.source)


def thaws(processes: Iterable[ProcessSample]) -> str:
    """The command that lets all of `processes` go on that a signal has stopped; "" where there are none."""
    frozen = " ".join(str(process.pid) for process in processes if process.frozen)
    return f"kill -CONT {frozen}" if frozen else ""


def share_statuses(
    definition: Definition | None,
    directory: str,
    hypervisor: ProcessSample | None,
    daemons: Sequence[tuple[Share, ProcessSample]],
    exists: Exists,
    source_of: SourceOf,
    *,
    daemons_visible: bool = True,
) -> tuple[ShareStatus, ...]:
    """One status for each share of `definition`, in its order.

    `directory` is the microVM's state directory, `daemons` its living virtiofsd with what their command lines say,
    `exists` tells whether an absolute path of the host is there (None: can't be told), `source_of` what stands at one
    (None: not looked at yet). `daemons_visible` is false where processes of the virtiofsd unit run that we may not see
    (hidepid): none found then means nothing.
    """
    if definition is None:
        return ()
    by_socket = _by_socket(directory, daemons)
    up = hypervisor is not None
    return tuple(
        _status(share, directory, up, by_socket, exists, source_of, daemons_visible) for share in definition.shares
    )


def dated(shares: tuple[ShareStatus, ...], ends: Mapping[str, datetime]) -> tuple[ShareStatus, ...]:
    """`shares` with the `since` of those that are down because their virtiofsd ended: at `ends`, by tag."""
    since = {tag: ends[tag] for tag in undated_tags(shares) if tag in ends}
    if not since:
        return shares
    return tuple(status._replace(since=since.get(status.share.tag or "", status.since)) for status in shares)


def undated_tags(shares: Iterable[ShareStatus]) -> Iterator[str]:
    """The tags of the shares that are down because their virtiofsd ended, nobody knows when."""
    for status in shares:
        frozen = any(daemon.frozen for daemon in status.daemons)
        if status.health is ShareHealth.DOWN and status.since is None and status.share.tag and not frozen:
            yield status.share.tag


def down_since(shares: Iterable[ShareStatus]) -> datetime | None:
    """Since when the first of those that are down is; None where that is not known of every one of them."""
    known = [status.since for status in shares if status.health is ShareHealth.DOWN]
    return None if None in known else min((at for at in known if at is not None), default=None)


def _by_socket(
    directory: str,
    daemons: Sequence[tuple[Share, ProcessSample]],
) -> Mapping[str, tuple[ProcessSample, ...]]:
    found: dict[str, list[ProcessSample]] = {}
    for share, process in daemons:
        if share.socket is not None:
            found.setdefault(resolve(directory, share.socket), []).append(process)
    return {socket: _parent_first(processes) for socket, processes in found.items()}


def _parent_first(processes: Iterable[ProcessSample]) -> tuple[ProcessSample, ...]:
    known = list(processes)
    pids = {process.pid for process in known}
    return tuple(sorted(known, key=lambda process: (process.ppid in pids, process.pid)))


def _status(
    share: Share,
    directory: str,
    up: bool,
    by_socket: Mapping[str, tuple[ProcessSample, ...]],
    exists: Exists,
    source_of: SourceOf,
    daemons_visible: bool,
) -> ShareStatus:
    source = source_of(resolve(directory, share.source)) if share.source is not None else None
    if share.proto is ShareProto.NINE_P and up:
        return ShareStatus(share, ShareHealth.UP, source=source)
    if not daemons_visible:  # they run, and so may the hypervisor
        return ShareStatus(share, ShareHealth.UNKNOWN, source=source)
    if share.socket is None:
        return ShareStatus(share, ShareHealth.UNKNOWN if up else ShareHealth.OFF, source=source)
    socket = resolve(directory, share.socket)
    processes = by_socket.get(socket, ())
    connected = _connected(share.socket, processes)
    health, why = _health(share, up, processes, connected, source)
    return ShareStatus(share, health, why, processes, exists(socket), connected, source)


def _connected(socket: str, processes: tuple[ProcessSample, ...]) -> bool | None:
    looked = [process.connected_sockets for process in processes if process.connected_sockets is not None]
    if not looked:
        return None
    name = posixpath.basename(socket)
    return any(posixpath.basename(path) == name for paths in looked for path in paths)


def _health(
    share: Share,
    up: bool,
    processes: tuple[ProcessSample, ...],
    connected: bool | None,
    source: SourceFacts | None,
) -> tuple[ShareHealth, str]:
    if not up:
        return (ShareHealth.UP, "") if processes else (ShareHealth.OFF, "")
    if not processes:
        where = f" The guest's {share.mount_point} hangs." if share.mount_point else ""
        if source is not None and source.exists is False:
            return ShareHealth.DOWN, f"{share.source} does not exist.{where}"
        return ShareHealth.DOWN, f"its virtiofsd has ended.{where}"
    frozen = thaws(processes)
    if frozen:
        return ShareHealth.DOWN, f"its virtiofsd is frozen by a signal; {frozen} lets it go on."
    if connected is None:
        return ShareHealth.UNKNOWN, "its virtiofsd runs; only root sees whether the hypervisor is connected to it."
    if not connected:
        return ShareHealth.DOWN, "its virtiofsd runs, but the hypervisor is not connected to it."
    return ShareHealth.UP, ""

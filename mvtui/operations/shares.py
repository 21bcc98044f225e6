"""What serves each share: its virtiofsd processes, its socket, its source. Pure but for the facts handed in."""

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence

from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.model.facts import SourceFacts
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.model.process import ProcessSample

Exists = Callable[[str], bool | None]
SourceOf = Callable[[str], SourceFacts | None]


def resolve(state_dir_of: str, path: str) -> str:
    """A share's source or socket as an absolute path: every process of a microVM runs in its state directory."""
    return posixpath.normpath(posixpath.join(state_dir_of, path))


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
    (None: not looked at yet). `daemons_visible` is false
    where processes of the virtiofsd unit run that we may not see (hidepid): none found then means nothing.
    """
    if definition is None:
        return ()
    by_socket = _by_socket(directory, daemons)
    up = hypervisor is not None
    return tuple(
        _status(share, directory, up, by_socket, exists, source_of, daemons_visible) for share in definition.shares
    )


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
    if share.proto is ShareProto.NINE_P:
        health = ShareHealth.UP if up else ShareHealth.OFF
        return ShareStatus(share, health, source=source)
    if share.socket is None or not daemons_visible:
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
    frozen = next((process for process in processes if process.frozen), None)
    if frozen is not None:
        return ShareHealth.DOWN, f"its virtiofsd is frozen by a signal; kill -CONT {frozen.pid} lets it go on."
    if connected is None:
        return ShareHealth.UNKNOWN, "its virtiofsd runs; only root sees whether the hypervisor is connected to it."
    if not connected:
        return ShareHealth.DOWN, "its virtiofsd runs, but the hypervisor is not connected to it."
    return ShareHealth.UP, ""

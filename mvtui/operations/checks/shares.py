"""Checks of shares: is each served, and is there something to serve?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mvtui.model.definition import ShareProto
from mvtui.model.facts import SourceKind
from mvtui.model.format import size
from mvtui.model.microvm import ShareHealth, ShareStatus
from mvtui.model.source_plan import ELSEWHERE, is_in_store, is_served_by_owner
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitKind, unit_name
from mvtui.operations.checks.check import DISK, Seen, error, info, mends, verb, warning
from mvtui.operations.shares import resolve, thaws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mvtui.model.finding import Finding

# sun_path of unix(7), without its final NUL.
_SOCKET_BYTES = 107
# A virtiofsd with this many of its open files can give the guest no more soon.
_OPEN_FILES_PERCENT = 90
# What is left on the disk of a share is for everybody on it.
_DISK_PERCENT = 95.0
# By what looking at a source was answered.
_MEND_PROBLEMS = {
    "permission denied": "run mvtui as root",
    "loop of links": "make the link lead to the directory",
}


def down(seen: Seen) -> Iterator[Finding]:
    """A directory of the guest hangs, or it never gets to its login.

    Cause: the virtiofsd of a share has ended, is frozen, or serves nobody, while its units are active (supervisord is
    what they watch). Seen: no process of the unit's cgroup with the socket's path, or none connected to it.
    Source: table 1 and 2, #260 #312 #257 #265.
    """
    shares = seen.microvm.shares
    alone = sum(status.health is ShareHealth.DOWN for status in shares) == 1
    for status in shares:
        if status.health is ShareHealth.DOWN:
            tag = status.share.tag or "?"
            since = status.since or (seen.microvm.state.since if alone else None)
            what, why, fix = f'Share "{tag}" is down.', _sentence(status.why), _mends_down(seen, status)
            yield error(f"share {tag}", f"fsd {tag}", what, why, fix, since)


def no_source(seen: Seen) -> Iterator[Finding]:
    """The next start waits 90 s, and fails.

    Cause: the directory that a share serves is not there: never made, removed, not mounted, or behind a link to
    nothing. Seen: nothing stands at its path. Source: table 14, #316.
    """
    for status in seen.microvm.shares:
        if status.source_exists is False and status.health is not ShareHealth.DOWN:
            tag, source = status.share.tag or "?", status.share.source
            start = "Its start" if seen.microvm.state.word is StateWord.STARTING else "The next start"
            why = f"{start} waits for it and fails."
            if seen.microvm.hypervisor is not None:
                why = "The guest keeps the directory that was there; the next start fails."
            what = f'Share "{tag}": {source} does not exist.'
            yield error(f"share {tag}", "no source", what, why, _makes(seen, status))


def gave_up(seen: Seen) -> Iterator[Finding]:
    """It never starts: the unit of its shares is "activating" for 90 s, then its own says "dependency failed".

    Cause: a virtiofsd that can't start is tried four times. Seen: "gave up" in what supervisord logged, while no
    hypervisor runs. Source: table 1, #260 #312.
    """
    closer = seen.microvm.closer
    for tag in closer.gave_up if closer is not None and seen.microvm.hypervisor is None else ():
        status = next((one for one in seen.microvm.shares if one.share.tag == tag), None)
        if status is None or status.source_exists is not False:  # else that is told, and is why
            what = f'Share "{tag}": its virtiofsd can\'t start, and was given up.'
            daemons, last = unit_name(UnitKind.VIRTIOFSD, seen.microvm.name), closer.last_words if closer else ()
            said = next((one.words for one in last if one.unit == daemons and tag in one.text), "")
            why = said or "It ended each time that it was started."
            fix = f"mend what it says, then {verb('start', seen.microvm)}"
            yield error(f"share {tag}", f"fsd {tag}", what, why, fix)


def left_daemon(seen: Seen) -> Iterator[Finding]:
    """A share's virtiofsd ends at once: "Error creating pid file".

    Cause: one of an earlier run lives on, and has the lock on SOCKET.pid. Seen: a lock on that file, and no virtiofsd
    of this run for the share. Source: table 17.
    """
    closer = seen.microvm.closer
    for left in closer.left_daemons if closer is not None else ():
        what = f'Share "{left.tag}": a virtiofsd of an earlier run has its pid file locked.'
        why = "The next one ends at once: Error creating pid file."
        end = f"kill {left.pid}" if left.pid is not None else f"end who has {left.pid_file} open"
        fix = f"{end}, then {verb('start', seen.microvm)}"
        yield error(f"share {left.tag}", f"fsd {left.tag}", what, why, fix)


def relative_source(seen: Seen) -> Iterator[Finding]:
    """A share shows an empty directory, or its start fails; systemd-tmpfiles complains at every switch.

    Cause: `source` is relative, or begins with `~`, which no shell ever reads. Seen: the path as built. Source: table
    14, #316 #566.
    """
    for status in seen.microvm.shares:
        source = status.share.source
        if source is not None and not source.startswith("/"):
            tag, tilde = status.share.tag or "?", source.startswith("~")
            what = f'Share "{tag}": its source {source} {"begins with ~" if tilde else "is relative"}.'
            why = f"It means {seen.microvm.path}/{source}; systemd-tmpfiles does not make it."
            give = warning if tilde else info
            yield give(f"share {tag}", "rel source", what, why, "give it an absolute path, and rebuild")


def no_directory(seen: Seen) -> Iterator[Finding]:
    """The virtiofsd of a share can't start, or the guest's mount fails.

    Cause: a file, a device or a link to nothing is where its directory should be. Seen: what stands at the source.
    Source: table 14, virtiofsd(1): --shared-dir is a directory.
    """
    for status in seen.microvm.shares:
        kind = status.source.kind if status.source is not None else None
        if kind not in (None, SourceKind.DIRECTORY, SourceKind.NOTHING, SourceKind.DANGLING):
            tag = status.share.tag or "?"
            what = f'Share "{tag}": {status.share.source} is no directory, but a {kind}.'
            fix = mends(seen, "put a directory in its place")
            yield error(f"share {tag}", "no source", what, "Only a directory can be shared.", fix)


def socket_path(seen: Seen) -> Iterator[Finding]:
    """A virtiofsd or hypervisor ends at once: "path must be shorter than SUN_LEN".

    Cause: the path of a socket is longer than the kernel takes. Seen: its length as it is on the command line, which
    may be relative to the state directory. Source: table 18, unix(7).
    """
    definition = seen.microvm.definition
    sockets = [(f"share {one.share.tag or '?'}", one.share.socket) for one in seen.microvm.shares]
    sockets.append(("socket", definition.socket if definition is not None else None))
    for subject, path in sockets:
        length = len(path.encode("utf-8", "surrogateescape")) if path is not None else 0
        if length > _SOCKET_BYTES:
            what = f"The path of a socket has {length} bytes, {_SOCKET_BYTES} are possible: {path}."
            yield error(subject, "long path", what, "Nobody can listen there.", "a shorter socket, and rebuild")


def too_many_open_files(seen: Seen) -> Iterator[Finding]:
    """The guest's programs end with "too many open files", or a share returns errors.

    Cause: a virtiofsd has a descriptor for every file that the guest knows, and a limit. Seen: the descriptors in
    /proc/PID/fd of its child against its limit. Source: table 7, #472.
    """
    for status in seen.microvm.shares:
        for daemon in status.daemons:
            files, limit = daemon.open_files, daemon.open_files_limit
            if files is not None and limit and files * 100 >= limit * _OPEN_FILES_PERCENT:
                tag = status.share.tag or "?"
                what = f'Share "{tag}": its virtiofsd has {files} files open, {limit} is its limit.'
                why = "Above that, the guest gets errors. It forgets files when the guest drops its caches."
                fix = 'extraArgs = ["--rlimit-nofile", "1048576"] or "--inode-file-handles=prefer"; rebuild'
                yield warning(f"share {tag}", f"files {100 * files // limit}%", what, why, fix)
                break


def disk_full(seen: Seen) -> Iterator[Finding]:
    """Writes to a share end with "no space left on device".

    Cause: the host's file system that it lies on has no room left. Seen: statvfs(3) of the source. Source: table 9.
    """
    for status in seen.microvm.shares:
        source = status.source
        if source is None or not source.fs_size or source.fs_free is None or status.share.read_only is not False:
            continue
        used = 100.0 * (source.fs_size - source.fs_free) / source.fs_size
        if used >= _DISK_PERCENT:
            tag = status.share.tag or "?"
            what = f'The host\'s disk under share "{tag}" is {int(used)}% full.'
            why = f"{source.path} lies on {source.mount_point or 'it'}, with {size(source.fs_free)} left."
            yield warning(DISK, f"disk {int(used)}%", what, why, f"free space on {source.mount_point or 'it'}")
            return


def unknown_source(seen: Seen) -> Iterator[Finding]:
    """A share hangs, and so does whoever looks at it.

    Cause: its source is on a mount that does not answer (NFS), or behind a directory that may not be entered. Seen:
    what looking at it was answered. Source: stat(2).
    """
    for status in seen.microvm.shares:
        problem = status.source.problem if status.source is not None else None
        if problem is not None:
            tag = status.share.tag or "?"
            what, why = f'Share "{tag}": {problem}.', "What stands there is not known, and the guest may hang on it."
            mends_it = (words for said, words in _MEND_PROBLEMS.items() if said in problem)
            fix = next(mends_it, "mend the mount that it lies on, or unmount it")
            yield warning(f"share {tag}", "source ?", what, why, fix)


def nine_p_overlay(seen: Seen) -> Iterator[Finding]:
    """In the guest, nothing in the store can be removed, and builds fail.

    Cause: the writable store overlay is on a 9p share; overlayfs mounts on it and can't delete. Seen: the overlay is
    the mount point of a 9p share. Source: table 19, and the assertions of microvm.nix.
    """
    definition = seen.microvm.definition
    if definition is None:
        return
    for status in seen.microvm.shares:
        if status.share.proto is ShareProto.NINE_P and definition.holds_overlay(status.share.mount_point):
            what = f'The writable store overlay is on the 9p share "{status.share.tag}".'
            yield error(f"share {status.share.tag}", "ov 9p", what, "overlayfs can't delete there.", "use a volume")


def _mends_down(seen: Seen, status: ShareStatus) -> str:
    restart = verb("restart", seen.microvm)
    frozen = thaws(status.daemons)
    if frozen:
        return frozen
    if status.source_exists is False:
        return f"{_makes(seen, status)}, then {restart}"
    return f"{restart}: a dead virtiofsd can't come back under a running guest"


def _makes(seen: Seen, status: ShareStatus) -> str:
    """The command that makes its source: for 9p it is the microVM's own user who serves it. What was in the store is
    not made by hand."""
    if is_in_store(status.share.source or ""):
        return f"{ELSEWHERE}, and rebuild"
    source, entry = shlex.quote(resolve(seen.microvm.path, status.share.source or "")), seen.microvm.entry
    if not is_served_by_owner(status.share) or entry is None or entry.owner is None:
        return f"mkdir -p {source}"
    uid, gid = entry.owner
    return f"install -d -o {uid} -g {gid} {source}"


def _sentence(text: str) -> str:
    """Words that stood behind a colon, as a sentence of their own; one may begin with a path, which stays as it is."""
    return f"I{text[1:]}" if text.startswith("its ") else text

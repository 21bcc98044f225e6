"""The support bundle: what is known of one microVM, in one archive, for somebody who was not there.

    bundle = collect(host, microvm, documents, now)
    write(bundle, path)

No part that can't be had keeps the others out: it is listed with why. Values that look like secrets are left out, and
every environment; control characters stand there as escapes (`\\x1b`).
"""

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mvtui import __version__
from mvtui.errors import MvtuiError
from mvtui.host.archive import packed, write_new
from mvtui.host.ports import Host
from mvtui.host.rooted_files import RootedFiles
from mvtui.host.unit_texts import unit_texts
from mvtui.model.format import size
from mvtui.model.log import LogFilter
from mvtui.model.microvm import MicroVM
from mvtui.model.secrets import Redactor
from mvtui.model.text import clean
from mvtui.operations.logs import open_logs

# Of every part; and of the text of them all, before it is packed.
MOST_BYTES = 2 << 20
MOST_IN_ALL = 12 << 20
MOST_LOG_LINES = 2000
_MOST_LINE = 4000
CONTENTS = "CONTENTS.txt"
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
_CUT = "… cut here: the rest is larger than a bundle takes\n"


class Missing(NamedTuple):
    """A part that is not in it, and why, in words."""

    part: str
    why: str


class Bundle(NamedTuple):
    """`files` are the parts by name, CONTENTS.txt first, which says all of this; `left_out` counts the values that
    looked like secrets. `at` is UTC."""

    microvm: str
    at: datetime
    files: Mapping[str, bytes]
    missing: tuple[Missing, ...]
    left_out: int


class Written(NamedTuple):
    """A bundle that was written to `path`; `size` in bytes."""

    bundle: Bundle
    path: Path
    size: int


def collect(host: Host, microvm: MicroVM, documents: Mapping[str, object], now: datetime) -> Bundle:
    """All parts of it; `documents` are JSON documents by their file's name. Blocking, for some seconds; never raises
    for a part that can't be had."""
    redactor = Redactor()
    files: dict[str, bytes] = {}
    missing: list[Missing] = []
    left = MOST_IN_ALL
    for name, part in _parts(host, microvm, documents, redactor):
        try:
            text = part()
        except MvtuiError as error:
            missing.append(Missing(name, clean(str(error))))
            continue
        if name.endswith(".json"):
            text = json.dumps(redactor.document(json.loads(text)), indent=2) + "\n"
        else:
            text = _cleaned(redactor.text(text))
        content = _cut(text.encode("utf-8", "backslashreplace"), min(MOST_BYTES, left), from_end=name == "logs.txt")
        if not content:
            missing.append(Missing(name, "it is empty, or there is no room left"))
            continue
        files[name] = content
        left -= len(content)
    about = _contents(microvm, now, files, missing, redactor.count)
    return Bundle(microvm.name, now, {CONTENTS: about.encode(), **files}, tuple(missing), redactor.count)


def default_path(microvm: str, now: datetime) -> Path:
    """Where it goes where nothing else is said: here, with a name of plain letters. Raises MvtuiError."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", microvm)[:100]
    try:
        here = Path.cwd()
    except OSError as error:
        raise MvtuiError(f"the working directory is gone ({error.strerror})", "-o names a file elsewhere") from None
    return here / f"mvtui-{name}-{now:%Y%m%d-%H%M%S}.tar.gz"


def write(bundle: Bundle, path: Path) -> Written:
    """Write it to `path`, which must not be there. Raises RightsMissingError, MvtuiError."""
    folder = path.name.partition(".tar")[0] or "bundle"
    content = packed(folder, bundle.files, int(bundle.at.timestamp()))
    write_new(path, content)
    return Written(bundle, path, len(content))


Part = Callable[[], str]


def _parts(
    host: Host, microvm: MicroVM, documents: Mapping[str, object], redactor: Redactor
) -> Iterator[tuple[str, Part]]:
    for name, document in documents.items():
        yield name, lambda document=document: json.dumps(document)  # type: ignore[misc]
    yield "definition.toml", lambda: _definition_text(microvm)
    yield "processes.txt", lambda: _processes(microvm, redactor)
    yield "units.txt", lambda: _units(host, microvm)
    yield "logs.txt", lambda: _logs(host, microvm.name)
    yield "host.txt", lambda: _host(host)
    yield "calls.txt", lambda: _calls(host)


def _definition_text(microvm: MicroVM) -> str:
    """As it stands in its file."""
    from mvtui.host.documents import DocumentError, read_text  # noqa: PLC0415 - most verbs need none of it

    if microvm.document is None:
        raise MvtuiError("it has no definition file")
    try:
        text = read_text(Path(microvm.document))
    except DocumentError as error:
        raise MvtuiError(str(error)) from None
    if text is None:
        raise MvtuiError(f"{microvm.document} is gone")
    return text


def _processes(microvm: MicroVM, redactor: Redactor) -> str:
    if not microvm.processes:
        raise MvtuiError("nothing of it runs")
    # Word by word, which tells more than their text.
    lines = [
        f"pid {one.pid} of {one.unit or 'no unit'}, uid {one.uid}, since {one.started:%Y-%m-%d %H:%M:%S}Z\n"
        f"    {one.exe or '?'}\n    {shlex.join(redactor.words(one.argv))}\n"
        for one in microvm.processes
    ]
    return "\n".join(lines)


def _units(host: Host, microvm: MicroVM) -> str:
    if host.units.manager != "systemd":
        raise MvtuiError("there are none: mvtui itself runs its processes (--manager direct)")
    return unit_texts([unit.name for unit in microvm.units], host.calls)


def _logs(host: Host, name: str) -> str:
    logs = open_logs(host, [name])
    lines = []
    for record in logs.page(LogFilter(), MOST_LOG_LINES):
        entry = logs.entry(record)
        at = f"{entry.at:%Y-%m-%dT%H:%M:%SZ}" if entry.at is not None else "-"
        speaker = f" {entry.speaker}" if entry.speaker else ""
        lines.append(f"{at} {entry.source}{speaker} {entry.level} {clean(entry.message[:_MOST_LINE])}\n")
    if not lines:
        raise MvtuiError("nothing was logged")
    return "".join(lines)


def _host(host: Host) -> str:
    kernel = os.uname()
    lines = [
        f"mvtui {__version__}, Python {platform.python_version()} ({sys.executable}), as uid {os.geteuid()}",
        f"kernel {kernel.sysname} {kernel.release} {kernel.version} {kernel.machine}",
        f"host {host.name}, state directory {host.state_dir}, {host.units.manager}",
    ]
    for path in _OS_RELEASE:
        try:
            lines.append(RootedFiles(host.root).read(path, 1 << 14))
        except OSError:
            continue
        break
    return "\n".join(lines) + "\n"


def _calls(host: Host) -> str:
    lines = [
        f"{call.at:%Y-%m-%dT%H:%M:%SZ} {call.kind} {_took(call.seconds)} {clean(call.what)}: {clean(call.result)}"
        f"{f' ({call.times} times)' if call.times > 1 else ''}\n"
        for call in host.calls.calls
    ]
    if not lines:
        raise MvtuiError("mvtui has called nothing")
    return "".join(lines)


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.3f}s"


def _cleaned(text: str) -> str:
    return "".join(f"{clean(line.replace(chr(9), '    '))}\n" for line in text.split("\n")).rstrip("\n") + "\n"


def _cut(content: bytes, most: int, *, from_end: bool) -> bytes:
    """Its end, or its beginning; whole lines."""
    if len(content) <= most:
        return content if content.strip() else b""
    note = _CUT.encode()
    room = max(0, most - len(note))
    if from_end:
        _, _, kept = content[len(content) - room :].partition(b"\n")
        return note + kept
    return content[:room].rpartition(b"\n")[0] + b"\n" + note


def _contents(
    microvm: MicroVM, now: datetime, files: Mapping[str, bytes], missing: Sequence[Missing], left_out: int
) -> str:
    lines = [f"{clean(microvm.name)}, {now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, by mvtui {__version__}", ""]
    lines += [f"{name:<18} {size(len(content)):>7}  {_ABOUT.get(name, '')}".rstrip() for name, content in files.items()]
    lines += ["", "not in it:"] if missing else []
    lines += [f"{one.part:<18} {one.why}" for one in missing]
    lines += ["", *promises(left_out)]
    return "\n".join(lines) + "\n"


def promises(left_out: int) -> tuple[str, ...]:
    """What is left out of every bundle, in words."""
    values = (
        "1 value that looks like a secret was" if left_out == 1 else f"{left_out} values that look like secrets were"
    )
    return (
        f"No credentials, no environment; {values} left out.",
        "A secret that does not look like one may be in it: read it before you give it away.",
    )


_ABOUT = {
    "show.json": "mvtui show --json: its state, shares, volumes, processes; defined, built, booted; its timeline",
    "check.json": "mvtui check --json: what is wrong, and the host's facts",
    "definition.toml": "the text of its definition file",
    "processes.txt": "the command lines of its processes",
    "units.txt": "systemctl cat and show of its units, without environments",
    "logs.txt": f"the last {MOST_LOG_LINES} lines of its logs",
    "host.txt": "versions and kernel of this host",
    "calls.txt": "what mvtui called to learn this",
}

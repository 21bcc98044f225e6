"""A record in the host's journal of whatever mvtui changed."""

import contextlib
import os
import pwd
import socket

SOCKET = "/run/systemd/journal/socket"
_INFO = "6"


def record(message: str, **fields: str) -> None:
    """Log `message` as `mvtui`, with more `fields` (`MVTUI_MICROVM`, `MVTUI_COMMAND`, `MVTUI_RESULT`; `PRIORITY` is
    that of syslog(3), 6 by default). `MVTUI_USER` is who called sudo, else the user. Without a journald that listens,
    and where it is too busy, nothing happens: it never waits and never raises."""
    entry = {
        "MESSAGE": message,
        "PRIORITY": _INFO,
        "SYSLOG_IDENTIFIER": "mvtui",
        "MVTUI_USER": user(),
        **fields,
    }
    datagram = b"".join(_field(name, value) for name, value in entry.items())
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(datagram, SOCKET)


def record_change(verb: str, microvm: str, result: str, *, ok: bool, seconds: float) -> None:
    """Log what came of a verb (`reset`), in one sentence, and how long it took."""
    record(
        f"{verb} {microvm}: {result}",
        MVTUI_MICROVM=microvm,
        MVTUI_COMMAND=verb,
        MVTUI_RESULT=result,
        MVTUI_OK="yes" if ok else "no",
        MVTUI_SECONDS=f"{seconds:.3f}",
    )


def _field(name: str, value: str) -> bytes:
    """As systemd.io/JOURNAL_NATIVE_PROTOCOL says: a value with a newline goes behind its length in 8 bytes."""
    try:
        data = value.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        data = value.encode(errors="backslashreplace")
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return name.encode() + b"=" + data + b"\n"


def user() -> str:
    """Who does it: who called sudo, else the user of this process."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())

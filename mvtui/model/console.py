"""What lines of a guest's console tell. Pure; whatever a guest writes, the work and the result are bounded."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from mvtui.model.guest import Console, ConsoleSign, GuestStage, SignKind
from mvtui.model.text import clean

# Of a line that is longer only the end counts: what systemd shows of waiting jobs overwrites itself, without newlines.
_MAX_LINE = 4096
_MAX_PIECES = 64
_MAX_TEXT = 200
_MAX_SUBJECT = 120
MAX_SIGNS = 16

# ECMA-48: control sequences, and strings that end with BEL or ST; what is cut off in the middle of one stays as text.
_ESCAPES = re.compile(r"\x1b\[[0-?]{0,32}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,256}(?:\x07|\x1b\\)|\x1b[ -/]?[0-~]")
# `[    1.234567] `, `<3>`, `systemd[1]: `, and what systemd puts before what it did: `[FAILED] `, `[ TIME ] `.
_PREFIX = re.compile(r"(?:<\d>|\[ *\d+\.\d+\] ?(?:\[ *T\d+\] ?)?|systemd\[1\]: |\[ {0,2}[A-Z*]{2,6} {0,2}\] )+")
_BOOTS = re.compile(r"<<< NixOS Stage [12] >>>|Linux version |Welcome to \S")
_BOOTS_ANEW = re.compile(r"Linux version ")

_STAGES: tuple[tuple[GuestStage, re.Pattern[str]], ...] = (
    (GuestStage.PANIC, re.compile(r"Kernel panic - not syncing: ")),
    (
        GuestStage.EMERGENCY,
        re.compile(
            r"You are in (?:emergency|rescue) mode|Reached target (?:\S+ - )?Emergency Mode"
            r"|Started (?:\S+ - )?Emergency Shell|An error occurred in stage 1 of the boot process"
            r"|Cannot open access to console, the root account is locked"
        ),
    ),
    # The line that getty prints before its prompt, and the prompt: that one ends in no newline, so logs have it late.
    (
        GuestStage.UP,
        re.compile(
            r"Reached target (?:\S+ - )?Multi-User System|<<< Welcome to NixOS [^>]*>>>|[\w.-]{1,64} login:(?: |$)"
        ),
    ),
)
# The words of systemd(1), mount(8), busybox and the kernel; the group is the mount point or the device.
_SIGNS: tuple[tuple[SignKind, re.Pattern[str]], ...] = (
    (SignKind.DEVICE, re.compile(r"Timed out waiting for device (?:\S+ - )?(\S+?)\.?$")),
    (SignKind.MOUNT, re.compile(r"Failed to mount (?:\S+ - )?(/\S*?)\.?$")),
    (SignKind.MOUNT, re.compile(r"Dependency failed for (?:\S+ - )?(/\S*?)\.?$")),
    (SignKind.MOUNT, re.compile(r"mount: mounting \S+ on (/\S*) failed: ")),
    (SignKind.MOUNT, re.compile(r"mount: (/\S*): ")),
    (SignKind.OVERLAY, re.compile(r"overlayfs: (?!.*(?:falling back|null uuid|supported features))()")),
    (SignKind.DISK, re.compile(r"(?:critical \w+ error|I/O error|Buffer I/O error)(?:,| on) dev (\w+)")),
    (SignKind.DISK, re.compile(r"(?:EXT[234]-fs|BTRFS) (?:error|critical) \(device (\w+)\)")),
    (
        SignKind.DISK,
        re.compile(
            r"(?:EXT[234]-fs|XFS|BTRFS)(?: \w+)? \((?:device )?(\w+)\): .*?(?:can't find|corrupt|error|invalid|bad )",
            re.IGNORECASE,
        ),
    ),
)
# In which file system's root the initial RAM disk mounts what the guest will see.
_INITIAL_ROOTS = ("/sysroot", "/mnt-root")


class Logged(NamedTuple):
    """A line of the console, and when it was logged (UTC), None where nobody knows."""

    at: datetime | None
    text: str


def read_console(console: Console, lines: Iterable[Logged]) -> Console:
    """`console` with what `lines`, which come after it, tell."""
    for line in lines:
        for piece in _pieces(line.text):
            console = _read(console, line.at, piece)
    return console


def _pieces(text: str) -> Iterator[str]:
    """What stood on the screen, one after the other: a carriage return begins the line anew."""
    cut = text[-_MAX_LINE:]
    for piece in cut.rsplit("\r", _MAX_PIECES):
        stripped = _ESCAPES.sub("", piece).strip()
        if stripped:
            yield stripped


def _read(console: Console, at: datetime | None, text: str) -> Console:
    match = _PREFIX.match(text)
    by_system = match is not None
    said = text[match.end() :] if match is not None else text
    for stage, pattern in _STAGES:
        if pattern.match(said):
            return console if console.stage is stage else console._replace(stage=stage, since=at, text=_short(said))
    if _BOOTS_ANEW.match(said) and console.stage is not GuestStage.UNKNOWN:
        return Console(GuestStage.BOOTING, at, complete=console.complete)
    if console.stage is GuestStage.UNKNOWN and (by_system or _BOOTS.match(said)):
        console = console._replace(stage=GuestStage.BOOTING, since=at)
    for kind, pattern in _SIGNS:
        found = pattern.match(said)
        if found is not None:
            return _with_sign(console, ConsoleSign(kind, _subject(found[1]), _short(said), at))
    return console


def _with_sign(console: Console, sign: ConsoleSign) -> Console:
    known = any(one.kind is sign.kind and one.subject == sign.subject for one in console.signs)
    if known or len(console.signs) >= MAX_SIGNS:
        return console
    return console._replace(signs=(*console.signs, sign))


def _subject(path: str) -> str:
    for root in _INITIAL_ROOTS:
        if path == root or path.startswith(f"{root}/"):
            path = path.removeprefix(root) or "/"
    return clean(path)[:_MAX_SUBJECT]


def _short(text: str) -> str:
    return clean(text)[:_MAX_TEXT]

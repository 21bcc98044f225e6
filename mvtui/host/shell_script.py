"""What a runner's shell scripts do, read from their text: bash as microvm.nix writes it. Nothing is executed."""

import re
from dataclasses import dataclass
from itertools import islice

from mvtui.model.definition import Volume

# A word is a run of pieces. Every alternative starts with another character and none gives back what it took, so the
# time is linear in the text.
_PIECES = r"""
    [^\s'"\\$`;&|<>()]++
  | '[^']*+'
  | "(?:[^"\\]|\\.)*+"
  | \\[^\n]
  | \$\{[^}\n]*+\} | \$[A-Za-z0-9_@*\#?!-]++ | \$\([^)\n]*+\) | \$(?![({]) | `[^`\n]*+`
"""
_WORD = re.compile(rf"(?:{_PIECES})++", re.VERBOSE | re.DOTALL)
_PIECE = re.compile(_PIECES, re.VERBOSE | re.DOTALL)
_BETWEEN = re.compile(r"(?:[ \t]|\\\n)*+")
# The words of nearly every command line, in one step: plain ones, and those in one pair of single quotes.
_SIMPLE = re.compile(r"""(?:[ \t]|\\\n)*+(?:([^\s'"\\$`;&|<>()]++)|'([^']*+)')(?=[ \t\n])""")
_EXPANSION = re.compile(r"\$(?:\{[^}]*\}|\w+|[@*])")
_ESCAPED = re.compile(r'\\([$`"\\\n])')
_EXEC = re.compile(r"^[ \t]*exec[ \t]+", re.MULTILINE)
_RUNTIME_ARGS = re.compile(r"^runtime_args=", re.MULTILINE)
_MKFS = re.compile(
    r"^[ \t]*truncate[ \t]+-s[ \t]+(-?\d{1,12})M[ \t][^\n]*\n[ \t]*mkfs\.([\w.+-]+) (?:(-[Ln]) '([^'\n]*)' )?",
    re.MULTILINE,
)
# What is left where a word can't go on: it opens something that nothing closes.
_OPENING = ("'", '"', "`", "$", "\\")
# Many times what a runner has: some 300 words, and 26 volumes at most.
_MAX_WORDS = 4096
_MAX_VOLUMES = 64


@dataclass(frozen=True, slots=True)
class ExecLine:
    """The command that a script ends in. `argv` is what /proc/PID/cmdline will show, where no interpreter stands
    between; `program` is the executable. Both are empty where `problem` says why."""

    program: str = ""
    argv: tuple[str, ...] = ()
    problem: str | None = None


def read_exec(text: str) -> ExecLine:
    """The `exec` command of a script: the first one after `runtime_args=` (bin/microvm-run), or else the last.

    Parameter expansions that are a word by themselves (`${runtime_args:-}`, `$OPT_RLIMIT`, `"$@"`) are left out, since
    nobody knows them before; within a word and as a command substitution they stay as written.
    """
    mark = _RUNTIME_ARGS.search(text)
    found = _EXEC.search(text, mark.end()) if mark else None
    starts = [found.end()] if found else [match.end() for match in _EXEC.finditer(text)]
    if not starts:
        return ExecLine(problem="has no exec line")
    words = read_words(text, starts[-1])
    if words is None:
        return ExecLine(problem="has an exec line with unbalanced quotes")
    name = None
    if words[:1] == ["-a"]:
        name, words = (words[1] if len(words) > 1 else None), words[2:]
    if not words:
        return ExecLine(problem="has an exec line without a program")
    return ExecLine(words[0], (name or words[0], *words[1:]))


def read_created_volumes(text: str) -> tuple[Volume, ...]:
    """The volumes that bin/microvm-run makes where their image is missing (`autoCreate`): image, size, file system,
    label and mkfs arguments."""
    volumes = []
    for match in islice(_MKFS.finditer(text), _MAX_VOLUMES):
        size, fs_type, _, label = match.groups()
        words = read_words(text, match.end())
        if words:
            volumes.append(
                Volume(
                    image=words[-1],
                    size=int(size),
                    fs_type=fs_type,
                    label=label,
                    auto_create=True,
                    mkfs_extra_args=tuple(words[:-1]),
                )
            )
    return tuple(volumes)


def read_words(text: str, start: int = 0) -> list[str] | None:
    """The words of the simple command at `start`, up to its end (newline, `;`, `&`, `|`, a redirection); None where
    quotes are unbalanced."""
    words: list[str] = []
    while len(words) < _MAX_WORDS:
        if (simple := _SIMPLE.match(text, start)) is not None:
            words.append(simple[simple.lastindex or 0])
            start = simple.end()
            continue
        between = _BETWEEN.match(text, start)
        start = between.end() if between is not None else start
        match = _WORD.match(text, start)
        if match is None:
            return None if text[start : start + 1] in _OPENING else words
        start = match.end()
        if not _is_parameter(match.group()):
            words.append("".join(_piece(piece.group()) for piece in _PIECE.finditer(match.group())))
    return words


def _is_parameter(word: str) -> bool:
    return _EXPANSION.fullmatch(word) is not None or word in ('"$@"', '"$*"')


def _piece(piece: str) -> str:
    match piece[0]:
        case "'":
            return piece[1:-1]
        case '"':
            return _ESCAPED.sub(lambda match: "" if match[1] == "\n" else match[1], piece[1:-1])
        case "\\":
            return piece[1:]
        case _:
            return piece

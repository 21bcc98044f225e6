"""What a runner's shell scripts do, read from their text: bash as microvm.nix writes it. Nothing is executed."""

import re
from itertools import islice
from typing import NamedTuple

from mvtui.model.definition import Volume

# What a word consists of. No pattern here repeats a group without a bound, so that hostile text costs neither time nor
# memory (and no group is repeated possessively: Python before 3.11.5 gets that wrong).
_PIECE = re.compile(
    r"""
    (?P<plain> [^\s'"\\$`;&|<>()]++ )
  | ' (?P<single> [^']*+ ) '
  | \\ (?P<escaped> [^\n] )
  | (?P<expansion> \$\{[^}\n]*+\} | \$[A-Za-z0-9_@*\#?!-]++ | \$\([^)\n]*+\) | \$(?![({]) | `[^`\n]*+` )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t]*+(?:\\\n[ \t]*+){1,9}|[ \t]++")
# Nearly every word is plain, or stands in one pair of single quotes, or is a parameter: many in one step.
_SIMPLE_WORDS = re.compile(
    r"""(?:
        [ \t]*+ (?:\\\n[ \t]*+){0,9}
        (?: [^\s'"\\$`;&|<>()]++ | '[^']*+' | \$[A-Za-z0-9_]++ | \$\{[^}\s']*+\} | "\$@" | `[^`\s']*+` )
        (?= [ \t\n] | \Z)
    ){1,1000}""",
    re.VERBOSE,
)
_IN_DOUBLE_QUOTES = re.compile(r'\\(.)|"', re.DOTALL)
_PARAMETER = re.compile(r"\$(?:\{[^}]*\}|\w+|[@*])")
# Patterns that begin with a newline are found many times faster than such as may begin anywhere.
_EXEC = re.compile(r"\n[ \t]*exec[ \t]+")
_PATH = re.compile(r"\n[ \t]*(?:export[ \t]+)?PATH=([^\s;&|]+)")
_MKFS = re.compile(
    r"\n[ \t]*truncate[ \t]+-s[ \t]+(-?\d{1,12})M[ \t][^\n]*\n[ \t]*mkfs\.([\w.+-]+) (?:(-[Ln]) '([^'\n]*)' )?"
)
# What ends a command; "" is the end of the text.
_END = "\n;&|<>()"
# What is left where a word can't go on: it opens something that nothing closes.
_OPENING = ("'", '"', "`", "$", "\\")
# Many times what a runner has: some 300 words, and 26 volumes at most.
_MAX_WORDS = 4096
_MAX_VOLUMES = 64


class ExecLine(NamedTuple):
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
    text = f"\n{text}"
    mark = text.find("\nruntime_args=")
    found = _EXEC.search(text, mark + 1) if mark >= 0 else None
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
    text = f"\n{text}"
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


def read_tool_path(text: str) -> tuple[str, ...]:
    """The absolute directories that a script adds to its PATH: those of the mkfs that makes its volumes."""
    found: dict[str, None] = {}
    for match in islice(_PATH.finditer(f"\n{text}"), _MAX_VOLUMES):
        directories = match[1].strip("\"'").split(":")
        found.update((directory, None) for directory in directories if directory.startswith("/"))
    return tuple(islice(found, _MAX_VOLUMES))


def read_words(text: str, start: int = 0) -> list[str] | None:
    """The words of the simple command at `start`, up to its end (newline, `;`, `&`, `|`, a redirection); None where
    quotes are unbalanced."""
    words: list[str] = []
    while len(words) < _MAX_WORDS:
        if (simple := _SIMPLE_WORDS.match(text, start)) is not None:
            words += _split(simple[0])
            start = simple.end()
        elif (blank := _BLANK.match(text, start)) is not None:
            start = blank.end()
        elif text[start : start + 1] in _END:
            break
        else:
            word, end = _read_word(text, start)
            if end == start:
                return None if text[start : start + 1] in _OPENING else words
            if word is not None:
                words.append(word)
            start = end
    return words


def _split(simple: str) -> list[str]:
    """The words in a run of simple ones, without the parameters among them."""
    words: list[str] = []
    for index, part in enumerate(simple.split("'")):
        if index % 2:
            words.append(part)
            continue
        unquoted = part.replace("\\\n", " ").split()
        words += [word for word in unquoted if word[0] not in '"$'] if "$" in part else unquoted
    return words


def _read_word(text: str, start: int) -> tuple[str | None, int]:
    """The word at `start` and where it ends; None for one that is nothing but a parameter."""
    parts: list[str] = []
    end = start
    while True:
        if (piece := _PIECE.match(text, end)) is not None:
            parts.append(piece[piece.lastindex or 0])
            end = piece.end()
        elif text.startswith('"', end) and (quoted := _double_quoted(text, end + 1)) is not None:
            parts.append(quoted[0])
            end = quoted[1]
        else:
            break
    raw = text[start:end]
    is_parameter = len(parts) == 1 and (_PARAMETER.fullmatch(raw) is not None or raw in ('"$@"', '"$*"'))
    return (None if is_parameter else "".join(parts)), end


def _double_quoted(text: str, start: int) -> tuple[str, int] | None:
    """What stands between double quotes and where it ends; None where nothing closes them."""
    parts: list[str] = []
    for match in _IN_DOUBLE_QUOTES.finditer(text, start):
        parts.append(text[start : match.start()])
        if match[1] is None:
            return "".join(parts), match.end()
        # Before other characters the backslash stays (bash(1), QUOTING).
        parts.append("" if match[1] == "\n" else match[1] if match[1] in '$`"\\' else match[0])
        start = match.end()
    return None

"""What a terminal obeys, by terminfo(5), and what of something written it does not."""

import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache

# One sequence, one control character, or text.
_TOKEN = re.compile(
    rb"\x1b\[(?P<private>[<-?]*)(?P<codes>[0-9;:]*)(?P<between>[ -/]*)(?P<end>[@-~])"
    rb"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)|\x1b(?P<escape>[ -~])|(?P<control>[\x00-\x1f\x7f])|[^\x00-\x1f\x7f]+"
)
# A terminal passes over a private mode that it does not know (ECMA-48), as long as it is set or reset.
_MODES = {b"6", b"7", b"25", b"1000", b"1002", b"1003", b"1004", b"1006", b"1015", b"1049", b"2004"}
# What leads from place to place, scrolls and clears, and what terminfo calls it.
_MOVES = {
    b"H": "cup",
    b"A": "cuu",
    b"B": "cud",
    b"C": "cuf",
    b"D": "cub",
    b"G": "hpa",
    b"r": "csr",
    b"J": "ed",
    b"K": "el",
}
_ON = {1: "bold", 2: "dim", 3: "sitm", 4: "smul", 5: "blink", 7: "rev"}
_OFF = {22, 23, 24, 25, 27}


@lru_cache
def capabilities(term: str) -> dict[str, str]:
    """Those of terminfo by their short names. Raises FileNotFoundError where infocmp is missing."""
    told = subprocess.run(["infocmp", "-1", term], capture_output=True, encoding="ascii", check=True).stdout
    return dict(re.findall(r"^\t(\w+)[=#]?(.*),$", told, re.MULTILINE))


def refused(written: bytes, term: str, *, newer: bool) -> set[bytes]:
    """The sequences that such a terminal has not; one that is `newer` knows, or passes over, what is asked beyond
    terminfo."""
    known = capabilities(term)
    return {found[0] for found in _tokens(written) if not _is_obeyed(found, known, newer)}


def _tokens(written: bytes) -> Iterator[re.Match[bytes]]:
    at = 0
    while at < len(written):
        found = _TOKEN.match(written, at)
        assert found is not None, written[at : at + 20]
        yield found
        at = found.end()


def _is_obeyed(found: "re.Match[bytes]", known: dict[str, str], newer: bool) -> bool:
    if found["osc"] is not None:
        return newer
    if found["escape"]:
        return found["escape"] == b"M" and "ri" in known
    if found["control"]:
        return found["control"] in b"\r\v\b"
    if not found["end"]:
        return True
    private, end = found["private"], found["end"]
    if private == b"?" and end in b"hl" and not found["between"]:
        return found["codes"] in _MODES
    if private or found["between"]:
        return newer
    if end == b"m":
        return _are_shown([int(code or 0) for code in re.split(b"[;:]", found["codes"])], known)
    return end in _MOVES and (_MOVES[end] in known or (end == b"G" and newer))


def _are_shown(codes: list[int], known: dict[str, str]) -> bool:
    """Whether it knows these codes of SGR."""
    colours = int(known.get("colors", "0"), 0)
    rest = iter(codes)
    for code in rest:
        if code in _ON:
            shown = _ON[code] in known
        elif code in _OFF:  # where terminfo turns one off with all others, so it must be done
            shown = known.get("rmul") not in (None, r"\E[m", r"\E[m$<2>")
        elif code in (38, 48):
            shown = next(rest) == 5 and next(rest) < colours
        else:
            shown = code == 0 or ((30 <= code <= 37 or 40 <= code <= 47 or code in (39, 49)) and colours >= 8)
        if not shown:
            return False
    return True

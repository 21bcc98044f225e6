"""Which characters a terminal has, by its environment. Pure."""

from collections.abc import Mapping


def is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8 (locale(7): LC_ALL, then LC_CTYPE, then LANG).

    In the C locale, Python sets LC_CTYPE to C.UTF-8 by itself (PEP 538): that tells nothing of the terminal.
    """
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "")
        if value and not (name == "LC_CTYPE" and value == "C.UTF-8"):
            return value.lower().replace("-", "").endswith("utf8")
    return False

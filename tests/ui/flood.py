"""Takes the place of journalctl: 10,000 lines a second in its form, a hundred at a time, until nobody reads them."""

import os
import sys
import time
from collections.abc import Iterable
from random import Random

LINES_A_SECOND = 10_000
_AT_ONCE = 100

# No two screens of them are alike, and they are as wide as a wide terminal.
_WORDS = [Random(seed).randbytes(90).hex() for seed in range(997)]

# What a real line of journalctl has beside its message.
_LINE = (
    "__CURSOR=s=0123456789abcdef0123456789abcdef;i=%x;b=0123456789abcdef0123456789abcdef;m=4a3ae162;t=6611e2;x=b8\n"
    "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=1245372770\n"
    "_BOOT_ID=0123456789abcdef0123456789abcdef\nPRIORITY=6\n_SYSTEMD_UNIT=microvm@git.service\n_UID=990\n"
    "MESSAGE=line %d of a guest: %s\n\n"
)


def _write(numbers: Iterable[int]) -> None:
    """Lines; each has its number from when it was written."""
    data = "".join([_LINE % (n, n * 1_000_000 // LINES_A_SECOND, n, _WORDS[n % len(_WORDS)]) for n in numbers]).encode()
    while data:
        try:
            data = data[os.write(1, data) :]
        except BrokenPipeError:
            sys.exit(0)


def _now() -> int:
    return int(time.time() * LINES_A_SECOND)


def main() -> None:
    options = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
    number = _now() - int(options.get("--lines", "0"))
    if "--after-cursor" in options:
        number = int(options["--after-cursor"].partition(";i=")[2].partition(";")[0], 16) + 1
    if "--reverse" in options:
        _write(range(_now() if "--lines" in options else number - 2, number - 1 - 10_000, -1))
        return
    while True:
        end = _now()
        _write(range(number, end))
        number = end
        if "--follow" not in options:
            return
        time.sleep(_AT_ONCE / LINES_A_SECOND)


if __name__ == "__main__":
    main()

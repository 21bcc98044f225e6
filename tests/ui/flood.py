"""Takes the place of journalctl: 10,000 lines a second in its form, a hundred at a time, until nobody reads them."""

import os
import sys
import time
from random import Random

LINES_A_SECOND = 10_000
_AT_ONCE = 100

# No two screens of them are alike, and they are as wide as a wide terminal.
_WORDS = [Random(seed).randbytes(90).hex() for seed in range(997)]

# What a real line of journalctl has beside its message.
_LINE = (
    "__CURSOR=s=0123456789abcdef0123456789abcdef;i=%x;b=0123456789abcdef0123456789abcdef;m=4a3ae162;t=6611e2;x=b8\n"
    "__REALTIME_TIMESTAMP=1795632017664557\n__MONOTONIC_TIMESTAMP=1245372770\n"
    "_BOOT_ID=0123456789abcdef0123456789abcdef\nPRIORITY=6\n_SYSTEMD_UNIT=microvm@git.service\n_UID=990\n"
    "MESSAGE=line %d of a guest: %s\n\n"
)


def main() -> None:
    began, number = time.monotonic(), 0
    while True:
        numbers = range(number, number + _AT_ONCE)
        data = "".join([_LINE % (n, n, _WORDS[n % len(_WORDS)]) for n in numbers]).encode()
        number += _AT_ONCE
        while data:
            try:
                data = data[os.write(1, data) :]
            except BrokenPipeError:
                sys.exit(0)
        time.sleep(max(0.0, began + number / LINES_A_SECOND - time.monotonic()))


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Takes the command line of the Rust virtiofsd as microvm.nix writes it, and becomes QEMU 7.2's C virtiofsd.

What the C one can't do is left out: `--readonly` (its share is writable), uid translation, inode file handles.
`--rlimit-nofile` too: it needs CAP_SYS_RESOURCE, which a container may lack.
"""

import os
import sys

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
CACHE = {"never": "none", "metadata": "auto"}
FLAGS = {"--posix-acl": ["-o", "posix_acl"], "--xattr": ["-o", "xattr"], "--readonly": []}
LEFT_OUT = ("--rlimit-nofile", "--inode-file-handles", "--translate-uid", "--translate-gid", "--tag")


def translated(words: list[str]) -> list[str]:
    """The C virtiofsd's arguments for the Rust one's."""
    result: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in FLAGS:
            result += FLAGS[option]
            continue
        if not equals:
            value = next(rest, "")
        if option in ("--socket-path", "--socket-group", "--thread-pool-size"):
            result.append(f"{option}={value}")
        elif option == "--shared-dir":
            result += ["-o", f"source={os.path.abspath(value)}"]
        elif option == "--cache":
            result += ["-o", f"cache={CACHE.get(value, value)}"]
        elif option not in LEFT_OUT:
            sys.exit(f"virtiofsd: unknown option {word}")
    return result


if __name__ == "__main__":
    os.execv(VIRTIOFSD, [VIRTIOFSD, *translated(sys.argv[1:])])

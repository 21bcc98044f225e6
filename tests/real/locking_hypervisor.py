"""A hypervisor without a guest, as quick to start as a program can be: it opens its image and locks it as QEMU does.

In the image's first 1024 bytes, which ext4 leaves alone, it writes `began PID` and, told to end, `ended PID`. It takes
no image whose last one has only begun, none that is not whole in size, and none without a superblock.

    locking_hypervisor.py … -drive …,file=IMAGE,… --size BYTES [--wait]

`--wait`: it says `ready` and begins when it can read a line.
"""

import fcntl
import os
import signal
import struct
import sys

BLOCK = 1024
LINES = 40
# What QEMU takes (bytes from 100) and does not share (from 200) of an image that it writes: 0 read, 1 write, 3 resize.
TAKEN, NOT_SHARED = (100, 101, 103), (201, 203)


def lock(descriptor: int) -> None:
    for byte in (*TAKEN, *NOT_SHARED):
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("@hhqqi4x", fcntl.F_RDLCK, 0, byte, 1, 0))
    for byte in (TAKEN[1], NOT_SHARED[0]):
        asked = struct.pack("@hhqqi4x", fcntl.F_WRLCK, 0, byte, 1, 0)
        if struct.unpack_from("@h", fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))[0] != fcntl.F_UNLCK:
            sys.exit("another has the image")


def note(descriptor: int, lines: list[str]) -> None:
    os.pwrite(descriptor, "".join(f"{line}\n" for line in lines[-LINES:]).encode().ljust(BLOCK, b"\0"), 0)
    os.fsync(descriptor)


def main(argv: list[str]) -> None:
    drive = dict(option.split("=", 1) for option in argv[argv.index("-drive") + 1].split(","))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if argv[-1] == "--wait":
        print("ready", flush=True)
        sys.stdin.readline()
    descriptor = os.open(drive["file"], os.O_RDWR)
    lock(descriptor)
    size, magic = os.fstat(descriptor).st_size, os.pread(descriptor, 2, BLOCK + 0x38)
    if size != int(argv[argv.index("--size") + 1]) or magic != b"\x53\xef":
        sys.exit(f"half an image: {size} bytes, magic {magic.hex()}")
    lines = os.pread(descriptor, BLOCK, 0).rstrip(b"\0").decode().splitlines()
    if lines and not lines[-1].startswith("ended "):
        sys.exit(f"{lines[-1]}, and did not end")
    lines.append(f"began {os.getpid()}")
    note(descriptor, lines)
    signal.sigwait({signal.SIGTERM})
    note(descriptor, [*lines, f"ended {os.getpid()}"])


main(sys.argv)

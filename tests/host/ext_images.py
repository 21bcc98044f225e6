"""Images of ext file systems, as a kernel that has them mounted leaves them."""

import struct
from pathlib import Path


def use_blocks(image: Path, left: int) -> None:
    """Let the descriptors of its groups say that each has at most `left` free blocks; the superblock keeps its own."""
    with image.open("r+b") as file:
        file.seek(1024)
        block = file.read(1024)
        (blocks,), (first, log_size) = struct.unpack_from("<I", block, 4), struct.unpack_from("<II", block, 0x14)
        (per_group,), (incompat,) = struct.unpack_from("<I", block, 0x20), struct.unpack_from("<I", block, 0x60)
        size = struct.unpack_from("<H", block, 0xFE)[0] if incompat & 0x80 else 32
        for group in range(-(-(blocks - first) // per_group)):
            at = (first + 1) * (1024 << log_size) + group * size + 0xC
            file.seek(at)
            free = min(left, int.from_bytes(file.read(2), "little"))
            file.seek(at)
            file.write(free.to_bytes(2, "little"))

"""The sample microVMs' images: real file systems on sparse files, made and filled without mounting them."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from mvtui.errors import MvtuiError
from mvtui.host.images import read_image
from mvtui.model.definition import Volume

_LABEL_OPTION = {"vfat": "-n"}
_MIB = 1 << 20
# Of what is free. An ext4 file costs a little more than its bytes.
_LARGEST_FILL = 0.985


def make_image(
    directory: Path, volume: Volume, mkfs_path: tuple[str, ...], scratch: Path, fill: float = 0.0, days: int = 0
) -> bool:
    """Make `volume`'s image in `directory` as the runner would at its first start; False where there is no mkfs for
    it, and it stays blank.

    `fill` (0 to 1) is how much of an ext file system's free space holds packages of an overlay's upper layer, which
    are put together in `scratch`. An ext file system says that it was made so many `days` ago. Raises MvtuiError where
    mkfs fails, OSError.
    """
    image = directory / volume.image
    _blank(image, volume)
    mkfs = shutil.which(f"mkfs.{volume.fs_type}", path=os.pathsep.join(mkfs_path))
    if mkfs is None:
        return False
    label = (_LABEL_OPTION.get(str(volume.fs_type), "-L"), volume.label) if volume.label else ()
    command = [mkfs, *label, *(volume.mkfs_extra_args or ())]
    if str(volume.fs_type).startswith("ext"):
        command += ["-E", "lazy_journal_init=1"]  # else a journal's 64 MiB take room, and a blank image is all zeros
    _run([*command, str(image)], days)
    facts = read_image(directory, volume.image)
    if fill > 0 and facts.fs_room is not None and facts.fs_used is not None:
        with tempfile.TemporaryDirectory(dir=scratch) as made:
            content = Path(made) / "root"
            _pretend_packages(content, int((facts.fs_room - facts.fs_used) * min(fill, _LARGEST_FILL)))
            _blank(image, volume)
            _run([*command, "-d", str(content), str(image)], days)
    return True


def _blank(image: Path, volume: Volume) -> None:
    with image.open("wb") as file:
        file.truncate((volume.size or 0) * _MIB)


def _pretend_packages(upper: Path, size: int) -> None:
    """The upper layer of a store overlay: `work`, and `store` with packages of `size` bytes together."""
    (upper / "work").mkdir(parents=True)
    package = upper / "store" / "4w2i1qx5n8p0vb7rl3kd9ghy6zjcmsfa-nixpkgs-unstable"
    package.mkdir(parents=True)
    with (package / "source.tar").open("wb") as file:
        # mke2fs leaves out what is zero.
        for at in range(0, size, _MIB):
            file.write(b"\xa5" * min(_MIB, size - at))


def _run(command: list[str], days: int) -> None:
    environ = dict(os.environ)
    if days:
        environ["E2FSPROGS_FAKE_TIME"] = str(int(time.time()) - days * 86400)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environ)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise MvtuiError(f"{command[0]} failed: {said[-1] if said else f'exit {done.returncode}'}", command[-1])

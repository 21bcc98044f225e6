"""The programs that the real stack is made of: found on this machine, or taken out of Debian's packages.

Nothing is installed. What has to be unpacked or built is kept in a cache directory (`MVTUI_TEST_CACHE`, else
`mvtui-tests` in the user's cache directory) and made once.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Debian 12 has no package of the Rust virtiofsd; QEMU 7.2 still brings the C one.
RUST_VIRTIOFSD = ("/usr/libexec/virtiofsd", "/usr/lib/virtiofsd")
C_VIRTIOFSD = "/usr/lib/qemu/virtiofsd"


class UnavailableError(Exception):
    """The real stack can't run here; the text is one sentence that names what is missing."""


def cache_dir() -> Path:
    """Where downloads, the guest's kernel and the folders of running tests are kept."""
    named = os.environ.get("MVTUI_TEST_CACHE")
    return Path(named).resolve() if named else Path.home() / ".cache" / "mvtui-tests"


def program(name: str, package: str) -> str:
    """The path of a program of the system. Raises UnavailableError that names the Debian package which has it."""
    found = shutil.which(name, path=SEARCHED)
    if found is None:
        raise UnavailableError(f"{name} is missing: apt-get install {package}")
    return found


def virtiofsd() -> tuple[str, bool]:
    """The path of a virtiofsd, and whether it is the Rust one, which takes the options that microvm.nix writes."""
    for path in (*RUST_VIRTIOFSD, shutil.which("virtiofsd", path=SEARCHED)):
        if path is not None and os.access(path, os.X_OK):
            return path, True
    if os.access(C_VIRTIOFSD, os.X_OK):
        return C_VIRTIOFSD, False
    raise UnavailableError("virtiofsd is missing: apt-get install qemu-system-x86 (Debian 12), or virtiofsd")


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The cache's folder `name`; where it is not there yet, `make` fills a new folder, which then gets the name."""
    final = cache_dir() / name
    final.parent.mkdir(parents=True, exist_ok=True)
    with locked(final.with_name(final.name + ".lock")):
        if not final.exists():
            with tempfile.TemporaryDirectory(dir=final.parent, prefix=f"{final.name}.part-") as part:
                made = Path(part) / "made"
                made.mkdir()
                make(made)
                made.rename(final)
    return final


def download(package: str, into: Path) -> Path:
    """The .deb of a Debian package, downloaded into a folder. Raises UnavailableError where apt can't."""
    debian()
    result = subprocess.run(
        ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package],
        cwd=into,
        capture_output=True,
        text=True,
        check=False,
    )
    found = list(into.glob(f"{package}_*.deb"))
    if result.returncode != 0 or not found:
        said = result.stderr.strip().splitlines()
        raise UnavailableError(f"apt-get can't download {package} (apt-get update?): {said[-1] if said else 'no word'}")
    return found[0]


def debian() -> None:
    """Raises UnavailableError on what is no Debian: the rest of the real stack comes from its packages."""
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        if shutil.which(name, path=SEARCHED) is None:
            raise UnavailableError(f"{name} is missing: parts of the real stack come from Debian's packages")


def unpacked(*packages: str) -> Path:
    """A folder with the content of Debian packages."""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as downloads:
            for package in packages:
                deb = download(package, Path(downloads))
                subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)

    return made_once("unpacked-" + "+".join(packages), make)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """While it lasts, no other process holds this lock file."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

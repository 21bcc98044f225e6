"""A Nix of its own in a folder (Debian's nix-bin 2.8): its store, state and configuration are there. No network."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.host.living import found

_CONFIGURATION = """\
build-users-group =
sandbox = false
substituters =
flake-registry =
experimental-features = nix-command flakes
"""


def local_nix(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has every `nix` of this test work in `place`, which is made; gives the directory of the store."""
    found("nix")
    place.mkdir()
    (place / "nix.conf").write_text(_CONFIGURATION)
    places = {"CONF": place, "STORE": place / "store", "STATE": place / "var", "DATA": place / "share"}
    for name, path in {**places, "LOG": place / "log", "LOCALSTATE": place / "var"}.items():
        monkeypatch.setenv(f"NIX_{name}_DIR", str(path))
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(place))
    monkeypatch.delenv("NIX_REMOTE", raising=False)
    return place / "store"


def evaluate_file(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`nix-instantiate --eval --json --strict` of `file`, without a store: `words` are its arguments."""
    argv = [found("nix-instantiate"), "--store", "dummy://", "--readonly-mode", "--eval", "--json", "--strict"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    return subprocess.run(
        [*argv, str(file), *words], capture_output=True, text=True, check=False, env=environment, timeout=60
    )

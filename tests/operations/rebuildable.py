"""A host with stand-ins for `microvm` and `nixos-rebuild`, which go on when the test says so."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mvtui.host.ports import Host
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.state import State, StateWord
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.state_dirs import fresh_state_dir

# Waits for a line: `ok`, `new` (another runner is built), or an exit code. Ends by itself where nobody is left to say.
_PROGRAM = """#!/bin/bash
echo "$(basename "$0") $*"
exec 3<>{folder}/go
read -r -t 60 word <&3
case "$word" in
  new) ln -sTf /nix/store/2-new {state_dir}/web/current; echo built; exit 0;;
  ok) exit 0;;
  flood) head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo; exit 0;;
  *) echo "error: it says $word"; exit "$word";;
esac
"""


class Rebuildable:
    """`host` has the microVM web in `folder`/microvms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        state_dir = folder / "microvms"
        os.mkfifo(folder / "go")
        programs = folder / "bin"
        programs.mkdir()
        for name in ("microvm", "nixos-rebuild"):
            (programs / name).write_text(_PROGRAM.format(folder=folder, state_dir=state_dir))
            (programs / name).chmod(0o755)
        (state_dir / "web").mkdir()
        (state_dir / "web" / "current").symlink_to("/nix/store/1-old")
        self._go = os.open(folder / "go", os.O_RDWR)
        self.host = Host(
            "hv01",
            FakeUnits(),
            FakeProcesses(),
            state_dir,
            definitions=folder / "definitions",
            records=folder / "records",
            programs=programs,
        )

    def go(self, word: str) -> None:
        """The one that runs goes on."""
        os.write(self._go, f"{word}\n".encode())

    def close(self) -> None:
        """Nobody says anything any more."""
        os.close(self._go)


def of(name: str = "web", *, flake: str | None = "git+file:///etc/nixos", toplevel: str | None = None) -> MicroVM:
    """A microVM that is updated on its own, or with its host."""
    entry = StateDirEntry(name, f"/s/{name}", "/nix/store/1-old", flake=flake, toplevel=toplevel)
    return MicroVM(name, f"/s/{name}", State(StateWord.STOPPED, None, ""), entry)


@contextmanager
def rebuildable() -> Iterator[Rebuildable]:
    """One in a folder of its own."""
    with fresh_state_dir() as state_dir:
        made = Rebuildable(state_dir.parent)
        try:
            yield made
        finally:
            made.close()

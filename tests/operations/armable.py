"""A host below a folder, with a microVM `web` that has its overlay on a volume and can be armed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host import drop_ins
from mvtui.host.ports import Host
from mvtui.model.definition import Definition
from mvtui.operations.overlay import ResetOutcome
from tests.fakes import FakeProcesses, FakeUnits
from tests.operations.sample import WEB

PROGRAM = "/usr/bin/mvtui"
HOSTS_OWN = ("/run/current-system/sw/bin/mvtui", "reset", "--if-armed", "--", "web")


class ArmableUnits(FakeUnits):
    """Reads mvtui's drop-ins of `web` when it is reloaded; `hosts_own` is what it runs besides. `deaf`: it does not
    look into that directory."""

    def __init__(self, root: Path, manager: str) -> None:
        super().__init__(manager=manager)
        self.root = root
        self.hosts_own: tuple[tuple[str, ...], ...] = ()
        self.deaf = "nowhere"

    async def before_start(self, microvm: str) -> tuple[tuple[str, ...], ...]:
        return (*self.hosts_own, *await super().before_start(microvm))

    async def reload(self) -> None:
        await super().reload()
        self.pre_start["web"] = tuple(self._commands())

    def _commands(self) -> Iterator[tuple[str, ...]]:
        for persistent in (False, True):
            path = drop_ins.path_of("web", persistent=persistent)
            file = self.root / path.lstrip("/")
            for line in file.read_text().splitlines() if file.exists() and self.deaf not in path else ():
                if line.startswith("ExecStartPre="):
                    yield tuple(line.partition("=")[2].lstrip("-+").replace("%i", "web").split())


def armable(
    folder: Path, monkeypatch: pytest.MonkeyPatch, definition: Definition = WEB, manager: str = "systemd"
) -> Host:
    """The host; nothing of it is the machine's."""
    build_runner(
        definition, folder / "store/1-microvm-qemu-web", Tools(hypervisor="/bin/qemu-system-x86_64"), store="/store"
    )
    directory = folder / "microvms/web"
    directory.mkdir(parents=True)
    (directory / "current").symlink_to("/store/1-microvm-qemu-web")
    (folder / "usr/bin").mkdir(parents=True)
    (folder / PROGRAM.lstrip("/")).touch()
    (folder / "run/systemd/system").mkdir(parents=True)
    (folder / "etc/systemd/system").mkdir(parents=True)
    monkeypatch.setattr("mvtui.operations.arming.lasting_argv", lambda: [PROGRAM])
    monkeypatch.setattr("mvtui.host.journal.record", lambda *_, **__: None)
    return Host(
        "hv01",
        ArmableUnits(folder, manager),
        FakeProcesses(),
        Path("/microvms"),
        folder,
        definitions=Path("/definitions"),
        records=folder / "records",
    )


def units_of(host: Host) -> ArmableUnits:
    assert isinstance(host.units, ArmableUnits)
    return host.units


def drop_in(host: Host, *, persistent: bool = False) -> Path:
    return host.on_disk(drop_ins.path_of("web", persistent=persistent))


def good(name: str = "web") -> ResetOutcome:
    return ResetOutcome(name, "reset", True, f"{name}: the overlay is reset")


def refused(name: str = "web", why: str = "qemu has it open") -> ResetOutcome:
    return ResetOutcome(name, "reset", False, f"{name}: no reset: {why}", refused=True)

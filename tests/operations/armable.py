"""A host below a folder, with a microVM `web` that has its overlay on a volume and can be armed."""

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
    (folder / "run/systemd/system").mkdir(parents=True)
    (folder / "etc/systemd/system").mkdir(parents=True)
    monkeypatch.setattr("mvtui.operations.arming.lasting_argv", lambda: [PROGRAM])
    monkeypatch.setattr("mvtui.host.journal.record", lambda *_, **__: None)
    return Host(
        "hv01",
        FakeUnits(manager=manager),
        FakeProcesses(),
        Path("/microvms"),
        folder,
        definitions=Path("/definitions"),
        records=folder / "records",
    )


def drop_in(host: Host, *, persistent: bool = False) -> Path:
    return host.on_disk(drop_ins.path_of("web", persistent=persistent))


def good(name: str = "web") -> ResetOutcome:
    return ResetOutcome(name, "reset", True, f"{name}: the overlay is reset")


def refused(name: str = "web", why: str = "qemu has it open") -> ResetOutcome:
    return ResetOutcome(name, "reset", False, f"{name}: no reset: {why}", refused=True)

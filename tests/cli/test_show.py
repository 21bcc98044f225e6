"""The lines of `mvtui show` about sources and holders, each way that they can be."""

from datetime import timedelta
from typing import Any

import pytest

from mvtui.cli.glyphs import Glyphs
from mvtui.cli.report import show_document
from mvtui.cli.show import show_lines
from mvtui.model.definition import Share, ShareProto, Volume
from mvtui.model.facts import Holder, SourceFacts, SourceKind
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth, ShareStatus, Snapshot, VolumeStatus
from mvtui.model.overlay import KeptOverlay
from mvtui.model.state import State, StateWord
from tests.fakes import EPOCH

HOME = Share("home", ShareProto.NINE_P, source="/srv")
QEMU = Holder(100, "qemu", "web", "lock")


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (None, ""),
        (SourceFacts("/srv", False, SourceKind.NOTHING), ""),
        (SourceFacts("/srv", False, SourceKind.DANGLING), "source: symlink to nothing"),
        (SourceFacts("/srv", problem="/srv: bad\nthing"), "source: /srv: bad\\nthing"),
        (SourceFacts("/srv", True, SourceKind.FILE, 0, 7, 0o644), "source: file 0:7 0644 on unknown file system"),
        (
            SourceFacts(
                "/srv", True, SourceKind.DIRECTORY, 0, 7, 0o755, "root", "a\x1b", "ext4", "/", True, 1 << 30, 0
            ),
            "source: directory root:a\\x1b 0755 on ext4 read-only, 0B of 1.0G free",
        ),
        (
            SourceFacts("/proc", True, SourceKind.DIRECTORY, 0, 0, 0o555, "root", "root", None, "/proc", False, 0, 0),
            "source: directory root:root 0555 on unknown file system",
        ),
    ],
)
def test_source(facts: SourceFacts | None, says: str) -> None:
    assert below_share(facts) == says


@pytest.mark.parametrize(
    ("holders", "complete", "says"),
    [
        (None, False, "held by nobody found, but not every process can be seen"),
        ((), True, "held by nobody"),
        ((QEMU,), True, "held by qemu (pid 100 of web, locked)"),
        ((QEMU,), False, "held by qemu (pid 100 of web, locked); there may be others that can't be seen"),
        ((Holder(7, None, None, "open"),), True, "held by ? (pid 7 of no microVM)"),
        ((Holder(7, "\x1b[2J", None, "open"),), True, "held by \\x1b[2J (pid 7 of no microVM)"),
        ((Holder(None, None, None, "lock"),), True, "held by a process that can't be seen (it has a lock)"),
        ((Holder(None, None, None, "mounted at /a\nb"),), True, "held by mounted at /a\\nb"),
    ],
)
def test_held(holders: tuple[Holder, ...] | None, complete: bool, says: str) -> None:
    assert below_volume(ImageFacts("/a.img"), holders, complete=complete) == says


def test_of_an_image_that_is_not_there_nothing_is_said() -> None:
    assert below_volume(ImageFacts("/a.img", problem="does not exist")) == ""
    assert below_volume(None) == ""


def below_share(facts: SourceFacts | None) -> str:
    return below("Shares", shares=(ShareStatus(HOME, ShareHealth.UP, source=facts),))


def below_volume(image: ImageFacts | None, holders: tuple[Holder, ...] | None = None, *, complete: bool = False) -> str:
    return below("Volumes", volumes=(VolumeStatus(Volume("a.img"), image, False, holders, complete),))


def below(section: str, shares: tuple[ShareStatus, ...] = (), volumes: tuple[VolumeStatus, ...] = ()) -> str:
    """What stands in the line below the only one of that section; "" where there is none."""
    microvm = MicroVM("web", "/web", State(StateWord.RUNNING, None, ""), shares=shares, volumes=volumes)
    lines = show_lines(microvm, Glyphs(unicode=False, colour=False), EPOCH)
    first = next(number for number, line in enumerate(lines) if line.startswith(section))
    assert len(lines) - first <= 2
    return "".join(lines[first + 1 :]).strip()


def test_what_is_set_aside() -> None:
    kept = (
        KeptOverlay("b", "/a\n/b.img", EPOCH - timedelta(days=9), 2 << 30, 300 << 20),
        KeptOverlay("c", "/srv/c.dir", EPOCH - timedelta(days=10)),
    )
    microvm = MicroVM("web", "/web", State(StateWord.STOPPED, None, ""), kept=kept)
    lines = show_lines(microvm, Glyphs(unicode=False, colour=False), EPOCH)
    assert lines[-2:] == [
        "Set aside   /a\\n/b.img: 300M of 2.0G, set aside 9d ago",
        "            /srv/c.dir: set aside 10d ago",
    ]


def test_in_json_it_stands_where_the_overlay_was() -> None:
    beside = "/vms/web/.mvtui/overlay/rw.img/20260801T120000Z.img"
    shares = tuple(ShareStatus(HOME._replace(source=source), ShareHealth.OFF) for source in ("/srv", "/srv/", "/other"))
    volumes = tuple(VolumeStatus(Volume(image)) for image in ("rw.img", "./rw.img", "/vms/web/rw.img", "b/rw.img"))
    stopped = MicroVM("web", "/vms/web", State(StateWord.STOPPED, None, ""), shares=shares, volumes=volumes)
    for path, at_volumes, at_shares in (
        (beside, [1, 1, 1, 0], [0, 0, 0]),
        ("/srv/.mvtui/overlay/20260801T120000Z.dir", [0, 0, 0, 0], [1, 1, 0]),
    ):
        microvm = stopped._replace(kept=(KeptOverlay("x", path, EPOCH, 2 << 30, 300 << 20),))
        shown: Any = show_document(Snapshot("hv01", "/vms", "systemd", (microvm,)), microvm)
        assert [len(each["kept"]) for each in shown["volumes"]] == at_volumes
        assert [len(each["kept"]) for each in shown["shares"]] == at_shares
        kept = next(each["kept"][0] for each in (*shown["volumes"], *shown["shares"]) if each["kept"])
        assert kept == {"path": path, "size": 2 << 30, "allocated": 300 << 20, "setAside": "2026-08-01T12:00:00Z"}

"""Z plans, asks with what speaks for and against it, and grows; the Volumes tab tells where that helps."""

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.model.finding import Finding, Severity
from mvtui.model.growth import GrowWay
from mvtui.model.overlay import Check
from mvtui.operations.overlay_outcome import ResetOutcome
from tests.ui.conftest import Open
from tests.ui.growth_samples import GROWABLE, growable, growth_of
from tests.ui.samples import PRODUCT, WEB, snapshot

HOST = snapshot(GROWABLE)


async def test_the_tab_tells_the_key(open_panel: Open) -> None:
    async with open_panel(HOST, size=(120, 36)) as panel:
        await panel.press("3")
        assert "size     8.0G as its definition file says: no effect on an image that exists" in panel.text
        assert "Z grows it" in panel.text


async def test_an_ext_is_grown(open_panel: Open) -> None:
    async with open_panel(HOST, size=(120, 36)) as panel:
        await panel.press("3", "j", "Z")
        assert "grow data.img of lab to 8.0G on hv01?" in panel.text
        assert "2.0G, as its definition file says" not in panel.text
        assert "8.0G, as its definition file says" in panel.text
        assert "✓ Checked e2fsck and resize2fs are there" in panel.text
        assert "g grows it, Esc leaves" in panel.text
        panel.host.passes(seconds=1)
        await panel.press("m")  # there is nothing to mount
        assert panel.host.grown == []
        await panel.press("g")
        assert panel.host.grown == [("lab", "data.img", GrowWay.RESIZE)]
        panel.host.steps["lab"]("Growing its file system: resize2fs.")
        await panel.pilot.pause()
        assert "growing a volume of lab 0s  Growing its file system: resize2fs." in panel.text
        await panel.press("Z")
        assert "grow is under way, wait for its end" in panel.text
        panel.host.finish_growth(ResetOutcome("lab", "grow", True, "lab: data.img has 8.0G now, and its ext4 8.0G"))
        await panel.pilot.pause()
        assert "lab: data.img has 8.0G now, and its ext4 8.0G" in panel.text


async def test_an_xfs_is_left_to_the_guest_or_mounted(open_panel: Open) -> None:
    for key, way in (("g", GrowWay.GUEST), ("m", GrowWay.MOUNT)):
        async with open_panel(HOST, size=(120, 36)) as panel:
            await panel.press("3", "j", "j", "Z")
            assert "until somebody runs in the guest: xfs_growfs /var/log" in panel.text
            assert (
                "× With m  The kernel of this host, and its udev, then read a file system that the guest" in panel.text
            )
            assert "g grows the file alone, m mounts it here and grows it, Esc leaves" in panel.text
            panel.host.passes(seconds=1)
            await panel.press(key)
            assert panel.host.grown == [("lab", "logs.img", way)]


async def test_only_a_mount_is_left_and_has_its_own_key(open_panel: Open) -> None:
    """The file is large enough already: what is left is what only a kernel can do."""
    *others, logs = GROWABLE.volumes
    assert logs.image is not None
    half = logs._replace(image=logs.image._replace(size=4 << 30))
    async with open_panel(snapshot(GROWABLE._replace(volumes=(*others, half))), size=(120, 36)) as panel:
        await panel.press("3", "j", "j", "Z")
        assert "m mounts it here and grows it, Esc leaves" in panel.text
        assert "Risk" in panel.text
        panel.host.passes(seconds=1)
        await panel.press("g")
        assert panel.host.grown == []
        await panel.press("m")
        assert panel.host.grown == [("lab", "logs.img", GrowWay.MOUNT)]


async def test_an_overlay_can_be_reset_instead(open_panel: Open) -> None:
    overlay = GROWABLE.volumes[0].volume
    assert GROWABLE.defined is not None
    larger = GROWABLE.defined._replace(volumes=(overlay._replace(size=4096), *GROWABLE.defined.volumes))
    async with open_panel(snapshot(GROWABLE._replace(defined=larger)), size=(120, 36)) as panel:
        await panel.press("3", "Z")
        assert "mvtui reset lab makes an empty one of the built size" in panel.text
        panel.host.passes(seconds=1)
        await panel.press("o")
        assert "reset the overlay of lab on hv01?" in panel.text
        assert panel.host.grown == []


async def test_one_that_runs_is_refused_with_what_mends_it(open_panel: Open) -> None:
    async with open_panel(snapshot(growable(WEB)), size=(120, 36)) as panel:
        await panel.press("3", "Z")
        assert "grow data.img of web to 8.0G on hv01? Not now" in panel.text
        assert "× Refused its units are stopped" in panel.text
        assert "mvtui stop web" in panel.text
        panel.host.passes(seconds=1)
        await panel.press("g", "m")
        assert panel.host.grown == []


async def test_from_elsewhere_it_means_the_one_that_needs_it(open_panel: Open) -> None:
    *others, logs = GROWABLE.volumes
    assert GROWABLE.defined is not None
    assert logs.image is not None
    one = GROWABLE._replace(volumes=(*others, logs._replace(image=logs.image._replace(size=4 << 30, fs_size=4 << 30))))
    async with open_panel(snapshot(one), size=(120, 36)) as panel:
        await panel.press("Z")
        assert "grow data.img of lab to 8.0G on hv01?" in panel.text
    async with open_panel(HOST, size=(120, 36)) as panel:
        await panel.press("Z")
        assert "choose a volume, then Z once more" in panel.text
        assert "logs.img" in panel.text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (MvtuiError("lab has no volume data.img", "it has none"), "lab has no volume data.img"),
        (
            growth_of(GROWABLE, "data.img")._replace(nothing="data.img has 8.0G already"),
            "lab: data.img has 8.0G already",
        ),
    ],
)
async def test_what_can_t_be_asked_is_said(open_panel: Open, found: object, said: str) -> None:
    async with open_panel(HOST, size=(120, 36)) as panel:
        panel.host.growths["lab data.img"] = found  # type: ignore[assignment]
        await panel.press("3", "j", "Z")
        assert said in panel.text
        assert not panel.app.panel.asks


async def test_without_the_rights_sudo_is_offered(open_panel: Open) -> None:
    unseen = growth_of(GROWABLE, "data.img")._replace(
        rights_missing=True, checks=(Check("it can be looked at", False, "lab belongs to another user"),)
    )
    async with open_panel(HOST, size=(120, 36)) as panel:
        panel.host.growths["lab data.img"] = unseen
        await panel.press("3", "j", "Z")
        assert "grow data.img of lab to 8.0G on hv01 with sudo?" in panel.text
        assert "× it can be looked at: lab belongs to another user" in panel.text


async def test_a_refusal_for_want_of_rights_offers_sudo_afterwards(open_panel: Open) -> None:
    async with open_panel(HOST, size=(120, 36)) as panel:
        await panel.press("3", "j", "Z")
        panel.host.passes(seconds=1)
        await panel.press("g")
        panel.host.finish_growth(RightsMissingError("to mount an image takes root", "root can do that"))
        await panel.pilot.pause()
        assert "with sudo?" in panel.text


async def test_read_only_refuses(open_panel: Open) -> None:
    async with open_panel(HOST, read_only=True) as panel:
        await panel.press("3", "j", "Z")
        assert "read-only" in panel.text
        assert not panel.app.panel.asks


async def test_one_without_volumes_says_so(open_panel: Open) -> None:
    bare = next(one for one in PRODUCT.microvms if not one.volumes)
    async with open_panel(snapshot(bare), size=(120, 36)) as panel:
        await panel.press("Z")
        assert f"{bare.name} has no volumes" in panel.text


async def test_the_why_line_has_the_key(open_panel: Open) -> None:
    finding = Finding(Severity.WARNING, "volume data.img", "≠ size", "Volume data.img has 2.0G, its size says 8.0G.")
    one = GROWABLE._replace(findings=(finding,))
    async with open_panel(snapshot(one), size=(120, 36)) as panel:
        assert "Z grow a volume" in panel.text

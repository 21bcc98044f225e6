"""What goes wrong on real hosts with images: each row is a host in that state, and has exactly that finding."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mvtui.model.finding import Severity
from tests.host.ext_images import use_blocks
from tests.host.living import need_root
from tests.operations.sick_host import SIZE, SickHost, fill, long_ago


@pytest.fixture(autouse=True)
def room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine of the tests has."""
    fill(monkeypatch, 0.5)


# Row 3: the overlay and the system


async def test_an_overlay_of_an_older_system(sick: SickHost) -> None:
    directory = sick.add()
    sick.mkfs(directory / "rw.img", made=long_ago())
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert (finding.note, finding.severity) == ("ov stale", Severity.WARNING)
    assert finding.since is not None
    assert finding.since > datetime.now(UTC) - timedelta(hours=1)


async def test_an_older_volume_of_data_is_fine(sick: SickHost) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", made=long_ago(), label="data")
    assert await sick.notes() == {}


async def test_a_link_that_the_boot_made_anew_makes_no_overlay_stale(sick: SickHost) -> None:
    directory = sick.add()
    (directory / "toplevel").symlink_to("/")
    soon = datetime.now(UTC).timestamp() + 3600
    os.utime(directory / "current", (soon, soon), follow_symlinks=False)
    assert await sick.notes() == {}


# Row 9: full


@pytest.mark.parametrize(("image", "note"), [("rw.img", "ov full"), ("data.img", "vol full")])
async def test_a_full_file_system(sick: SickHost, image: str, note: str) -> None:
    directory = sick.add()
    use_blocks(directory / image, 1)
    assert await sick.notes() == {"web": [note]}


async def test_an_overlay_that_was_written_to_its_end_while_it_is_mounted(sick: SickHost) -> None:
    directory = sick.add()
    sick.run()
    with (directory / "rw.img").open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, SIZE << 20)
    assert await sick.notes() == {"web": ["ov full"]}


async def test_the_hosts_disk_is_full(sick: SickHost, monkeypatch: pytest.MonkeyPatch) -> None:
    sick.add()
    fill(monkeypatch, 0.97)
    assert await sick.notes() == {"web": ["disk 97%"]}


# Row 10, 11, 12: images that are not as their definition says


@pytest.mark.parametrize("size", [32, 96])
async def test_a_size_without_effect(sick: SickHost, size: int) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", label="data", size=size)
    assert await sick.notes() == {"web": ["≠ size"]}


async def test_a_file_system_that_did_not_grow_with_its_image(sick: SickHost) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", label="data", size=32)
    os.truncate(directory / "data.img", 64 << 20)
    assert await sick.notes() == {"web": ["≠ size"]}


async def test_an_image_that_was_grown_before_the_rebuild(sick: SickHost, tmp_path: Path) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", label="data", size=96)
    sick.host.definitions = tmp_path
    (tmp_path / "web.toml").write_text('[[volumes]]\nimage = "data.img"\nmountPoint = "/data"\nsize = 96\n')
    assert "≠ size" not in (await sick.notes())["web"]


async def test_an_image_that_was_removed_under_its_guest(sick: SickHost) -> None:
    """Before the first start there is none; while it runs, what is in it goes with its hypervisor."""
    directory = sick.add(images=False)
    assert await sick.notes() == {}
    for volume in sick.definition().volumes:
        sick.mkfs(directory / volume.image, label=volume.label)
    sick.run()
    assert await sick.notes() == {}
    (directory / "data.img").rename(directory / "data.old")
    assert await sick.notes() == {"web": ["no image"]}
    sick.processes.living.clear()
    sick.units.units.clear()
    assert await sick.notes() == {}


async def test_an_image_that_was_cut_off(sick: SickHost) -> None:
    directory = sick.add()
    os.truncate(directory / "data.img", 40 << 20)
    assert await sick.notes() == {"web": ["vol cut off"]}


@pytest.mark.parametrize(("image", "note"), [("rw.img", "ov blank"), ("data.img", "vol blank")])
async def test_a_blank_image(sick: SickHost, image: str, note: str) -> None:
    directory = sick.add()
    (directory / image).write_bytes(b"")
    os.truncate(directory / image, 64 << 20)
    assert await sick.notes() == {"web": [note]}


@pytest.mark.parametrize(
    ("label", "on_disk", "why"),
    [
        ("data", "other", "A label is only"),
        ("data", None, "A label is only"),
        ("a-label-of-19-bytes", "a-label-of-19-by", "cut"),
    ],
)
async def test_a_wrong_label(sick: SickHost, label: str, on_disk: str | None, why: str) -> None:
    definition = sick.definition()
    wanted = definition.volumes[1]._replace(label=label)
    directory = sick.add(definition=definition._replace(volumes=(definition.volumes[0], wanted)))
    sick.mkfs(directory / "data.img", label=on_disk)
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert finding.note == "vol label"
    assert why in finding.why


async def test_another_file_system_than_the_guest_mounts(sick: SickHost) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", "vfat", label="data")
    assert await sick.notes() == {"web": ["vol fs type"]}


async def test_an_image_that_nobody_makes_is_missing(sick: SickHost) -> None:
    definition = sick.definition()
    by_hand = definition.volumes[1]._replace(auto_create=False, label=None)
    directory = sick.add(definition=definition._replace(volumes=(definition.volumes[0], by_hand)))
    (directory / "data.img").unlink()
    assert await sick.notes() == {"web": ["no image"]}


# Row 13: one image, two users


async def test_an_image_of_two_microvms(sick: SickHost) -> None:
    directory = sick.add()
    definition = sick.definition()
    same = definition.volumes[1]._replace(image=str(directory / "data.img"))
    sick.add("git", definition._replace(volumes=(definition.volumes[0], same)))
    assert await sick.notes() == {"web": ["image twice"], "git": ["image twice"]}


async def test_an_image_that_both_only_read_may_be_of_two(sick: SickHost) -> None:
    definition = sick.definition()
    read = definition.volumes[1]._replace(image=str(sick.folder / "data.img"), read_only=True)
    definition = definition._replace(volumes=(definition.volumes[0], read))
    sick.add(definition=definition)
    sick.add("git", definition)
    assert await sick.notes() == {}


async def test_an_image_that_a_stranger_has_locked(sick: SickHost) -> None:
    need_root("to see who has it")
    directory = sick.add()
    with sick.locked(directory / "data.img") as pid:
        (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert finding.note == "image used"
    assert f"(pid {pid})" in finding.what


@pytest.mark.parametrize("name", ["a;id", "$(id)"])
async def test_a_command_that_mends_it_takes_any_name(sick: SickHost, name: str) -> None:
    """Whoever owns the state directory names what is in it, and a person may copy the command."""
    directory = sick.add(name)
    sick.mkfs(directory / "rw.img", made=long_ago())
    (microvm,) = (await sick.look()).microvms
    assert f"reset its overlay: mvtui reset '{name}'" in [finding.fix for finding in microvm.findings]


async def test_a_command_takes_any_name_of_an_image_and_any_label(sick: SickHost) -> None:
    """As above: of a microVM that is built from a flake of its own, its owner names these too."""
    definition = sick.definition()
    evil = [
        definition.volumes[1]._replace(image=f"{at};id.img", label=f"$(id {at})", mount_point=f"/{at}") for at in "ab"
    ]
    evil[1] = evil[1]._replace(auto_create=False, label=None)
    directory = sick.add(definition=definition._replace(volumes=(definition.volumes[0], *evil)), images=False)
    sick.mkfs(directory / "a;id.img", label="other")
    (directory / "b;id.img").write_bytes(b"")
    os.truncate(directory / "b;id.img", SIZE << 20)
    (web,) = (await sick.look()).microvms
    fixes = {finding.note: finding.fix for finding in web.findings}
    assert fixes["vol label"] == f"stopped: e2label '{directory}/a;id.img' '$(id a)'"
    assert fixes["vol blank"] == f"mkfs.ext4 '{directory}/b;id.img'"

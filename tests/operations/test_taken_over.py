"""What a look takes over from the last one, and what makes it look anew."""

import asyncio
import threading
from pathlib import Path

import pytest

from mvtui.host.images import read_image
from mvtui.host.ports import Host
from mvtui.model.microvm import ImageFacts, MicroVM
from mvtui.model.state import StateWord
from mvtui.operations.history import LOOP_SECONDS
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.operations.sample import build_web, processes_of, run_web, units_of


@pytest.fixture
def web(tmp_path: Path) -> Host:
    host = build_web(tmp_path)
    run_web(host)
    return host


async def look(host: Host, kept: Kept) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    return microvm


async def test_a_microvm_of_which_nothing_changed_is_the_same(web: Host) -> None:
    kept = Kept(web, inline=False)
    first = await look(web, kept)
    assert await look(web, kept) is first


async def test_numbers_are_new_and_what_was_booted_is_the_same(web: Host) -> None:
    kept = Kept(web)
    first = await look(web, kept)
    living = processes_of(web).living
    living[100] = living[100]._replace(cpu_percent=7.0)
    second = await look(web, kept)
    assert second.hypervisor is living[100]
    assert second.booted is first.booted


async def test_a_hypervisor_with_another_command_line_booted_something_else(web: Host) -> None:
    kept = Kept(web)
    await look(web, kept)
    living = processes_of(web).living
    argv = tuple("1024M" if word == "512M" else word for word in living[100].argv)
    living[100] = living[100]._replace(argv=argv)
    booted = (await look(web, kept)).booted
    assert booted is not None
    assert booted.mem == 1024


async def test_another_runner_behind_booted_fills_in_other_things(web: Host) -> None:
    kept = Kept(web)
    await look(web, kept)
    (web.state_dir / "web" / "booted").unlink()
    booted = (await look(web, kept)).booted
    assert booted is not None
    assert booted.shares[0].mount_point is None


async def test_a_unit_that_changed_is_seen(web: Host) -> None:
    kept = Kept(web)
    await look(web, kept)
    units = units_of(web).units
    units["microvm@web.service"] = units["microvm@web.service"]._replace(active_state="deactivating")
    assert (await look(web, kept)).state.word is StateWord.STOPPING


async def test_facts_that_were_read_anew_are_taken_in_and_asked_for_again(web: Host) -> None:
    kept = Kept(web, inline=False)
    await look(web, kept)
    image = web.state_dir / "web" / "nix-store-overlay.img"
    for size in (1 << 20, 2 << 20, 3 << 20):
        image.touch()
        with image.open("r+b") as file:
            file.truncate(size)
        kept.renew()
        facts = (await look(web, kept)).volumes[0].image
        assert facts is not None
        assert facts.size == size
        assert not kept.missing


@pytest.mark.parametrize("again", [False, True])
async def test_a_look_while_facts_are_read_asks_for_them_and_the_next_has_them(
    web: Host, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    kept = Kept(web, inline=False)
    await look(web, kept)
    reading, go_on = threading.Event(), threading.Event()

    def read_slowly(directory: str, image: str, root: Path) -> ImageFacts:
        reading.set()
        assert go_on.wait(20)
        return read_image(directory, image, root)

    monkeypatch.setattr("mvtui.operations.slow_facts.read_image", read_slowly)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(kept.renew))
        await asyncio.to_thread(reading.wait, 20)
        assert (await look(web, kept)).volumes[0].image is None
        go_on.set()
    if again:
        kept.renew()
    assert (await look(web, kept)).volumes[0].image is not None


@pytest.mark.parametrize("link", ["current", "booted"])
async def test_a_runner_that_could_not_be_read_is_tried_again(web: Host, link: str) -> None:
    runner = (web.state_dir / "web" / link).readlink()
    other = runner.with_name("2-runner")
    other.mkdir()
    (web.state_dir / "web" / link).unlink()
    (web.state_dir / "web" / link).symlink_to(other)
    kept = Kept(web)
    before = await look(web, kept)
    for name in ("bin", "share"):
        (other / name).symlink_to(runner / name)
    after = await look(web, kept)
    assert before.entry == after.entry
    assert before.booted is not None
    assert after.booted is not None
    if link == "booted":
        assert (before.booted.shares[0].mount_point, after.booted.shares[0].mount_point) == (None, "/nix/.ro-store")
    else:
        assert before.built is not None
        assert after.built is not None
        assert (before.built.definition is None, after.built.definition is None) == (True, False)


async def test_a_runner_outside_the_store_that_was_written_is_read_again(web: Host) -> None:
    script = (web.state_dir / "web" / "current").readlink() / "bin/microvm-run"
    kept = Kept(web)
    before = await look(web, kept)
    text = script.read_text().replace("-m 512M", "-m 640M")
    script.unlink()
    script.write_text(text)
    after = await look(web, kept)
    assert before.entry == after.entry
    assert [one.built and one.built.definition and one.built.definition.mem for one in (before, after)] == [512, 640]


async def test_a_loop_is_over_though_nothing_changed_but_the_time(web: Host) -> None:
    kept = Kept(web)
    now = 0.0
    kept.history.monotonic = lambda: now
    units = units_of(web).units
    for restarts in (1, 2, 3):
        units["microvm@web.service"] = units["microvm@web.service"]._replace(n_restarts=restarts)
        now += 1
        microvm = await look(web, kept)
    assert microvm.state.word is StateWord.LOOPING
    now += LOOP_SECONDS
    assert (await look(web, kept)).state.word is StateWord.RUNNING


async def test_what_is_gone_is_forgotten(web: Host) -> None:
    kept = Kept(web)
    await look(web, kept)
    processes_of(web).living.clear()
    units_of(web).units.clear()
    (web.state_dir / "web").rename(web.state_dir.parent / "away")
    assert (await take_snapshot(web, kept)).microvms == ()
    assert kept.made == {}

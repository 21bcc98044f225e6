"""The same findings, in the same words: list --closer, show, check, list --watch and the panel's own look."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from mvtui.cli.report import finding_document
from mvtui.cli.run import run
from mvtui.model.microvm import Snapshot
from mvtui.operations.monitor import snapshots
from mvtui.operations.watching import watch
from tests.cli.test_check import FINE
from tests.fakes import unit
from tests.operations.sick_host import SIZE, SickHost, fill, long_ago, sick_host

SOON = 20.0
# By microVM: its state, its findings.
Found = dict[str, tuple[str, list[Any]]]


@pytest.fixture
def sick(monkeypatch: pytest.MonkeyPatch) -> Iterator[SickHost]:
    fill(monkeypatch, 0.5)
    with sick_host("direct") as host:
        host.give(host.home)
        monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: host.host)
        monkeypatch.setattr("mvtui.operations.doctor.look_at_host", lambda _: FINE)
        host.add()
        yield host


def healthy(sick: SickHost) -> None:
    sick.run()


def daemons_died(sick: SickHost) -> None:
    sick.run()
    sick.kill_daemons()


def daemon_serves_nobody(sick: SickHost) -> None:
    sick.run()
    sick.daemon(connected_sockets=frozenset())


def files(sick: SickHost) -> None:
    sick.run()
    sick.daemon(open_files=990)


def emergency(sick: SickHost) -> None:
    sick.run()
    name = "microvm@web.service"
    sick.units.units[name] = sick.units.units[name]._replace(log_start=0)
    (sick.states / "web" / "microvm.log").write_text("[FAILED] Failed to mount /docs.\nYou are in emergency mode.\n")


def several_images(sick: SickHost) -> None:
    directory = sick.states / "web"
    sick.mkfs(directory / "data.img", label="other", size=SIZE // 2)
    (directory / "rw.img").unlink()
    (directory / "rw.img").write_bytes(b"\0" * (1 << 20))


def old_overlay(sick: SickHost) -> None:
    sick.mkfs(sick.states / "web" / "rw.img", made=long_ago())


def one_image_twice(sick: SickHost) -> None:
    sick.add("git", images=False)
    for image in ("rw.img", "data.img"):
        (sick.states / "git" / image).hardlink_to(sick.states / "web" / image)


def another_definition(sick: SickHost) -> None:
    sick.run()
    sick.built("web", sick.definition()._replace(mem=1024))


def source_is_gone(sick: SickHost) -> None:
    sick.run()
    sick.home.rmdir()


def unit_without_a_directory(sick: SickHost) -> None:
    sick.units.units["microvm@gone.service"] = unit("microvm@gone.service", "failed", "failed")


def given_up(sick: SickHost) -> None:
    sick.units.units["microvm@web.service"] = unit("microvm@web.service", "inactive", "dead")
    sick.units.units["microvm-virtiofsd@web.service"] = unit("microvm-virtiofsd@web.service", "failed", "failed")
    (sick.states / "web" / "virtiofsd.log").write_text(
        "[2026-08-01T12:00:01Z ERROR virtiofsd] home: Error creating sandbox: Permission denied\n"
        "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-home entered FATAL state, too many start retries\n"
    )


SICK = (
    healthy,
    daemons_died,
    daemon_serves_nobody,
    files,
    emergency,
    several_images,
    old_overlay,
    one_image_twice,
    another_definition,
    source_is_gone,
    unit_without_a_directory,
    given_up,
)


@pytest.mark.parametrize("make", SICK, ids=[each.__name__ for each in SICK])
def test_all_say_the_same(sick: SickHost, capsys: pytest.CaptureFixture[str], make: Callable[[SickHost], None]) -> None:
    make(sick)
    listed = {one["name"]: (one["state"], one["findings"]) for one in said(capsys, "list", "--closer")["microvms"]}
    checked = {one["name"]: (one["state"], one["findings"]) for one in said(capsys, "check")["microvms"]}
    shown = {name: said(capsys, "show", name) for name in listed}
    assert bool(any(found for _, found in listed.values())) is (make is not healthy)
    assert checked == listed
    assert {name: (one["state"], one["findings"]) for name, one in shown.items()} == listed
    assert asyncio.run(watched(sick, listed)) == listed


def test_list_with_cpu_looks_closely_too(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    emergency(sick)
    assert run(["list", "--closer", "--cpu", "web"]) == 0
    closely = capsys.readouterr().out
    assert "degraded" in closely
    assert "emergency" in closely
    assert run(["list", "web"]) == 0
    assert "running" in capsys.readouterr().out


def test_what_a_fast_list_cant_know_is_null(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    emergency(sick)
    (fast,) = said(capsys, "list")["microvms"]
    assert (fast["state"], fast["guest"], fast["drift"]) == ("running", None, None)
    (closer,) = said(capsys, "list", "--closer")["microvms"]
    assert (closer["state"], closer["guest"]["stage"], closer["drift"]) == ("degraded", "emergency mode", [])


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    run([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def found(snapshot: Snapshot) -> Found:
    return {one.name: (str(one.state.word), list(map(finding_document, one.findings))) for one in snapshot.microvms}


async def watched(sick: SickHost, wanted: Found) -> Found:
    await panel_comes_to(sick, wanted)
    async with aclosing(watch(sick.host, record=False)) as looks:
        first = (await asyncio.wait_for(anext(looks), SOON)).first
    assert first is not None
    return found(first)


async def panel_comes_to(sick: SickHost, wanted: Found) -> None:
    """Once its slow lane and its guests were there."""
    seen: Found = {}
    try:
        async with asyncio.timeout(SOON), aclosing(snapshots(sick.host, interval=0.05)) as looks:
            async for snapshot in looks:
                seen = found(snapshot)
                if seen == wanted:
                    return
    except TimeoutError:
        assert seen == wanted

"""Watching a host: what is there is told once, then what changes, and whether it answers."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.ports import Host
from mvtui.model.changes import Change, ChangeKind
from mvtui.model.microvm import Snapshot
from mvtui.model.state import StateWord
from mvtui.operations import watching
from mvtui.operations.watching import Told, watch
from tests.operations.sick_host import SickHost, sick_host

SOON = 20.0


@asynccontextmanager
async def watched(sick: SickHost, **how: object) -> AsyncIterator[AsyncGenerator[Told]]:
    async with aclosing(watch(sick.host, interval=0.05, **how)) as looks:  # type: ignore[arg-type]
        yield looks


async def told(looks: AsyncGenerator[Told]) -> Told:
    return await asyncio.wait_for(anext(looks), SOON)


def kinds(changes: tuple[Change, ...]) -> list[str]:
    return [str(one.kind) for one in changes]


async def test_what_is_there_from_the_beginning_does_not_come() -> None:
    with sick_host() as sick:
        directory = sick.add()
        sick.mkfs(directory / "data.img", label="data", size=32)
        sick.run()
        async with watched(sick, record=False) as looks:
            first = await told(looks)
            assert first.first is not None
            assert [one.note for one in first.first.microvms[0].findings] == ["≠ size"]
            assert first.changes == ()
            sick.kill_daemons()
            then = await told(looks)
            assert then.first is None
            assert kinds(then.changes) == ["state", "finding"]
            assert then.changes[0].was is StateWord.RUNNING


async def test_names_alone_are_told() -> None:
    with sick_host() as sick:
        for name in ("git", "web"):
            sick.add(name)
            sick.run(name)
        async with watched(sick, record=False, names={"git"}) as looks:
            first = await told(looks)
            assert first.first is not None
            assert len(first.first.microvms) == 2
            sick.kill_daemons()
            assert {one.microvm for one in (await told(looks)).changes} == {"git"}


async def test_a_manager_that_does_not_answer_is_told_once() -> None:
    with sick_host() as sick:
        sick.add()
        async with watched(sick, record=False) as looks:
            await told(looks)
            sick.units.error = MvtuiError("systemd does not answer: it reloads", "is it there?")
            silent = (await told(looks)).changes
            told_why = [(one.kind, one.why) for one in silent]
            assert told_why == [(ChangeKind.SILENT, "systemd does not answer. It reloads.")]
            sick.units.error = None
            assert kinds((await told(looks)).changes) == ["answers"]


async def test_a_state_directory_that_cant_be_read_has_lost_nothing() -> None:
    with sick_host() as sick:
        sick.add()
        async with watched(sick, record=False) as looks:
            await told(looks)
            sick.states.rename(sick.folder / "away")
            assert [one.microvm for one in (await told(looks)).changes] == [""]
            (sick.folder / "away").rename(sick.states)
            assert kinds((await told(looks)).changes) == ["mended"]


async def test_a_look_that_does_not_end_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("LATE_SECONDS", "FIRST_SECONDS", "_GRACE_SECONDS"):
        monkeypatch.setattr(watching, seconds, 0.05)
    with sick_host() as sick:
        sick.add()
        goes_on = threading.Event()
        goes_on.set()
        sample = sick.processes.sample

        def hang(*, slow: bool = False) -> object:
            assert goes_on.wait(SOON)
            return sample(slow=slow)

        monkeypatch.setattr(sick.processes, "sample", hang)
        async with watched(sick, record=False) as looks:
            goes_on.clear()
            silent = await told(looks)
            assert kinds(silent.changes) == ["silent"]
            assert silent.first is None
            goes_on.set()
            first = await told(looks)
            assert first.first is not None
            assert kinds(first.changes) == ["answers"]
        goes_on.set()


@pytest.mark.parametrize("record", [True, False])
async def test_findings_are_put_on_record_unless_nothing_may_be_written(
    monkeypatch: pytest.MonkeyPatch, record: bool
) -> None:
    seen: list[Snapshot] = []

    async def spy(_: Host, looks: AsyncGenerator[Snapshot]) -> AsyncGenerator[Snapshot]:
        async for snapshot in looks:
            seen.append(snapshot)
            yield snapshot

    monkeypatch.setattr(watching, "recorded", spy)
    with sick_host() as sick:
        sick.add()
        async with watched(sick, record=record) as looks:
            first = await told(looks)
    assert seen == ([first.first] if record else [])

"""Who is asked, when, and what a look has of it; the sockets and the logs are real."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.host.ports import Host
from mvtui.model.guest import GuestStage, GuestStatus
from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.unit import Job
from mvtui.operations.closer import look_closer
from mvtui.operations.guests import Guests
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.host.guest import peers
from tests.host.guest.peers import Peer, peer
from tests.operations.sample import build_web, processes_of, run_web, units_of

KERNEL = b"[    0.000000] Linux version 6.12\n"
UP = b"[  OK  ] Reached target Multi-User System.\n"
EMERGENCY = b"[FAILED] Failed to mount /docs.\nYou are in emergency mode.\n"
UNIT = "microvm@web.service"


@pytest.fixture
def web(tmp_path: Path) -> Host:
    """`web` runs under a keeper; its hypervisor is this process."""
    host = build_web(tmp_path)
    (host.state_dir / "web" / "nix-store-overlay.img").touch()
    run_web(host)
    units_of(host).manager = "direct"
    units_of(host).units[UNIT] = units_of(host).units[UNIT]._replace(log_start=0)
    living = processes_of(host).living
    living[os.getpid()] = living.pop(100)._replace(pid=os.getpid())
    (host.state_dir / "web" / "microvm.log").write_bytes(KERNEL)
    return host


@pytest.fixture
def qemu(web: Host) -> Iterator[Peer]:
    with peer(web.state_dir / "web" / "web.sock", peers.qmp(peers.QEMU)) as one:
        yield one


def say(host: Host, content: bytes) -> None:
    with (host.state_dir / "web" / "microvm.log").open("ab") as log:
        log.write(content)


async def look(host: Host, kept: Kept) -> MicroVM:
    (microvm,) = (await take_snapshot(host, kept)).microvms
    return microvm


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def panel(host: Host) -> tuple[Kept, Clock]:
    """As the panel has it, with a clock that the test moves."""
    kept, clock = Kept(host, inline=False), Clock()
    kept.guests = Guests(host, clock)
    return kept, clock


def is_due(kept: Kept) -> bool:
    assert kept.guests is not None
    return kept.guests.due


def has_news(kept: Kept) -> bool:
    assert kept.guests is not None
    return kept.guests.has_news


def renew(kept: Kept) -> None:
    """In a thread, as the panel does it: this one has an event loop."""
    assert kept.guests is not None
    thread = threading.Thread(target=kept.guests.renew)
    thread.start()
    thread.join()


async def test_a_look_waits_for_nobody_and_the_next_one_has_what_was_told(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    first = await look(web, kept)
    assert (first.guest, qemu.clients) == (None, 0)
    assert first.state.word is StateWord.RUNNING
    assert "guest" not in first.state.why
    say(web, UP)
    renew(kept)
    second = await look(web, kept)
    assert second.guest is not None
    assert second.guest.report is not None
    assert second.guest.report.status == "running"
    assert [(share.name, share.connected) for share in second.guest.report.shares or ()] == [
        ("ro-store", True),
        ("fs2", False),  # there is no third share
    ]
    assert second.state.why.endswith("The guest has booted.")


async def test_a_guest_in_emergency_mode_is_degraded_and_named_first(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    say(web, EMERGENCY)
    renew(kept)
    microvm = await look(web, kept)
    assert microvm.state.word is StateWord.DEGRADED
    assert microvm.state.why == "The guest is in emergency mode: Failed to mount /docs."
    finding = next(one for one in microvm.findings if one.note == "emergency")
    assert finding.why == "Failed to mount /docs."
    assert finding.fix == 'mend share "docs" (docs), then restart web'


@pytest.mark.parametrize(
    ("status", "note"), [("paused", "paused"), ("io-error", "io-error"), ("internal-error", "internal-err")]
)
async def test_a_guest_that_stands_still_is_degraded(web: Host, status: str, note: str) -> None:
    answers = peers.QEMU | {"query-status": {"status": status}}
    kept, _ = panel(web)
    await look(web, kept)
    with peer(web.state_dir / "web" / "web.sock", peers.qmp(answers)):
        renew(kept)
    microvm = await look(web, kept)
    assert (microvm.state.word, microvm.state.why) == (
        StateWord.DEGRADED,
        f"Its hypervisor says that the guest is {status}.",
    )
    assert note in [finding.note for finding in microvm.findings]


async def test_who_does_not_answer_is_not_known_and_no_worse(web: Host) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    with peer(web.state_dir / "web" / "web.sock", peers.hanging) as bad:
        renew(kept)
        microvm = await look(web, kept)
        assert microvm.state.word is StateWord.RUNNING
        assert microvm.state.why.endswith("The guest has shown no login prompt yet.")
        assert microvm.guest is not None
        assert microvm.guest.report is None
        assert microvm.guest.unanswered == "its control socket serves another client, or does not answer"
        clock.now += 30
        renew(kept)
        assert bad.clients == 1, "it is not asked again so soon"


async def test_each_is_asked_now_and_then(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    say(web, UP)
    assert is_due(kept)
    renew(kept)
    assert not is_due(kept)
    renew(kept)
    assert qemu.clients == 1
    clock.now += 14
    assert not is_due(kept)
    clock.now += 1
    assert is_due(kept)
    renew(kept)
    assert qemu.clients == 2


async def test_who_has_just_started_is_given_time(web: Host, qemu: Peer) -> None:
    living = processes_of(web).living
    living[os.getpid()] = living[os.getpid()]._replace(started=datetime.now(UTC))
    kept, clock = panel(web)
    await look(web, kept)
    renew(kept)
    assert qemu.clients == 0
    clock.now += 3
    renew(kept)
    assert qemu.clients == 1


async def test_a_console_is_read_often_while_it_boots(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    renew(kept)
    clock.now += 1
    assert kept.guests is not None
    assert kept.guests.due
    say(web, EMERGENCY)
    renew(kept)
    assert qemu.clients == 1
    status = kept.guests.told("web")
    assert status is not None
    assert status.stage is GuestStage.EMERGENCY
    assert status.report is not None, "what it said before is kept"
    clock.now += 1
    assert not kept.guests.due


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"active_state": "deactivating", "sub_state": "stop-sigterm"}, id="stopping"),
        pytest.param({"job": Job(7, "stop", "waiting")}, id="a stop is queued"),
        pytest.param({"job": Job(7, "restart", "running")}, id="a restart"),
        pytest.param({"active_state": "activating"}, id="starting"),
    ],
)
async def test_who_stops_is_not_asked(web: Host, qemu: Peer, change: dict[str, object]) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    units_of(web).units[UNIT] = units_of(web).units[UNIT]._replace(**change)  # type: ignore[arg-type]
    await look(web, kept)
    assert kept.guests is not None
    assert not kept.guests.due
    renew(kept)
    assert qemu.clients == 0


async def test_a_hypervisor_without_its_unit_is_not_asked(web: Host, qemu: Peer) -> None:
    del units_of(web).units[UNIT]
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    assert qemu.clients == 0


async def test_another_run_knows_nothing_of_the_last(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    say(web, EMERGENCY)
    renew(kept)
    assert (await look(web, kept)).state.word is StateWord.DEGRADED
    living = processes_of(web).living
    hypervisor = living[os.getpid()]
    del living[os.getpid()]
    assert (await look(web, kept)).guest is None
    log_start = (web.state_dir / "web" / "microvm.log").stat().st_size
    units_of(web).units[UNIT] = units_of(web).units[UNIT]._replace(log_start=log_start)
    living[os.getpid()] = hypervisor._replace(started=hypervisor.started.replace(hour=13))
    again = await look(web, kept)
    assert (again.guest, again.state.word) == (None, StateWord.RUNNING)
    say(web, UP)
    renew(kept)
    again = await look(web, kept)
    assert again.state.word is StateWord.RUNNING
    assert again.guest is not None
    assert again.guest.stage is GuestStage.UP


async def test_a_microvm_that_is_gone_is_forgotten(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    assert kept.guests is not None
    assert isinstance(kept.guests.told("web"), GuestStatus)
    kept.guests.forget_all_but({"db"})
    assert kept.guests.told("web") is None
    assert not kept.guests.due


async def test_an_unchanged_guest_gives_an_equal_snapshot(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    say(web, UP)
    renew(kept)
    before = await look(web, kept)
    assert has_news(kept)
    clock.now += 60
    renew(kept)
    assert qemu.clients == 2
    assert not has_news(kept)
    assert await look(web, kept) == before


async def test_mvtui_list_asks_no_guest(web: Host, qemu: Peer) -> None:
    kept = Kept(web)
    listed = await look(web, kept)
    assert (listed.guest, kept.guests, qemu.clients) == (None, None, 0)


def test_a_closer_look_asks_the_guest_that_it_is_at(web: Host, qemu: Peer) -> None:
    say(web, UP)
    kept = Kept(web, inline=False)
    asyncio.run(take_snapshot(web, kept))
    assert look_closer(web, kept, ["another"]).microvms[0].guest is None
    assert qemu.clients == 0
    (shown,) = look_closer(web, kept, ["web"]).microvms
    assert shown.guest is not None
    assert (shown.guest.stage, qemu.clients) == (GuestStage.UP, 1)
    assert shown.guest.report is not None


async def test_what_a_first_question_finds_may_be_old_and_is_not_dated(web: Host, qemu: Peer) -> None:
    """A keeper's log has no times."""
    say(web, EMERGENCY)
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    microvm = await look(web, kept)
    assert (microvm.state.word, microvm.state.since) == (StateWord.DEGRADED, None)
    assert (await look(web, kept)).state.since is None


async def test_what_came_between_two_questions_is_dated_by_the_look(web: Host, qemu: Peer) -> None:
    kept, clock = panel(web)
    await look(web, kept)
    renew(kept)
    assert (await look(web, kept)).state.word is StateWord.RUNNING
    say(web, EMERGENCY)
    clock.now += 2
    renew(kept)
    microvm = await look(web, kept)
    assert microvm.state.word is StateWord.DEGRADED
    assert microvm.state.since is not None


@pytest.mark.parametrize(
    ("exe", "words"),
    [
        ("/bin/crosvm", "crosvm has nothing to ask for its state"),
    ],
)
async def test_who_can_not_be_asked_says_why(web: Host, exe: str, words: str) -> None:
    living = processes_of(web).living
    argv = ("microvm@web", "run", "-m", "512", "--initrd", "x", "kernel")
    living[os.getpid()] = living[os.getpid()]._replace(exe=exe, argv=argv)
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    microvm = await look(web, kept)
    assert microvm.guest is not None
    assert microvm.guest.unanswered == words


async def test_a_hypervisor_without_a_socket(web: Host) -> None:
    living = processes_of(web).living
    argv = tuple(word for word in living[os.getpid()].argv if not word.startswith("unix:") and word != "-qmp")
    living[os.getpid()] = living[os.getpid()]._replace(argv=argv)
    (web.state_dir / "web" / "booted").unlink()
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    microvm = await look(web, kept)
    assert microvm.guest is not None
    assert microvm.guest.unanswered == "it has no control socket"

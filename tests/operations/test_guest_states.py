"""What a guest tells, and the state and the findings that come of it."""

import os

import pytest

from mvtui.host.ports import Host
from mvtui.model.guest import GuestStage
from mvtui.model.state import StateWord
from tests.host.guest import peers
from tests.host.guest.peers import Peer, peer
from tests.operations.guest_host import EMERGENCY, UNIT, UP, look, panel, qemu, renew, say, web
from tests.operations.sample import processes_of, units_of

__all__ = ["qemu", "web"]


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
    assert finding.fix == 'mend share "docs" (docs), then mvtui restart web'


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


async def test_a_guest_whose_hypervisor_has_lost_a_share_is_degraded(web: Host) -> None:
    """Also for who may not see the sockets of others."""
    living = processes_of(web).living
    for pid, one in list(living.items()):
        living[pid] = one._replace(connected_sockets=None)
    kept, _ = panel(web)
    await look(web, kept)
    lost = peers.QEMU | {"query-chardev": [{"label": "fs0", "filename": "disconnected:unix:/x"}]}
    with peer(web.state_dir / "web" / "web.sock", peers.qmp(lost)):
        renew(kept)
    microvm = await look(web, kept)
    why = 'Share "ro-store" is down: its hypervisor has lost virtiofsd.'
    assert (microvm.state.word, microvm.state.why) == (StateWord.DEGRADED, why)
    assert "fsd ro-store" in [finding.note for finding in microvm.findings]


async def test_what_a_hypervisor_said_before_it_was_frozen_does_not_count(web: Host, qemu: Peer) -> None:
    kept, _ = panel(web)
    await look(web, kept)
    renew(kept)
    living, pid = processes_of(web).living, os.getpid()
    living[pid] = living[pid]._replace(frozen=True)
    frozen = await look(web, kept)
    assert frozen.guest is not None
    assert (frozen.guest.report, frozen.guest.unanswered) == (None, "it is frozen by a signal")
    renew(kept)
    assert qemu.clients == 1, "it is not asked"
    living[pid] = living[pid]._replace(frozen=False)
    await look(web, kept)
    renew(kept)
    again = await look(web, kept)
    assert again.guest is not None
    assert again.guest.report is not None


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

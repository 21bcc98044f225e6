"""What goes wrong on real hosts: each row of the table is a host in that state, and has exactly that finding."""

import asyncio
import os
import shutil
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mvtui.host import field_looks, way
from mvtui.host.images import read_image
from mvtui.host.patience import Patience
from mvtui.host.sources import Sources
from mvtui.model.definition import Share, ShareProto
from mvtui.model.facts import SourceFacts
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import ImageFacts
from mvtui.operations import drift, slow_facts
from mvtui.operations.checks import CHECKS, LAST_CHECKS
from mvtui.operations.checks.closely import CLOSE_CHECKS
from mvtui.operations.checks.host import HOST_CHECKS
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from mvtui.operations.monitor import snapshots
from tests.fakes import unit
from tests.host.living import need_root
from tests.operations.sick_host import DAEMON_PID, HYPERVISOR_PID, SIZE, SickHost, fill, sick_host

EVERY = pytest.mark.parametrize("hypervisor", Hypervisor)
RUNS = pytest.mark.parametrize("runs", [False, True], ids=["stopped", "running"])


@pytest.fixture(autouse=True)
def room_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine of the tests has."""
    fill(monkeypatch, 0.5)


@EVERY
@RUNS
async def test_a_healthy_host_has_no_finding(sick: SickHost, hypervisor: Hypervisor, runs: bool) -> None:
    sick.add(definition=sick.definition(hypervisor))
    if runs:
        sick.run()
    assert await sick.notes() == {}


async def test_images_that_are_made_at_the_next_start_are_no_finding(sick: SickHost) -> None:
    sick.add(images=False)
    assert await sick.notes() == {}


# Row 1, 2: shares


async def test_a_daemon_is_dead_under_its_guest(sick: SickHost) -> None:
    sick.add()
    sick.run()
    sick.kill_daemons()
    assert await sick.notes() == {"web": ["fsd home"]}


async def test_a_daemon_lives_and_serves_nobody(sick: SickHost) -> None:
    sick.add()
    sick.run()
    sick.daemon(connected_sockets=frozenset())
    assert await sick.notes() == {"web": ["fsd home"]}


async def test_a_daemon_was_given_up() -> None:
    with sick_host("direct") as sick:
        sick.give(sick.home)
        directory = sick.add()
        sick.units.units["microvm@web.service"] = unit("microvm@web.service", "inactive", "dead")
        sick.units.units["microvm-virtiofsd@web.service"] = unit("microvm-virtiofsd@web.service", "failed", "failed")
        (directory / "virtiofsd.log").write_text(
            "2026-08-01 12:00:00,000 INFO supervisord started with pid 7\n"
            "[2026-08-01T12:00:01Z ERROR virtiofsd] home: Error creating sandbox: Permission denied\n"
            "2026-08-01 12:00:09,000 INFO gave up: virtiofsd-home entered FATAL state, too many start retries\n"
        )
        (web,) = (await sick.look()).microvms
    assert [finding.note for finding in web.findings] == ["fsd home"]
    assert "Error creating sandbox" in web.findings[0].why


async def test_a_daemon_is_frozen(sick: SickHost) -> None:
    sick.add()
    sick.run()
    sick.daemon(frozen=True)
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert (web.state.word, finding.note, finding.fix) == ("degraded", "fsd home", f"kill -CONT {DAEMON_PID + 10}")


# Row 4: a stop without end


async def test_a_hypervisor_is_frozen(sick: SickHost) -> None:
    sick.add()
    sick.run()
    pid = HYPERVISOR_PID + 1
    sick.processes.living[pid] = sick.processes.living[pid]._replace(frozen=True)
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert (web.state.word, finding.note, finding.fix) == ("degraded", "frozen", f"kill -CONT {pid}")


@pytest.mark.parametrize("hypervisor", [Hypervisor.QEMU, Hypervisor.KVMTOOL])
async def test_a_stop_that_takes_long(sick: SickHost, hypervisor: Hypervisor) -> None:
    sick.add(definition=sick.definition(hypervisor))
    sick.run()
    stopping = unit("microvm@web.service", "deactivating", "stop", datetime.now(UTC) - timedelta(seconds=40))
    sick.units.units["microvm@web.service"] = stopping
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert (finding.note, finding.since) == ("slow stop", stopping.since)
    assert ("no bin/microvm-shutdown" in finding.why) == (hypervisor is Hypervisor.KVMTOOL)


async def test_a_stop_that_has_just_begun_is_none(sick: SickHost) -> None:
    sick.add(definition=sick.definition(Hypervisor.KVMTOOL))
    sick.run()
    now = datetime.now(UTC)
    sick.units.units["microvm@web.service"] = unit("microvm@web.service", "deactivating", "stop", now)
    assert await sick.notes() == {}


# Row 5: what is built does not run


async def test_another_runner_runs(sick: SickHost) -> None:
    sick.add()
    sick.run()
    sick.built("web", sick.definition()._replace(mem=1024))
    assert await sick.notes() == {"web": ["≠ restart"]}


# Row 6: rights


async def test_an_image_that_is_another_users(sick: SickHost) -> None:
    need_root("another user's file")
    directory = sick.add()
    os.chown(directory / "data.img", 0, 0)
    (directory / "data.img").chmod(0o600)
    (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert (finding.note, finding.subject, finding.severity) == ("no access", "volume data.img", Severity.ERROR)


async def test_a_directory_above_a_source_that_may_not_be_entered(sick: SickHost) -> None:
    need_root("another user's directory")
    sick.add()
    (sick.folder / "srv").chmod(0o700)
    (web,) = (await sick.look()).microvms
    # virtiofsd is root: its share is served all the same.
    (finding,) = web.findings
    assert (finding.note, finding.subject) == ("no access", "share docs")
    assert finding.why == f"It may not enter {sick.folder}/srv."


# Row 7: open files


async def test_too_many_open_files(sick: SickHost) -> None:
    sick.add()
    sick.run()
    sick.daemon(open_files=991)
    assert await sick.notes() == {"web": ["files 99%"]}


# Row 8, 19: what a file system can't keep


@pytest.mark.parametrize(
    ("lacking", "on_share", "note"),
    [("system.posix_acl_access", False, "no ACL"), ("user.mvtui", True, "ov xattr"), ("user.mvtui", False, "")],
)
async def test_a_file_system_without_attributes(
    sick: SickHost, monkeypatch: pytest.MonkeyPatch, lacking: str, on_share: bool, note: str
) -> None:
    real = way.attribute
    monkeypatch.setattr(field_looks, "attribute", lambda fd, name: (None, False) if name == lacking else real(fd, name))
    definition = sick.definition()
    if on_share:
        upper = Share("upper", ShareProto.VIRTIOFS, str(sick.home), "/nix/.rw-store")
        definition = definition._replace(shares=(upper,), volumes=definition.volumes[1:])
    sick.add(definition=definition)
    assert await sick.notes() == ({"web": [note]} if note else {})


async def test_an_overlay_whose_daemon_hands_no_attributes_on(sick: SickHost) -> None:
    definition = sick.definition()
    upper = Share("upper", ShareProto.VIRTIOFS, str(sick.home), "/nix/.rw-store", posix_acl=False)
    sick.add(definition=definition._replace(shares=(upper,), volumes=definition.volumes[1:]))
    assert await sick.notes() == {"web": ["ov xattr"]}


async def test_an_overlay_on_9p(sick: SickHost) -> None:
    definition = sick.definition()
    upper = Share("upper", ShareProto.NINE_P, str(sick.docs), "/nix/.rw-store")
    sick.add(definition=definition._replace(shares=(upper,), volumes=definition.volumes[1:]))
    assert await sick.notes() == {"web": ["ov 9p"]}


# Row 9: full


@pytest.mark.parametrize(("part", "note"), [(0.955, "disk 95%"), (0.945, "")])
async def test_the_disk_under_a_share_is_full(
    sick: SickHost, monkeypatch: pytest.MonkeyPatch, part: float, note: str
) -> None:
    """With no volume that says the same."""
    sick.add(definition=sick.definition()._replace(volumes=(), writable_store_overlay=None))
    fill(monkeypatch, part)
    (web,) = (await sick.look()).microvms
    assert [finding.note for finding in web.findings] == ([note] if note else [])
    for finding in web.findings:
        assert (finding.subject, finding.severity) == ("disk", Severity.WARNING)
        assert finding.what == 'The host\'s disk under share "home" is 95% full.'
        assert finding.why.startswith(f"{sick.home} lies on /")


async def test_the_full_disk_under_a_share_that_nobody_writes_to(
    sick: SickHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = sick.definition()
    share = definition.shares[0]._replace(read_only=True)
    sick.add(definition=definition._replace(shares=(share,), volumes=(), writable_store_overlay=None))
    fill(monkeypatch, 0.99)
    assert await sick.notes() == {}


# Row 14: sources


@pytest.mark.parametrize("runs", [False, True])
async def test_a_source_is_missing(sick: SickHost, runs: bool) -> None:
    sick.add()
    if runs:
        sick.run()
    sick.home.rmdir()
    assert await sick.notes() == {"web": ["no source"]}


async def test_a_source_that_is_a_file(sick: SickHost) -> None:
    sick.add()
    sick.home.rmdir()
    sick.home.touch()
    assert await sick.notes() == {"web": ["no source"]}


async def test_a_source_that_does_not_answer_holds_up_nobody(sick: SickHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a mount of a server that is gone; of all else it is told as before."""
    answers = threading.Event()
    read = Sources.read

    def hang(self: Sources, path: str) -> SourceFacts:
        if path == str(sick.home):
            answers.wait(60)
        return read(self, path)

    monkeypatch.setattr(Sources, "read", hang)
    monkeypatch.setattr("mvtui.operations.slow_facts.Patience", lambda: Patience(1.0))
    directory = sick.add()
    sick.mkfs(directory / "data.img", label="other")
    git = sick.definition()
    sick.add("git", git._replace(shares=(git.shares[1]._replace(source=str(sick.folder / "gone")),)))
    notes = await sick.notes()
    answers.set()
    assert notes == {"web": ["vol label", "source ?"], "git": ["no source"]}


async def test_what_is_in_the_way_of_a_source(sick: SickHost) -> None:
    """Moved away alone, it would leave nothing for the restart to serve; and no mount is to blame for a link."""
    sick.add()
    sick.run()
    sick.home.rmdir()
    sick.home.write_text("")
    (web,) = (await sick.look()).microvms
    assert [one.fix for one in web.findings] == ["put a directory in its place, then mvtui restart web"]
    sick.home.unlink()
    sick.home.symlink_to(sick.home)
    (web,) = (await sick.look()).microvms
    assert [one.fix for one in web.findings] == ["make the link lead to the directory"]


@pytest.mark.parametrize(("source", "severity"), [("data", Severity.INFO), ("~/data", Severity.WARNING)])
async def test_a_source_that_is_not_absolute(sick: SickHost, source: str, severity: Severity) -> None:
    definition = sick.definition()
    share = definition.shares[0]._replace(source=source)
    directory = sick.add(definition=definition._replace(shares=(share,)))
    (directory / source).mkdir(parents=True)
    (web,) = (await sick.look()).microvms
    assert [(finding.note, finding.severity) for finding in web.findings] == [("rel source", severity)]


# Row 16: orphans


async def test_current_leads_nowhere(sick: SickHost) -> None:
    directory = sick.add()
    shutil.rmtree((directory / "current").readlink())
    assert await sick.notes() == {"web": ["no current"]}


async def test_a_unit_without_a_directory(sick: SickHost) -> None:
    directory = sick.add()
    sick.run()
    shutil.rmtree(directory)
    assert await sick.notes() == {"web": ["orphan"]}


# Row 17, 18: sockets


async def test_a_daemon_of_an_earlier_run(sick: SickHost) -> None:
    directory = sick.add()
    with sick.locked(directory / "web-virtiofs-home.sock.pid") as pid:
        (web,) = (await sick.look()).microvms
    (finding,) = web.findings
    assert finding.note == "fsd home"
    assert finding.fix == f"kill {pid}, then mvtui start web"


async def test_a_pid_file_that_nobody_has_locked_is_fine(sick: SickHost) -> None:
    directory = sick.add()
    (directory / "web-virtiofs-home.sock.pid").write_text("1\n")
    assert await sick.notes() == {}


async def test_the_path_of_a_socket_is_too_long(sick: SickHost) -> None:
    definition = sick.definition()
    share = definition.shares[0]._replace(socket="s" * 108)
    sick.add(definition=definition._replace(shares=(share,)))
    assert await sick.notes() == {"web": ["long path"]}


# In the list soon


async def test_what_is_found_quickly_is_in_the_next_pictures(sick: SickHost) -> None:
    """A source that goes, an image that is emptied: without any change of a unit, before the slow lane comes again."""
    directory = sick.add()

    def change() -> None:
        sick.home.rmdir()
        os.truncate(directory / "data.img", 0)
        os.truncate(directory / "data.img", SIZE << 20)

    notes: list[list[str]] = []
    async with asyncio.timeout(20):
        async for snapshot in snapshots(sick.host, interval=0.05):
            (web,) = snapshot.microvms
            now = [finding.note for finding in web.findings]
            if now == [] and web.closer is not None and not notes:
                notes.append(now)
                change()
            elif notes and now == ["no source", "vol blank"]:
                break
    assert notes == [[]]


async def test_what_others_take_of_the_processor_makes_the_quick_looks_no_rarer(
    sick: SickHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick.add()
    kept = Kept(sick.host, inline=False)
    await take_snapshot(sick.host, kept)
    kept.renew()

    def read_late(*place: Any) -> ImageFacts:
        time.sleep(0.3)
        return read_image(*place)

    monkeypatch.setattr(slow_facts, "read_image", read_late)
    began = time.monotonic()
    kept.renew_quickly()
    assert time.monotonic() - began >= 0.3
    assert 0 < kept.quick_seconds < 0.2


async def test_why_it_fails_comes_with_the_next_pictures() -> None:
    with sick_host("direct") as sick:
        sick.give(sick.home)
        directory = sick.add()
        whys: list[str] = []
        async with asyncio.timeout(20):
            async for snapshot in snapshots(sick.host, interval=0.05):
                (web,) = snapshot.microvms
                whys = [finding.why for finding in web.findings]
                if any(why.startswith("It said") for why in whys):
                    break
                if web.closer is not None:
                    (directory / "microvm.log").write_text("Could not open 'x.img'\n")
                    failed = unit("microvm@web.service", "failed", "failed")._replace(result="exit-code", exec_status=1)
                    sick.units.units["microvm@web.service"] = failed
    assert whys == ["It said last: \"Could not open 'x.img'\"."]


# What they have in common


@pytest.mark.parametrize(
    "check",
    [*CHECKS, *CLOSE_CHECKS, *LAST_CHECKS, *HOST_CHECKS, drift.another_definition, drift.another_runner],
    ids=lambda check: check.__name__,
)
def test_a_check_says_symptom_cause_how_it_is_seen_and_from_where_that_is(check: object) -> None:
    text = str(check.__doc__)
    assert 10 < text.index("Cause:") < text.index("Seen:") < text.index("Source:")

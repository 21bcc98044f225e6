"""A reset is planned, made, checked again right before it counts, and checked after; whatever comes in between, what is
asked of the files leaves the old or the new overlay, and all of it is on record."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import journal
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.definition import Definition, Volume
from mvtui.model.overlay import KeptOverlay, NewImage, OverlayKind, ToldBy
from mvtui.model.unit import Job, JobResult, UnitStatus, UnitVerb
from mvtui.operations import overlay, overlay_evidence
from tests.fakes import FakeProcesses, FakeUnits, process, unit
from tests.operations.overlay_worker import FACTS, KEPT, Workers, failing

RW = "/nix/.rw-store"
OVERLAY = Volume("rw.img", mount_point=RW, size=64, fs_type="ext4")
WEB = Definition(host_name="web", volumes=(OVERLAY,), writable_store_overlay=RW)
HYPERVISOR = "microvm@web.service"
QEMU = ("microvm@web", "-name", "web", "-drive", "id=vda,format=raw,file=rw.img,if=none")


@dataclass
class Units(FakeUnits):
    """`later` are what the units become after so many looks."""

    later: dict[int, UnitStatus] = field(default_factory=dict)
    looks: int = 0

    async def statuses(self) -> Mapping[str, UnitStatus]:
        self.looks += 1
        if self.looks in self.later:
            status = self.later[self.looks]
            self.units[status.name] = status
        return await FakeUnits.statuses(self)


def add(host: Host, name: str, definition: Definition) -> None:
    """A microVM that does not run."""
    runner = build_runner(definition, host.state_dir.parent / "store" / f"1-{name}", Tools(hypervisor="/bin/qemu"))
    directory = host.state_dir / name
    directory.mkdir(parents=True)
    (directory / "current").symlink_to(runner)


@pytest.fixture
def units() -> Units:
    return Units()


@pytest.fixture
def processes() -> FakeProcesses:
    return FakeProcesses()


@pytest.fixture
def host(tmp_path: Path, units: Units, processes: FakeProcesses) -> Host:
    made = Host(
        "hv01",
        units,
        processes,
        tmp_path / "microvms",
        definitions=tmp_path / "definitions",
        records=tmp_path / "records",
    )
    made.definitions.mkdir()
    add(made, "web", WEB)
    return made


@pytest.fixture
def journalled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    entries: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(journal, "record", lambda message, **fields: entries.append((message, fields)))
    return entries


def on_record(host: Host) -> list[tuple[str, str, bool]]:
    return [(change.microvm, change.action, change.ok) for change in read_changes(host.records)]


async def test_reset(host: Host, workers: Workers, journalled: list[tuple[str, dict[str, str]]]) -> None:
    said: list[str] = []
    outcome = await overlay.run_reset(host, "web", said.append)
    assert (outcome.ok, outcome.refused, outcome.nothing) == (True, False, False)
    assert outcome.words == "web: the overlay is reset, 30M are set aside"
    assert outcome.hint == "mvtui restore web brings it back"
    assert workers.worker.asked == ["look", "make", "look", "commit", "free", "close"]
    assert workers.worker.new == NewImage(64 << 20, "ext4", None, (), 994, 0o644)
    assert workers.worker.expected == FACTS.file_id
    assert said == [
        "Making the new one: mkfs.ext4.",
        "Checking again that nothing uses the old one.",
        "Giving it the name.",
    ]
    assert on_record(host) == [("web", "reset", True)]
    ((message, fields),) = journalled
    assert message == "reset web: web: the overlay is reset, 30M are set aside"
    assert (fields["MVTUI_COMMAND"], fields["MVTUI_MICROVM"], fields["MVTUI_OK"]) == ("reset", "web", "yes")
    assert float(fields["MVTUI_SECONDS"]) == pytest.approx(outcome.seconds, abs=0.001)
    (target,) = workers.targets
    assert (target.kind, target.path) == (OverlayKind.VOLUME, str(host.state_dir / "web" / "rw.img"))


async def test_what_is_refused_when_planned_is_never_begun(host: Host, workers: Workers, units: Units) -> None:
    units.units[HYPERVISOR] = unit(HYPERVISOR)
    outcome = await overlay.run_reset(host, "web")
    assert (outcome.ok, outcome.refused) == (False, True)
    assert outcome.words == f"web: no reset: {HYPERVISOR} is active"
    assert outcome.hint == "mvtui stop web"
    assert workers.worker.changes == []
    assert on_record(host) == [("web", "reset", False)]


STARTED = unit(HYPERVISOR)
QUEUED = unit(HYPERVISOR, "inactive", "dead")._replace(job=Job(7, "start"))
RESTARTING = unit(HYPERVISOR, "activating", "auto-restart")


@pytest.mark.parametrize("status", [STARTED, QUEUED, RESTARTING], ids=["active", "queued", "auto-restart"])
async def test_a_start_between_plan_and_commit(host: Host, workers: Workers, units: Units, status: UnitStatus) -> None:
    units.later[2] = status
    outcome = await overlay.run_reset(host, "web")
    assert (outcome.ok, outcome.refused) == (False, True)
    assert workers.worker.changes == ["make"]


async def test_a_manager_that_falls_silent_between_plan_and_commit(host: Host, workers: Workers, units: Units) -> None:
    def fall_silent() -> None:
        units.error = MvtuiError("systemd does not answer: it reloads")

    workers.worker.at["make"] = fall_silent
    outcome = await overlay.run_reset(host, "web")
    assert outcome.words == "web: no reset: that can't be told: systemd does not answer. It reloads"
    assert workers.worker.changes == ["make"]


async def test_somebody_opens_it_between_plan_and_commit(host: Host, workers: Workers) -> None:
    def open_it() -> None:
        workers.worker.facts = FACTS._replace(in_use=True)

    workers.worker.at["make"] = open_it
    outcome = await overlay.run_reset(host, "web")
    assert outcome.refused
    assert "has it open" in outcome.words
    assert workers.worker.changes == ["make"]


async def test_another_microvm_declares_it_between_plan_and_commit(host: Host, workers: Workers) -> None:
    image = host.state_dir / "web" / "rw.img"
    workers.worker.at["make"] = lambda: add(host, "db", Definition(host_name="db", volumes=(Volume(str(image)),)))
    outcome = await overlay.run_reset(host, "web")
    assert outcome.words == f"web: no reset: db has it too: {image} (built)"
    assert workers.worker.changes == ["make"]


async def test_another_runner_is_installed_between_plan_and_commit(
    host: Host, workers: Workers, tmp_path: Path
) -> None:
    def install() -> None:
        other = WEB._replace(volumes=(OVERLAY._replace(image="other.img"),))
        runner = build_runner(other, tmp_path / "store" / "2-web", Tools(hypervisor="/bin/qemu"))
        (host.state_dir / "web" / "current").unlink()
        (host.state_dir / "web" / "current").symlink_to(runner)

    workers.worker.at["make"] = install
    outcome = await overlay.run_reset(host, "web")
    assert outcome.words == "web: no reset: where its overlay is has changed meanwhile"
    assert workers.worker.changes == ["make"]


@pytest.mark.parametrize("held", [True, False])
async def test_a_start_right_after_the_commit(
    host: Host, workers: Workers, units: Units, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setattr(overlay_evidence, "_is_held", lambda host, snapshot, kind, path: held and path == KEPT.path)
    units.later[3] = STARTED
    outcome = await overlay.run_reset(host, "web")
    assert (outcome.ok, outcome.refused) == (not held, held)
    assert workers.worker.changes == ["make", "commit", *(["undo_commit"] if held else ["free"])]


@pytest.mark.parametrize(
    ("at", "changes"),
    [("look", []), ("make", ["make"]), ("commit", ["make", "commit"]), ("free", None)],
)
async def test_the_file_work_fails(host: Host, workers: Workers, at: str, changes: list[str] | None) -> None:
    workers.worker.at[at] = failing(MvtuiError("no space left on device", "make room"))
    outcome = await overlay.run_reset(host, "web")
    if at == "free":
        assert outcome.ok
        assert outcome.words.endswith("what was set aside before is not freed: no space left on device")
    else:
        assert (outcome.ok, outcome.refused) == (False, False)
        assert (outcome.words, outcome.hint) == ("web: no space left on device", "make room")
        assert workers.worker.changes == changes
    assert workers.worker.asked[-1] == "close"
    assert len(on_record(host)) == 1


async def test_what_the_engine_refuses_is_refused(host: Host, workers: Workers) -> None:
    workers.worker.at["commit"] = failing(MvtuiError("it was opened meanwhile", "", ExitCode.REFUSED))
    outcome = await overlay.run_reset(host, "web")
    assert (outcome.ok, outcome.refused) == (False, True)


async def test_missing_rights_are_raised_and_on_record(host: Host, workers: Workers) -> None:
    workers.error = RightsMissingError("the state directory is another's", "run mvtui as root")
    with pytest.raises(RightsMissingError):
        await overlay.run_reset(host, "web")
    assert on_record(host) == [("web", "reset", False)]
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.refusal == "the state directory is another's"


VERBS: dict[str, Callable[..., Awaitable[overlay.ResetOutcome]]] = {
    "reset": overlay.run_reset,
    "restore": overlay.restore,
    "discard": overlay.discard,
}


@pytest.mark.parametrize("verb", VERBS)
async def test_what_is_no_microvm(host: Host, workers: Workers, verb: str) -> None:
    outcome = await VERBS[verb](host, "../web")
    assert not outcome.ok
    assert workers.verbs == []


async def cancelled_at(host: Host, workers: Workers, at: str) -> None:
    """Cancel a reset while the request `at` is under way; it has to end all the same."""
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(10)

    workers.worker.at[at] = wait
    task = asyncio.create_task(overlay.run_reset(host, "web"))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert workers.worker.asked[-1] == "close"


@pytest.mark.parametrize(
    ("at", "changes", "ok"),
    [
        ("look", [], False),
        ("make", ["make"], False),
        ("commit", ["make", "commit", "free"], True),
        ("free", ["make", "commit", "free"], True),
    ],
)
async def test_cancelled(host: Host, workers: Workers, at: str, changes: list[str], ok: bool) -> None:
    await cancelled_at(host, workers, at)
    assert workers.worker.changes == changes
    assert on_record(host) == [("web", "reset", ok)]


async def test_within_its_own_start(host: Host, workers: Workers, units: Units) -> None:
    units.units[HYPERVISOR] = unit(HYPERVISOR, "activating", "start-pre")._replace(job=Job(7, "start", "running"))
    units.units["microvm-virtiofsd@web.service"] = unit("microvm-virtiofsd@web.service")
    assert not (await overlay.run_reset(host, "web")).ok
    assert (await overlay.run_reset(host, "web", starting=True)).ok


async def test_several_are_planned_from_one_look(host: Host, workers: Workers, units: Units) -> None:
    for name in ("a", "b"):
        add(host, name, WEB._replace(host_name=name, volumes=(OVERLAY._replace(image="/srv/same.img"),)))
    plans = await overlay.plan_resets(host, ["a", "web", "b", "a"])
    assert [plan.microvm for plan in plans] == ["a", "web", "b"]
    assert [plan.ok for plan in plans] == [False, True, False]
    assert plans[0].refusal == "b has it too: /srv/same.img (built)"
    assert plans[2].refusal == "a has it too: /srv/same.img (built)"
    assert units.looks == 1
    assert workers.worker.changes == []
    assert on_record(host) == []


@pytest.mark.parametrize("stage", ["built", "booted", "defined"])
async def test_another_microvm_has_it(
    host: Host, workers: Workers, units: Units, processes: FakeProcesses, stage: str, tmp_path: Path
) -> None:
    """By its path, or by its inode under another path."""
    image = host.state_dir / "web" / "rw.img"
    image.touch()
    link = tmp_path / "other.img"
    link.hardlink_to(image)
    workers.worker.facts = FACTS._replace(file_id=(image.stat().st_dev, image.stat().st_ino))
    for path, same in ((image, True), (link, True), (tmp_path / "none.img", False)):
        add(host, f"db-{path.stem}", Definition(host_name="db", volumes=(Volume("db.img"),)))
        (host.state_dir / f"db-{path.stem}" / "db.img").touch()
        if stage == "built":
            add(host, "db", Definition(host_name="db", volumes=(Volume(str(path)),)))
        elif stage == "booted":
            (host.state_dir / "db").mkdir()
            argv = ("microvm@db", "-name", "db", "-drive", f"id=vda,format=raw,file={path},if=none")
            processes.living[100] = process(100, "db", *argv, "-device", "virtio-blk-pci,drive=vda")._replace(
                exe="/bin/qemu-system-x86_64"
            )
        else:
            add(host, "db", Definition(host_name="db"))
            (host.definitions / "db.toml").write_text(f'[[volumes]]\nimage = "{path}"\nmountPoint = "/"\nsize = 1\n')
        (plan,) = await overlay.plan_resets(host, ["web"])
        expected = f"db has it too: {path} ({stage}, the same file)" if same else ""
        assert plan.refusal == expected
        processes.living.clear()
        link_to = host.state_dir / "db" / "current"
        link_to.unlink(missing_ok=True)
        link_to.parent.rmdir()
        (host.definitions / "db.toml").unlink(missing_ok=True)
        for runner in (tmp_path / "store").glob("1-db*"):
            runner.rename(tmp_path / f"old-{path.stem}-{runner.name}")


async def test_another_microvm_s_definition_that_can_t_be_read(host: Host, workers: Workers) -> None:
    add(host, "db", Definition(host_name="db"))
    (host.definitions / "db.toml").write_text("volumes = [")
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.refusal.startswith(f"of db that can't be told: {host.definitions}/db.toml")


async def test_a_name_too_long_for_a_definition_file_stands_in_nobody_s_way(host: Host, workers: Workers) -> None:
    add(host, "x", Definition(host_name="x"))
    (host.state_dir / "x").rename(host.state_dir / ("x" * 255))
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.ok, plan.refusal


async def test_its_own_definition_that_can_t_be_read_matters_where_it_has_a_say(host: Host, workers: Workers) -> None:
    (host.definitions / "web.toml").write_text("volumes = [")
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.ok
    (host.definitions / "blind.toml").write_text("volumes = [")
    add(host, "blind", WEB._replace(host_name="blind", store_on_disk=True))
    (host.state_dir.parent / "store" / "1-blind-system" / "etc" / "fstab").unlink()
    (plan,) = await overlay.plan_resets(host, ["blind"])
    assert plan.refusal.startswith(f"{host.definitions}/blind.toml")


async def test_the_store_is_on_disk(host: Host, workers: Workers) -> None:
    """Nobody can tell: then the definition does, or a person, once."""
    volumes = (OVERLAY, Volume("data.img", mount_point="/data", size=8, fs_type="ext4"))
    add(host, "blind", WEB._replace(host_name="blind", volumes=volumes, store_on_disk=True))
    (host.state_dir.parent / "store" / "1-blind-system" / "etc" / "fstab").unlink()
    (plan,) = await overlay.plan_resets(host, ["blind"])
    assert plan.target.kind is OverlayKind.UNKNOWN
    assert "rw.img, data.img" in plan.checks[0].fix
    (plan,) = await overlay.plan_resets(host, ["blind"], images={"blind": "rw.img"})
    assert (plan.ok, plan.target.told_by) == (True, ToldBy.CHOSEN)
    assert not (await overlay.run_reset(host, "blind")).ok, "what was named for a plan is not remembered"
    overlay.remember_image(host, "blind", "rw.img")
    assert (await overlay.run_reset(host, "blind")).ok
    (host.definitions / "blind.toml").write_text(
        f'writableStoreOverlay = "{RW}"\n[[volumes]]\nimage = "data.img"\nmountPoint = "{RW}"\nsize = 8\n'
    )
    (plan,) = await overlay.plan_resets(host, ["blind"])
    assert plan.target.path == str(host.state_dir / "blind" / "data.img")
    assert plan.target.told_by is ToldBy.DEFINED
    flake = host.state_dir.parent / "flake"
    flake.mkdir()
    (host.definitions / "blind.toml").rename(flake / "blind.toml")
    (host.state_dir / "blind" / "flake").write_text(f"path:{flake}")
    (plan,) = await overlay.plan_resets(host, ["blind"])
    assert (plan.target.path, plan.target.told_by) == (str(host.state_dir / "blind" / "data.img"), ToldBy.DEFINED)


async def test_an_image_that_was_named_and_is_not_the_overlay(host: Host, workers: Workers) -> None:
    (plan,) = await overlay.plan_resets(host, ["web"], images={"web": "data.img"})
    assert not plan.ok
    assert workers.verbs == []


async def test_what_was_agreed_to_is_done_without_a_plan_of_its_own(host: Host, workers: Workers) -> None:
    (plan,) = await overlay.plan_resets(host, ["web"])
    looks = workers.verbs.count("plan")
    outcome = await overlay.run_reset(host, "web", plan=plan)
    assert outcome.ok
    assert outcome.plan == plan
    assert workers.verbs.count("plan") == looks
    elsewhere = plan._replace(target=plan.target._replace(path="/elsewhere.img"))
    again = await overlay.run_reset(host, "web", plan=elsewhere)
    assert (again.ok, again.refused) == (False, True)
    assert "has changed meanwhile" in again.words


async def test_nothing_to_reset(host: Host, workers: Workers) -> None:
    add(host, "tmpfs", WEB._replace(host_name="tmpfs", volumes=()))
    outcome = await overlay.run_reset(host, "tmpfs")
    assert (outcome.ok, outcome.refused, outcome.nothing) == (False, False, True)
    assert "in the guest's memory" in outcome.words
    assert workers.verbs == []


async def test_restore(host: Host, workers: Workers) -> None:
    workers.worker.facts = FACTS._replace(kept=(KEPT,))
    outcome = await overlay.restore(host, "web")
    assert outcome.ok
    assert outcome.words == "web: the overlay is back, the other one (30M) is set aside"
    assert workers.worker.changes == ["restore"]
    assert (await overlay.restore(host, "web", KEPT.name)).ok
    assert workers.worker.changes == ["restore", f"restore {KEPT.name}"]
    assert on_record(host) == [("web", "restore", True)] * 2


@pytest.mark.parametrize("running", [True, False])
async def test_restore_is_refused(host: Host, workers: Workers, units: Units, running: bool) -> None:
    if running:
        units.units[HYPERVISOR] = STARTED
        workers.worker.facts = FACTS._replace(kept=(KEPT,))
    outcome = await overlay.restore(host, "web")
    assert (outcome.ok, outcome.refused) == (False, True)
    assert workers.worker.changes == []


async def test_a_start_right_after_a_restore(
    host: Host, workers: Workers, units: Units, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay_evidence, "_is_held", lambda host, snapshot, kind, path: True)
    workers.worker.facts = FACTS._replace(kept=(KEPT,))
    units.later[2] = STARTED
    assert (await overlay.restore(host, "web")).refused
    assert workers.worker.changes == ["restore", f"restore {KEPT.name}"]


async def test_discard(host: Host, workers: Workers, units: Units) -> None:
    outcome = await overlay.discard(host, "web")
    assert (outcome.ok, outcome.nothing) == (False, True)
    units.units[HYPERVISOR] = STARTED
    workers.worker.facts = FACTS._replace(kept=(KEPT,), in_use=True)
    outcome = await overlay.discard(host, "web")
    assert outcome.ok
    assert outcome.words == "web: what was set aside (30M) is freed in the background"


@pytest.mark.parametrize("kept", [(), (KEPT,)])
async def test_a_start_that_waits_leaves_the_freeing_to_others(
    host: Host, workers: Workers, units: Units, kept: tuple[KeptOverlay, ...]
) -> None:
    workers.worker.facts = FACTS._replace(kept=kept)
    assert (await overlay.run_reset(host, "web", starting=True)).ok
    assert workers.worker.changes == ["make", "commit", "throw away"]
    words = ["reset", "--free", "--state-dir", str(host.state_dir), "--manager", "systemd", "--", "web"]
    assert [(name, list(argv[-8:])) for name, argv in units.freeing] == [("web", words)] * len(kept)


async def test_what_is_not_freed_fails_no_start(host: Host, workers: Workers, units: Units) -> None:
    workers.worker.facts = FACTS._replace(kept=(KEPT,))
    units.refusal = MvtuiError("the bus is gone")
    outcome = await overlay.run_reset(host, "web", starting=True)
    assert outcome.ok
    assert outcome.words.endswith("what was set aside before is not freed: the bus is gone")
    assert on_record(host) == [("web", "reset", True)]


async def test_free_what_is_older(host: Host, workers: Workers) -> None:
    outcome = await overlay.free_older(host, "web")
    assert (outcome.ok, outcome.nothing) == (False, True)
    workers.worker.facts = FACTS._replace(kept=(KEPT,))
    assert (await overlay.free_older(host, "web")).ok
    assert workers.worker.changes == ["free and wait"] * 2
    assert on_record(host) == []


async def test_reset_and_start(host: Host, workers: Workers, units: Units) -> None:
    outcome = await overlay.run_fresh(host, "web")
    assert (outcome.ok, outcome.action) == (True, "reset and start")
    assert outcome.words.startswith("web: the overlay is reset, 30M are set aside; microvm@web.service: done (")
    assert units.jobs == [(UnitVerb.START, HYPERVISOR)]


async def test_a_reset_that_is_refused_starts_nothing(host: Host, workers: Workers, units: Units) -> None:
    workers.worker.facts = FACTS._replace(mkfs=None)
    outcome = await overlay.run_fresh(host, "web")
    assert (outcome.ok, outcome.refused, outcome.hint) == (False, True, "install e2fsprogs")
    units.units[HYPERVISOR] = STARTED
    outcome = await overlay.run_fresh(host, "web", stop=True)
    assert (outcome.ok, outcome.refused, outcome.hint) == (False, True, "install e2fsprogs")
    assert units.jobs == [], "what can't be reset is not stopped for it either"


async def test_nothing_to_reset_is_no_reason_not_to_start(host: Host, workers: Workers, units: Units) -> None:
    add(host, "tmpfs", WEB._replace(host_name="tmpfs", volumes=()))
    outcome = await overlay.run_fresh(host, "tmpfs")
    assert (outcome.ok, outcome.nothing) == (True, True)
    assert units.jobs == [(UnitVerb.START, "microvm@tmpfs.service")]


async def test_stop_reset_and_start(host: Host, workers: Workers, units: Units) -> None:
    units.units[HYPERVISOR] = STARTED
    assert not (await overlay.run_fresh(host, "web")).ok
    outcome = await overlay.run_fresh(host, "web", stop=True)
    assert (outcome.ok, outcome.action) == (True, "stop, reset and start")
    assert units.jobs == [(UnitVerb.STOP, HYPERVISOR), (UnitVerb.START, HYPERVISOR)]


async def test_a_stop_or_a_start_that_fails_is_told(host: Host, workers: Workers, units: Units) -> None:
    units.units[HYPERVISOR] = STARTED
    units.outcomes[HYPERVISOR] = JobResult(HYPERVISOR, "timeout", "web: it does not stop")
    outcome = await overlay.run_fresh(host, "web", stop=True)
    assert (outcome.ok, outcome.words) == (False, "web: it does not stop")
    assert workers.worker.changes == []
    units.units.clear()
    units.outcomes[HYPERVISOR] = JobResult(HYPERVISOR, "failed", "web: it does not start")
    outcome = await overlay.run_fresh(host, "web")
    assert (outcome.ok, outcome.words) == (
        False,
        "web: the overlay is reset, 30M are set aside; web: it does not start",
    )

"""A growth is planned, looked at again, and done in an order in which each step harms nothing; all of it is on record,
and what is asked of the image ends with what stands against it."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.overlay import grow_worker
from mvtui.host.overlay.grow_worker import Grown
from mvtui.host.ports import Host
from mvtui.host.superblock import FileSystem
from mvtui.model.definition import Definition, Volume
from mvtui.model.growth import GrowTools, GrowWay
from mvtui.model.overlay import OverlayFacts
from mvtui.model.unit import Job
from mvtui.operations import growing
from tests.fakes import FakeProcesses, unit
from tests.operations.test_overlay import Units, add, on_record

MIB, GIB = 1 << 20, 1 << 30
RW = "/nix/.rw-store"
HYPERVISOR = "microvm@web.service"
DATA = Volume("data.img", mount_point="/data", size=64, fs_type="ext4")
OVERLAY = Volume("rw.img", mount_point=RW, size=64, fs_type="ext4")
WEB = Definition(host_name="web", volumes=(DATA, OVERLAY), writable_store_overlay=RW)
FACTS = OverlayFacts(
    "data.img", (1, 2), size=64 * MIB, allocated=8 * MIB, fs_type="ext4", in_use=False, free=GIB, fs_size=64 * MIB
)
TOOLS = GrowTools(lazy=True, total=100 * GIB)


@dataclass
class Worker:
    """`at` is what happens at a request, by its name."""

    facts: OverlayFacts = FACTS
    found: GrowTools = TOOLS
    at: dict[str, Callable[[], None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    short: bool = False
    error: MvtuiError | None = None

    def _note(self, what: str) -> Grown:
        self.asked.append(what)
        if what in self.at:
            self.at[what]()
        size = max([self.facts.size, *[int(each.split()[1]) for each in self.asked if each.startswith("enlarge")]])
        own = self.facts.size if self.short else size
        return Grown(size, FileSystem(self.facts.fs_type or "", None, own, 0))

    def tools(self) -> GrowTools:
        return self.found

    def look(self) -> OverlayFacts:
        return self.facts

    def hold(self, expected: tuple[int, int]) -> Grown:
        assert expected == self.facts.file_id
        return self._note("hold")

    def check(self) -> Grown:
        return self._note("check")

    def enlarge(self, size: int) -> Grown:
        return self._note(f"enlarge {size}")

    def resize(self) -> Grown:
        return self._note("resize")

    def read(self) -> Grown:
        return self._note("read")

    def close(self) -> None:
        self.asked.append("close")

    @property
    def changes(self) -> list[str]:
        return [what for what in self.asked if what != "close"]


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()

    def start(*_: object) -> Worker:
        if made.error is not None:
            raise made.error
        return made

    monkeypatch.setattr(growing, "_start_worker", start)
    monkeypatch.setattr(grow_worker, "can_mount", lambda: True)
    monkeypatch.setattr(growing, "_mounted", lambda *_: made._note("mount"))
    return made


@pytest.fixture
def units() -> Units:
    return Units()


@pytest.fixture
def host(tmp_path: Path, units: Units) -> Host:
    folder = tmp_path / "microvms"
    made = Host("hv01", units, FakeProcesses(), folder, definitions=tmp_path / "defs", records=tmp_path / "records")
    made.definitions.mkdir()
    add(made, "web", WEB)
    return made


def define(host: Host, size: int, image: str = "data.img") -> None:
    (host.definitions / "web.toml").write_text(f'[[volumes]]\nimage = "{image}"\nmountPoint = "/data"\nsize = {size}\n')


async def grown(host: Host, size: int | None = 128 * MIB, way: GrowWay | None = None) -> growing.GrowOutcome:
    plan = await growing.plan_growth(host, "web", "data.img", size, way=way)
    return await growing.run_growth(host, plan)


async def test_an_ext_is_checked_before_it_is_touched(host: Host, worker: Worker) -> None:
    said: list[str] = []
    plan = await growing.plan_growth(host, "web", "data.img", 128 * MIB)
    outcome = await growing.run_growth(host, plan, said.append)
    assert (outcome.ok, outcome.words) == (True, "web: data.img has 128M now, and its ext4 128M")
    assert worker.asked == ["close", "hold", "check", f"enlarge {128 * MIB}", "resize", "close"]
    assert said == [
        "Locking it.",
        "Checking its file system: e2fsck.",
        "Giving the file its new size.",
        "Growing its file system: resize2fs.",
    ]
    assert on_record(host) == [("web", "grow", True)]


async def test_the_guest_s_part_is_told(host: Host, worker: Worker) -> None:
    worker.facts = FACTS._replace(fs_type="xfs")
    outcome = await grown(host)
    assert (outcome.ok, outcome.hint) == (True, "in the guest, once it runs: xfs_growfs /data")
    assert worker.changes == ["hold", f"enlarge {128 * MIB}"]


async def test_mounted_by_this_host(host: Host, worker: Worker) -> None:
    worker.facts = FACTS._replace(fs_type="btrfs")
    outcome = await grown(host, way=GrowWay.MOUNT)
    assert outcome.words == "web: data.img has 128M now, and its btrfs 128M"
    assert worker.asked == ["close", "hold", f"enlarge {128 * MIB}", "close", "mount", "close"]


async def test_what_the_superblock_does_not_say_is_not_done(host: Host, worker: Worker) -> None:
    worker.short = True
    outcome = await grown(host)
    assert (outcome.ok, outcome.refused) == (False, False)
    assert outcome.words == "web: data.img has 128M, but its file system 64M"
    assert on_record(host) == [("web", "grow", False)]


async def test_the_size_is_that_of_the_definition_file_else_as_built(host: Host, worker: Worker) -> None:
    plan = await growing.plan_growth(host, "web", "data.img")
    assert plan.nothing == f"{FACTS.path} has 64M already"
    define(host, 256)
    plan = await growing.plan_growth(host, "web", "data.img")
    assert plan.size is not None
    assert (plan.size.size, plan.size.by, plan.ok) == (256 * MIB, "as its definition file says", True)


async def test_half_grown_beyond_what_is_defined_goes_on(host: Host, worker: Worker) -> None:
    worker.facts = FACTS._replace(size=512 * MIB)
    plan = await growing.plan_growth(host, "web", "data.img")
    assert plan.size is not None
    assert (plan.size.size, plan.ok) == (512 * MIB, True)


async def test_a_broken_definition_file_stands_in_nobody_s_way(host: Host, worker: Worker) -> None:
    (host.definitions / "web.toml").write_text("[[volumes]\n")
    assert (await growing.plan_growth(host, "web", "data.img", 128 * MIB)).ok


async def test_no_such_volume(host: Host, worker: Worker) -> None:
    with pytest.raises(MvtuiError) as error:
        await growing.plan_growth(host, "web", "other.img", GIB)
    assert (error.value.message, error.value.hint) == ("web has no volume other.img", "it has data.img, rw.img")
    assert error.value.exit_code is ExitCode.REFUSED


async def test_by_its_whole_path_it_is_the_same(host: Host, worker: Worker) -> None:
    plan = await growing.plan_growth(host, "web", str(host.state_dir / "web/data.img"), GIB)
    assert (plan.image, plan.ok, plan.overlay) == ("data.img", True, False)
    assert (await growing.plan_growth(host, "web", "rw.img", GIB)).overlay


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (unit(HYPERVISOR), f"{HYPERVISOR} is active"),
        (unit(HYPERVISOR, "inactive", "dead")._replace(job=Job(7, "start")), f"{HYPERVISOR} has a job: start"),
    ],
    ids=["active", "queued"],
)
@pytest.mark.parametrize("look", [1, 2, 3])
async def test_a_start_is_seen_at_every_look(
    host: Host, worker: Worker, units: Units, status: object, why: str, look: int
) -> None:
    """When it is planned, before its image is locked, and once that is."""
    units.later[look] = status  # type: ignore[assignment]
    outcome = await grown(host)
    assert (outcome.refused, outcome.words) == (True, f"web: data.img is not grown: {why}")
    assert outcome.hint == "mvtui stop web"
    assert worker.changes == ([] if look < 3 else ["hold"])
    assert on_record(host) == [("web", "grow", False)]


async def test_another_microvm_has_it(host: Host, worker: Worker) -> None:
    image = host.state_dir / "web" / "data.img"
    add(host, "db", Definition(host_name="db", volumes=(Volume(str(image)),)))
    outcome = await grown(host)
    assert outcome.words == f"web: data.img is not grown: db has it too: {image} (built)"
    assert worker.changes == []


@pytest.mark.parametrize("step", ["hold", "check", f"enlarge {128 * MIB}", "resize"])
async def test_what_fails_at_a_step_is_the_end(host: Host, worker: Worker, step: str) -> None:
    def fail() -> None:
        raise MvtuiError("it broke", "mend it")

    worker.at[step] = fail
    outcome = await grown(host)
    assert (outcome.ok, outcome.words, outcome.hint) == (False, "web: it broke", "mend it")
    assert worker.asked[-2:] == [step, "close"]
    assert on_record(host) == [("web", "grow", False)]


async def test_rights_that_are_missing(host: Host, worker: Worker) -> None:
    worker.error = RightsMissingError("web belongs to another user", "root can do that")
    plan = await growing.plan_growth(host, "web", "data.img", GIB)
    assert (plan.ok, plan.rights_missing, plan.refusal) == (False, True, "web belongs to another user")


async def test_a_mount_takes_root(host: Host, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker.facts = FACTS._replace(fs_type="xfs")
    monkeypatch.setattr(grow_worker, "can_mount", lambda: False)
    plan = await growing.plan_growth(host, "web", "data.img", GIB, way=GrowWay.MOUNT)
    assert (plan.ok, plan.rights_missing, plan.refusal) == (False, True, "only root can mount it")
    plan = await growing.plan_growth(host, "web", "data.img", GIB)
    assert (plan.ok, plan.rights_missing, plan.ways) == (True, False, (GrowWay.GUEST,))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may mount")
def test_without_root_nothing_is_mounted() -> None:
    assert not grow_worker.can_mount()

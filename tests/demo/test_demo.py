"""The demo as a whole: it comes up in all its states, everything works on it, and nothing of it stays."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.demo import ending, host
from mvtui.demo.building import Layout
from mvtui.demo.ending import running
from mvtui.errors import MvtuiError
from mvtui.host.command_line import read_virtiofsd, which_hypervisor
from mvtui.host.direct import DirectUnits
from mvtui.host.images import read_image
from mvtui.host.keeper_status import Status
from mvtui.host.processes import ProcFs
from mvtui.host.records import write_record
from mvtui.host.records_place import records_of
from mvtui.host.run_directory import forget_run_directory, run_directory
from mvtui.model.process import ProcessSample
from mvtui.model.state import StateWord
from mvtui.model.unit import JobResult, UnitKind, UnitStatus, UnitVerb, unit_name
from mvtui.operations.closer import look_closer
from mvtui.operations.hosts import open_host
from mvtui.operations.inventory import take_snapshot
from mvtui.operations.kept import Kept
from tests.demo.demo_folder import need, nothing_runs, open_folder, until

NAMES = {"web", "git", "mail", "lab", "ci", "cache", "build", "db[prod]"}
CHECKOUT = Path(__file__).parents[2]

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def demo() -> Iterator[host.DemoHost]:
    with open_folder() as folder:
        yield host.up(folder / "demo", lambda _: None)
        host.down(folder / "demo")


def unit_of(demo: host.DemoHost, name: str, kind: UnitKind = UnitKind.HYPERVISOR) -> UnitStatus | None:
    return asyncio.run(DirectUnits(demo.state_dir).statuses()).get(unit_name(kind, name))


def run_job(demo: host.DemoHost, verb: UnitVerb, name: str) -> JobResult:
    return asyncio.run(DirectUnits(demo.state_dir).run_job(verb, unit_name(UnitKind.HYPERVISOR, name)))


def processes_of(demo: host.DemoHost, name: str) -> list[ProcessSample]:
    processes = ProcFs(demo.state_dir, by_cgroup=False)
    try:
        return [each for each in processes.sample().values() if each.microvm == name]
    finally:
        processes.close()


def served(demo: host.DemoHost, name: str) -> set[str]:
    """The sockets that its living virtiofsd serve."""
    shares = [read_virtiofsd(process.argv) for process in processes_of(demo, name)]
    return {str(share.socket) for share in shares if share is not None}


def hypervisors(demo: host.DemoHost, name: str) -> list[ProcessSample]:
    return [process for process in processes_of(demo, name) if which_hypervisor(process.argv, process.exe) is not None]


def test_all_eight_are_there(demo: host.DemoHost) -> None:
    assert {entry.name for entry in demo.state_dir.iterdir() if not entry.name.startswith(".")} == NAMES
    assert demo.options == ("--state-dir", str(demo.state_dir), "--manager", "direct")


@pytest.mark.parametrize("name", ["web", "build", "db[prod]", "ci", "git"])
def test_runs(demo: host.DemoHost, name: str) -> None:
    unit = unit_of(demo, name)
    assert unit is not None
    assert unit.active_state == "active"
    [hypervisor] = hypervisors(demo, name)
    assert hypervisor.argv[0] == f"microvm@{name.replace('[prod]', '-prod')}"
    assert hypervisor.uid != 0


def test_shares_are_served(demo: host.DemoHost) -> None:
    assert served(demo, "web") == {"web-virtiofs-ro-store.sock"}
    assert served(demo, "build") == {"build-virtiofs-ro-store.sock", "build-virtiofs-home.sock"}


def test_degraded(demo: host.DemoHost) -> None:
    until(lambda: served(demo, "git") == {"git-virtiofs-ro-store.sock"}, "the share lives")
    assert (demo.state_dir / "git/current/share/microvm/virtiofs/home").is_dir()
    until(lambda: b"gave up: virtiofsd-home" in (demo.state_dir / "git/virtiofsd.log").read_bytes(), "it may come back")
    assert len(hypervisors(demo, "git")) == 1


def test_looping(demo: host.DemoHost) -> None:
    def restarts() -> int:
        unit = unit_of(demo, "mail")
        return (unit.n_restarts or 0) if unit is not None else 0

    until(lambda: restarts() >= 2, "it does not loop")
    assert b"No such file or directory" in (demo.state_dir / "mail/microvm.log").read_bytes()


def test_stale(demo: host.DemoHost) -> None:
    assert os.readlink(demo.state_dir / "ci/booted") != os.readlink(demo.state_dir / "ci/current")
    assert (demo.state_dir / "ci/current/bin/microvm-run").exists()


def test_emergency(demo: host.DemoHost) -> None:
    """Its hypervisor runs, and its guest does not get up: QEMU's, and also the stand-in's, which says the same."""
    looked_at = open_host(demo.state_dir, "direct")
    kept = Kept(looked_at, inline=False)
    asyncio.run(take_snapshot(looked_at, kept))
    closer = look_closer(looked_at, kept, ["db[prod]", "web"])
    database, web = closer.find("db[prod]"), closer.find("web")
    assert database is not None
    assert web is not None
    assert (database.state.word, web.state.word) == (StateWord.DEGRADED, StateWord.RUNNING)
    assert "/var/lib/postgresql is not mounted" in database.state.why
    assert web.state.why.endswith("The guest has booted.")


def test_failed(demo: host.DemoHost) -> None:
    def state() -> str:
        unit = unit_of(demo, "cache", UnitKind.VIRTIOFSD)
        return unit.active_state if unit is not None else ""

    until(lambda: state() == "failed", "it does not fail")
    assert processes_of(demo, "cache") == []


def test_stopped_with_a_full_overlay(demo: host.DemoHost) -> None:
    need("mkfs.ext4")
    assert unit_of(demo, "lab") is None
    facts = read_image(demo.state_dir / "lab", "nix-store-overlay.img")
    assert facts.fs_used is not None
    assert facts.fill_percent is not None
    assert facts.fill_percent > 95


def test_images_are_file_systems(demo: host.DemoHost) -> None:
    need("mkfs.ext4")
    images = list(demo.state_dir.glob("*/*.img"))
    assert len(images) == 7
    for image in images:
        assert read_image(image.parent, image.name).fs_type in ("ext4", "xfs", "btrfs"), image


def test_started_stopped_restarted_and_killed(demo: host.DemoHost) -> None:
    assert run_job(demo, UnitVerb.START, "lab").ok
    [first] = hypervisors(demo, "lab")
    until(lambda: b"up;" in (demo.state_dir / "lab/microvm.log").read_bytes(), "the guest does not come up")
    assert run_job(demo, UnitVerb.RESTART, "lab").ok
    assert b"reboot: Restarting system" in (demo.state_dir / "lab/microvm.log").read_bytes()
    [second] = hypervisors(demo, "lab")
    assert first.pid != second.pid
    assert run_job(demo, UnitVerb.KILL, "lab").ok
    assert processes_of(demo, "lab") == []
    before = (demo.state_dir / "lab/microvm.log").read_bytes().count(b"up;")
    assert run_job(demo, UnitVerb.START, "lab").ok
    until(lambda: (demo.state_dir / "lab/microvm.log").read_bytes().count(b"up;") > before, "it does not come up")
    stopped = run_job(demo, UnitVerb.STOP, "lab")
    assert (stopped.result, stopped.words) == ("done", "lab: stopped")
    assert processes_of(demo, "lab") == []


def test_another_up_in_the_same_directory_is_refused(demo: host.DemoHost) -> None:
    with pytest.raises(MvtuiError, match="there is a demo in"):
        host.up(demo.state_dir.parent, lambda _: None)
    assert len(hypervisors(demo, "web")) == 1


def test_down_leaves_nothing_but_what_others_put_there() -> None:
    with open_folder() as folder:
        (folder / "demo").mkdir()
        (folder / "demo").chmod(0o755)
        made = host.up(folder / "demo", lambda _: None)
        runs = running(Layout(folder / "demo"))
        assert len(runs) > 10
        (made.state_dir / "mail").rename(folder / "demo" / "mine")
        base, parts = run_directory(str(made.state_dir))
        reports = Path(base, *parts)
        assert reports.exists() == (os.geteuid() == 0)
        records = records_of(made.state_dir)
        write_record(records, "armed/lab", "once\n")
        host.down(folder / "demo")
        assert nothing_runs(folder / "demo")
        assert [path.name for path in (folder / "demo").iterdir()] == ["mine"]
        assert not made.state_dir.exists()
        assert not records.exists()
        if os.geteuid() == 0:
            assert not reports.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's keepers report elsewhere than below the state directory")
def test_a_link_in_place_of_its_state_directory_is_not_followed() -> None:
    with open_folder() as folder:
        other = folder / "other"
        (other / "web").mkdir(parents=True)
        os.chown(other / "web", 12345, 12345)
        status = Status(*run_directory(str(other)), "web")
        status.set("microvm", "failed", "failed")
        status.release()
        (folder / "demo").mkdir()
        (folder / "demo" / "microvms").symlink_to(other)
        try:
            with pytest.raises(MvtuiError, match="/demo can't be removed: Cannot call rmtree on a symbolic link"):
                ending.end(folder / "demo", remove_root=True)
            assert Path(status.path).exists(), "that web has failed is forgotten"
        finally:
            (folder / "demo" / "microvms").unlink()
            forget_run_directory(str(other))


OWNER = """
import signal, sys
from mvtui.demo import host
with host.temporary(lambda words: None) as demo:
    sys.stdout.write(f"{demo.state_dir.parent}\\n")
    sys.stdout.flush()
    if sys.argv[1] == "exception":
        raise LookupError("in the block")
    if sys.argv[1] == "wait":
        signal.pause()
"""


@pytest.mark.parametrize("how", ["end", "exception", "SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"])
def test_a_temporary_demo_ends_with_its_owner(how: str) -> None:
    what = "wait" if how.startswith("SIG") else how
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, what],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as owner:
        assert owner.stdout is not None
        root = Path(owner.stdout.readline().strip())
        if what == "wait":
            assert len(running(Layout(root))) > 10
            os.killpg(owner.pid, getattr(signal, how))
        code = owner.wait(30)
    assert (code == 0) == (how == "end")
    if how in ("end", "exception", "SIGINT"):
        assert not root.exists(), "it had time to see the end"
    until(lambda: nothing_runs(root), "processes are left", 10)
    until(lambda: not root.exists(), "the folder is left", 10)


@pytest.mark.parametrize("when", ["Building", "Starting"])
def test_an_owner_that_is_killed_while_it_is_made_leaves_nothing(when: str) -> None:
    program = OWNER.replace("lambda words: None", "lambda words: print(words, flush=True)")
    with (
        open_folder() as folder,
        subprocess.Popen(
            [sys.executable, "-c", program, "wait"],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(folder)},
        ) as owner,
    ):
        assert owner.stdout is not None
        assert any(when in line for line in owner.stdout)
        [root] = folder.iterdir()
        # Not before there is something to remove.
        until((root / "microvms" / "web").exists, "nothing is built")
        owner.kill()
        owner.wait()
        until(lambda: not root.exists(), "the folder is left", 15)
        assert nothing_runs(root)


def test_a_failure_while_it_is_made_leaves_nothing() -> None:
    with open_folder() as folder:

        def fail(words: str) -> None:
            if "Starting" in words:
                raise OSError(28, "No space left on device")

        with pytest.raises(MvtuiError, match="No space left"):
            host.up(folder / "demo", fail)
        assert list(folder.iterdir()) == []

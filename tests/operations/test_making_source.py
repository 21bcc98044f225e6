"""The source of a share is made where whoever names it may say so, with the owner that serves it, and is on record."""

import asyncio
import os
import stat
import threading
from pathlib import Path

import pytest

from mvtui.errors import RightsMissingError
from mvtui.host import source_directory
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.definition import Definition, Runner, Share, ShareProto
from mvtui.model.microvm import MicroVM, ShareHealth, ShareStatus, StateDirEntry
from mvtui.model.source_plan import SourcePlan
from mvtui.model.state import State, StateWord
from mvtui.operations import making_source
from mvtui.operations.making_source import plan_source, record_made, run_source
from tests.fakes import FakeUnits, fake_host

is_root = os.geteuid() == 0
as_root = pytest.mark.skipif(not is_root, reason="another owner takes root")
MICROVM, KVM = 65534, 65534
SOON = 5.0


@pytest.fixture
def host(tmp_path: Path) -> Host:
    tmp_path.chmod(0o755)
    state_dir = tmp_path / "microvms"
    (state_dir / "git").mkdir(parents=True)
    (tmp_path / "srv").mkdir()
    (tmp_path / "runner").mkdir()
    if is_root:
        for path in (state_dir, state_dir / "git"):
            os.chown(path, MICROVM, KVM)
    made = fake_host(state_dir)
    made.definitions = tmp_path / "definitions"
    return made


def share(host: Host, proto: ShareProto = ShareProto.VIRTIOFS, path: str = "srv/home") -> Share:
    return Share("home", proto, str(host.state_dir.parent / path), "/home")


def git(host: Host, *built: Share, defined: tuple[Share, ...] = ()) -> MicroVM:
    runner = Runner(str(host.state_dir.parent / "runner"), Definition(shares=built))
    path = host.state_dir / "git"
    status = path.stat()
    return MicroVM(
        "git",
        str(path),
        State(StateWord.STOPPED, None, ""),
        entry=StateDirEntry("git", str(path), owner=(status.st_uid, status.st_gid)),
        built=runner,
        shares=tuple(ShareStatus(one, ShareHealth.OFF) for one in built),
        defined=Definition(shares=defined) if defined else None,
    )


def define(host: Host, directory: Path) -> None:
    directory.mkdir()
    (directory / "git.toml").touch()


def actions(host: Host) -> list[tuple[str, bool, str]]:
    return [(one.action, one.ok, one.result) for one in read_changes(host.records)]


def is_there(path: str) -> bool:
    return os.path.lexists(path)


async def planned(host: Host, one: Share, **typed: bool) -> SourcePlan:
    return await plan_source(host, git(host, one), one, **typed)


@as_root
async def test_a_virtiofs_source_is_roots(host: Host) -> None:
    one = share(host, path="srv/a/home")
    plan = await planned(host, one)
    assert plan.ok, plan
    assert (plan.owner, plan.needs_root) == ("root:root", False)
    assert plan.serves == "virtiofsd, which serves it, runs as root"
    assert plan.makes == (os.path.dirname(plan.path), plan.path)
    assert plan.mount_point
    assert not is_there(plan.makes[0]), "a plan makes nothing"
    outcome = await run_source(host, plan)
    assert (outcome.ok, outcome.words) == (True, f"git: {plan.path} is there now, root:root 0755")
    status = os.stat(plan.path)
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o755)
    assert actions(host) == [("make source", True, outcome.words)]
    (call,) = [call for call in host.calls.calls if call.what.startswith("install")]
    assert call.what == f"install -d -o root -g root -m 0755 -- {plan.path}"
    assert call.ok
    assert (await planned(host, one)).nothing == f"{plan.path} is there already"


@as_root
async def test_a_9p_source_belongs_to_whom_the_hypervisor_runs_as(host: Host) -> None:
    plan = await planned(host, share(host, ShareProto.NINE_P, "srv/a/docs"))
    assert plan.serves == "the hypervisor, which serves it, runs as nobody"
    assert (await run_source(host, plan)).ok
    owners = [(status.st_uid, status.st_gid) for status in map(os.stat, plan.makes)]
    assert owners == [(0, 0), (MICROVM, KVM)]


async def test_what_runs_as_this_user_is_this_users(host: Host) -> None:
    units = FakeUnits(manager="direct")
    own = Host(host.name, units, host.processes, host.state_dir)
    plan = await planned(own, share(host))
    assert plan.ok
    assert (plan.uid, plan.gid) == (os.geteuid(), os.getegid())
    assert (await run_source(own, plan)).ok


@as_root
async def test_a_runner_that_others_can_change_names_nothing(host: Host) -> None:
    one = share(host)
    os.chown(host.state_dir.parent / "runner", MICROVM, KVM)
    plan = await planned(host, one)
    assert plan.refusal == f"others than root can change the runner that names {one.source}"
    assert plan.fix.endswith(f"mkdir -p {one.source}")
    outcome = await run_source(host, plan)
    assert (outcome.ok, outcome.refused) == (False, True)
    assert not is_there(plan.path)
    # One of the host's definitions names it, or a person has just typed it.
    define(host, host.definitions)
    assert (await plan_source(host, git(host, one, defined=(one,)), one)).ok
    assert (await planned(host, one, typed=True)).ok


@as_root
async def test_what_the_users_flake_leads_to_names_nothing(host: Host) -> None:
    """`flake` belongs to the microVM's user, who has a friend, or a guest that writes on a share of root's: a directory
    of his in the place of one that root's programs look into would be his way to root."""
    one, trap = share(host, ShareProto.NINE_P), host.state_dir.parent / "trap"
    os.chown(host.state_dir.parent / "runner", MICROVM, KVM)
    define(host, trap)
    microvm = git(host, one, defined=(one,))
    assert microvm.entry is not None
    plan = await plan_source(host, microvm._replace(entry=microvm.entry._replace(flake=str(trap))), one)
    assert plan.refusal == f"others than root can change the runner that names {one.source}"


async def test_what_the_next_start_does_not_need_is_not_made(host: Host) -> None:
    """It runs with another source than the one that is built by now."""
    plan = await plan_source(host, git(host, share(host, path="srv/new")), share(host))
    assert plan.refusal.startswith("what is built of git does not name")
    assert plan.fix == "mvtui restart git"


@as_root
async def test_below_the_state_directory_root_makes_nothing(host: Host) -> None:
    plan = await planned(host, share(host, path="microvms/git/home"))
    assert plan.refusal == f"{host.state_dir} belongs to user nobody, who decides what stands there"
    assert plan.fix == f"sudo -u nobody mkdir -p {plan.path}"


@as_root
async def test_whom_it_runs_as_must_be_known(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making_source, "account_of", lambda *_: None)
    plan = await planned(host, share(host, ShareProto.NINE_P))
    assert plan.refusal.startswith("nobody can tell as whom git runs")


@as_root
async def test_what_came_between_is_an_outcome(host: Host) -> None:
    plan = await planned(host, share(host))
    (host.state_dir.parent / "srv/home").symlink_to("/etc")
    outcome = await run_source(host, plan)
    assert (outcome.ok, outcome.refused) == (False, True)
    assert "has changed meanwhile" in outcome.words
    assert [ok for _, ok, _ in actions(host)] == [False]
    assert [call.ok for call in host.calls.calls if call.what.startswith("install")] == [False]


async def test_without_rights_nothing_is_tried(host: Host) -> None:
    plan = (await planned(host, share(host)))._replace(needs_root=True)
    with pytest.raises(RightsMissingError):
        await run_source(host, plan)
    assert not is_there(plan.path)
    assert record_made(host, plan, "", ok=True).words.endswith("0755")
    assert record_made(host, plan, "sudo: no", ok=False).words == f"git: {plan.path} is not made: sudo: no"
    assert [ok for _, ok, _ in actions(host)] == [False, True, False]


def test_what_does_not_answer_is_not_waited_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(making_source, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(source_directory, "find_place", lambda *_: answer.wait())
    late = threading.Timer(SOON, answer.set)
    late.start()
    plan = asyncio.run(planned(host, share(host)))  # whose end waits for every thread of its own
    assert not answer.is_set()
    assert plan.refusal == f"what {plan.path} is on does not answer"
    late.cancel()
    answer.set()

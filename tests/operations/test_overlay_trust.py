"""`current` belongs to the microVM's user: it may lead to a runner of his own, which names any directory as the share
of an overlay. As root, with real files."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto
from mvtui.operations import overlay
from mvtui.operations.overlay import ResetOutcome
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.living import need_root
from tests.operations.test_overlay_files import folder

__all__ = ["folder"]

RW = "/nix/.rw-store"
OWNER = 65534
SECRET = "correct-horse-battery-staple"


def own(*paths: Path) -> None:
    for path in paths:
        os.chown(path, OWNER, OWNER, follow_symlinks=False)


@pytest.fixture
def host(folder: Path) -> Host:
    """The microVM `web`, whose `current` leads to a runner that its user made; the share it names is root's."""
    need_root("another user's runner")
    victim = folder / "victim"
    for name in ("store", "work"):
        (victim / name).mkdir(parents=True)
    (victim / "store" / "file").write_text("root's")
    web = folder / "microvms" / "web"
    web.mkdir(parents=True)
    share = Share("upper", ShareProto.VIRTIOFS, str(victim), RW)
    runner = build_runner(
        Definition(host_name="web", shares=(share,), writable_store_overlay=RW), web / "forged", Tools("/bin/qemu")
    )
    (web / "current").symlink_to(runner)
    own(web.parent, web, *web.rglob("*"))
    made = Host("hv01", FakeUnits(), FakeProcesses(), web.parent, records=folder / "records")
    made.definitions = folder / "definitions"
    made.definitions.mkdir()
    return made


def victim_of(host: Host) -> Path:
    return host.state_dir.parent / "victim"


def define(host: Host, source: Path) -> None:
    (host.definitions / "web.toml").write_text(
        f'[[shares]]\ntag = "upper"\nproto = "virtiofs"\nsource = "{source}"\nmountPoint = "{RW}"\n'
    )


Work = Callable[[Host, str], Awaitable[ResetOutcome]]


@pytest.mark.parametrize("work", [overlay.run_reset, overlay.restore, overlay.discard])
async def test_a_share_of_roots_that_only_a_forged_runner_names(host: Host, work: Work) -> None:
    victim = victim_of(host)
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert "others than root can change the runner" in plan.refusal
    outcome = await work(host, "web")
    assert outcome.refused
    assert sorted(os.listdir(victim)) == ["store", "work"]
    assert os.listdir(victim / "store") == ["file"]


async def test_a_forged_runner_reads_nothing_out_to_the_record(host: Host) -> None:
    """The record of changes is for everybody to read."""
    secret = host.state_dir.parent / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    forged = host.state_dir / "web" / "forged"
    source = forged / "share/microvm/virtiofs/upper/source"
    source.unlink()
    source.symlink_to(secret)
    (forged / "bin/virtiofsd-run").unlink(missing_ok=True)
    outcome = await overlay.run_reset(host, "web")
    assert outcome.refused
    assert SECRET not in (host.records / "history.jsonl").read_text()
    assert SECRET not in outcome.words + outcome.hint


async def test_what_is_the_users_own_is_his_to_name(host: Host) -> None:
    victim = victim_of(host)
    own(victim, *victim.rglob("*"))
    assert (await overlay.run_reset(host, "web")).ok
    assert os.listdir(victim / "store") == []


async def test_what_is_roots_in_the_users_own_is_not(host: Host) -> None:
    """A guest's root made it, or root did: he could give any of it the name `store`."""
    victim = victim_of(host)
    own(victim)
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert "store belongs to user 0, and" in plan.refusal, plan.refusal
    assert (await overlay.run_reset(host, "web")).refused
    assert os.listdir(victim / "store") == ["file"]
    assert not (victim / ".mvtui").exists()


async def test_what_is_roots_in_the_users_own_where_root_named_that(host: Host) -> None:
    victim = victim_of(host)
    own(victim)
    define(host, victim)
    victim.parent.chmod(0o777)
    assert (await overlay.run_reset(host, "web")).refused, "others can put another in its place"
    victim.parent.chmod(0o755)
    outcome = await overlay.run_reset(host, "web")
    assert outcome.ok, outcome
    assert os.listdir(victim / "store") == []
    assert (await overlay.restore(host, "web")).ok
    assert os.listdir(victim / "store") == ["file"]


async def test_what_was_the_users_own_when_it_was_agreed_to(host: Host) -> None:
    victim = victim_of(host)
    own(victim, *victim.rglob("*"))
    (plan,) = await overlay.plan_resets(host, ["web"])
    assert plan.ok, plan.refusal
    for path in (victim, *victim.rglob("*")):
        os.chown(path, 0, 0)
    outcome = await overlay.run_reset(host, "web", plan=plan)
    assert outcome.refused, outcome
    assert "others than root can change the runner" in outcome.words
    assert os.listdir(victim / "store") == ["file"]


async def test_what_the_definition_file_names_is_roots_choice(host: Host) -> None:
    victim = victim_of(host)
    define(host, victim)
    outcome = await overlay.run_reset(host, "web")
    assert outcome.ok, outcome
    assert os.listdir(victim / "store") == []


async def test_a_runner_that_root_alone_can_change_is_believed(host: Host) -> None:
    web = host.state_dir / "web"
    runner = (web / "forged").rename(host.state_dir.parent / "runner")
    for path in (runner, *runner.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)
    (web / "current").unlink()
    (web / "current").symlink_to(runner)
    outcome = await overlay.run_reset(host, "web")
    assert outcome.ok, outcome
    assert os.listdir(victim_of(host) / "store") == []


async def test_what_a_reset_made_is_hidden(host: Host) -> None:
    """Its times may be those of another file, where a directory became a link meanwhile."""
    victim = victim_of(host)
    own(victim, *victim.rglob("*"))
    assert (await overlay.run_reset(host, "web")).ok
    made = host.records / "made" / "web"
    assert made.stat().st_mode & 0o777 == 0o600
    before = made.read_text()
    assert (await overlay.restore(host, "web")).ok
    assert made.read_text() != before
    assert made.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("owner", [0, 1234])
async def test_a_definition_file_that_the_users_flake_leads_to_is_not_roots_choice(host: Host, owner: int) -> None:
    """`flake` belongs to the microVM's user: it may lead to what another user, or a guest's root on a share, wrote."""
    victim = victim_of(host)
    trap = host.state_dir.parent / "trap"
    trap.mkdir()
    define(host, victim)
    (host.definitions / "web.toml").rename(trap / "web.toml")
    for path in (trap, trap / "web.toml"):
        os.chown(path, owner, owner)
    (host.state_dir / "web" / "flake").write_text(f"{trap}\n")
    own(host.state_dir / "web" / "flake")
    outcome = await overlay.run_reset(host, "web")
    assert outcome.refused, outcome
    assert "others than root can change the runner" in outcome.words
    assert os.listdir(victim / "store") == ["file"]

"""What is built anew: by which command, followed to its end, cancelled, and left alone when mvtui ends."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import lasting_command
from mvtui.host.record_of_changes import read_changes
from mvtui.operations.rebuild import FOLDER, HOST_RECORD, Rebuild, begin_rebuild, plan_rebuild, record_of
from tests.host.state_dirs import without_rights
from tests.operations.rebuildable import Rebuildable, of, rebuildable

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def made() -> Iterator[Rebuildable]:
    with rebuildable() as one:
        yield one


async def said(rebuild: Rebuild, text: str, following: "asyncio.Task[object]") -> None:
    """Wait until it has said so."""
    while not any(text in line for line in rebuild.output.lines):
        assert not following.done()
        await asyncio.sleep(0.01)


async def ended(made: Rebuildable, word: str) -> tuple[Rebuild, str, bool]:
    rebuild = await begin_rebuild(made.host, plan_rebuild(made.host, of()))
    made.go(word)
    outcome = await rebuild.follow(lambda: None)
    return rebuild, outcome.words, outcome.ok


def test_the_command_of_one_with_a_flake(made: Rebuildable) -> None:
    plan = plan_rebuild(made.host, of("we b"))
    assert plan.words == "microvm -u 'we b'"
    assert plan.argv == (str(made.folder / "bin/microvm"), "-u", "we b")
    assert (plan.flake, plan.host_wide, plan.needs_root) == ("git+file:///etc/nixos", False, False)


def test_the_command_of_one_that_is_built_with_its_host(made: Rebuildable) -> None:
    web, git, lab = of(toplevel="/t"), of("git", toplevel="/t"), of("lab")
    plan = plan_rebuild(made.host, web, (git, lab, web))
    assert plan.words == "nixos-rebuild switch"
    assert (plan.host_wide, plan.also, plan.record) == (True, ("git",), HOST_RECORD)
    assert record_of(git) == HOST_RECORD
    assert record_of(lab) == "lab"


@pytest.mark.parametrize(
    ("name", "flake", "words"),
    [("-u", "f", "takes '-u' for an option"), ("web", None, "nothing says what web is built from")],
)
def test_what_can_t_be_rebuilt(made: Rebuildable, name: str, flake: str | None, words: str) -> None:
    with pytest.raises(MvtuiError, match=words) as raised:
        plan_rebuild(made.host, of(name, flake=flake))
    assert raised.value.exit_code is ExitCode.REFUSED
    with pytest.raises(MvtuiError, match="no state directory"):
        plan_rebuild(made.host, of()._replace(entry=None))


def test_where_the_program_is_not_there(made: Rebuildable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(made.folder))
    (made.folder / "bin/microvm").unlink()
    with pytest.raises(MvtuiError, match="there is no microvm here") as raised:
        plan_rebuild(made.host, of())
    assert "microvm.host.enable" in raised.value.hint


def test_what_others_can_change_is_not_run(made: Rebuildable) -> None:
    (made.folder / "bin/microvm").chmod(0o777)
    if os.geteuid() == 0:
        with pytest.raises(MvtuiError, match="others can change it"):
            plan_rebuild(made.host, of())
    os.chown(made.folder / "bin/microvm", 12345, 12345) if os.geteuid() == 0 else None
    with without_rights(), pytest.raises(MvtuiError, match="others can change it"):
        plan_rebuild(made.host, of())


async def test_the_program_on_path_takes_root(made: Rebuildable, monkeypatch: pytest.MonkeyPatch) -> None:
    (made.folder / "path").mkdir()
    (made.folder / "bin/microvm").rename(made.folder / "path/microvm")
    monkeypatch.setenv("PATH", f"{made.folder}/path:/usr/bin:/bin")
    assert plan_rebuild(made.host, of()).needs_root is (os.geteuid() != 0)
    with without_rights():
        plan = plan_rebuild(made.host, of())
        with pytest.raises(RightsMissingError, match="microvm -u web takes root"):
            await begin_rebuild(made.host, plan)


async def test_built_anew(made: Rebuildable) -> None:
    rebuild, words, ok = await ended(made, "new")
    assert ok
    assert words.partition("(")[0] == "rebuild of web is done "
    assert words.endswith("s): web is built anew")
    assert rebuild.output.lines == ["microvm -u web", "built"]
    assert rebuild.outcome is not None
    assert rebuild.outcome.new
    assert [(change.action, change.ok) for change in read_changes(made.host.records)] == [("rebuild", True)]
    assert (made.host.records / FOLDER / "web").read_text() == "microvm -u web\nbuilt\n"


async def test_nothing_new_and_failed(made: Rebuildable) -> None:
    _, words, ok = await ended(made, "ok")
    assert (words.partition("): ")[2], ok) == ("web is what was built before", True)
    _, words, ok = await ended(made, "7")
    assert (words.partition("): ")[2], ok) == ("exit 7: error: it says 7", False)


async def test_much_is_bounded(made: Rebuildable) -> None:
    rebuild, _, ok = await ended(made, "flood")
    assert ok
    assert len(rebuild.output.lines) <= 2000
    assert "bytes left out" in "".join(rebuild.output.lines) or rebuild.output.gone


async def test_one_at_a_time_and_the_other_follows_it(made: Rebuildable) -> None:
    plan = plan_rebuild(made.host, of())
    first = await begin_rebuild(made.host, plan)
    second = await begin_rebuild(made.host, plan)
    assert (first.here, second.here) == (True, False)
    with pytest.raises(MvtuiError, match="another mvtui began it"):
        second.cancel()
    following = asyncio.create_task(second.follow(lambda: None))
    await said(second, "microvm -u web", following)
    made.go("new")
    assert (await first.follow(lambda: None)).ok
    outcome = await following
    assert outcome.code is None
    assert outcome.words == "rebuild of web, which another mvtui began, has ended: web is built anew"
    assert len(read_changes(made.host.records)) == 1


async def test_cancelled(made: Rebuildable) -> None:
    rebuild = await begin_rebuild(made.host, plan_rebuild(made.host, of()))
    following = asyncio.create_task(rebuild.follow(lambda: None))
    await said(rebuild, "microvm", following)
    rebuild.cancel()
    outcome = await following
    assert (outcome.ok, outcome.code) == (False, -signal.SIGTERM)
    assert outcome.words.startswith("rebuild of web was cancelled (")
    rebuild.cancel()  # it is over: nothing happens


async def test_who_is_not_waited_for_goes_on(made: Rebuildable) -> None:
    plan = plan_rebuild(made.host, of())
    rebuild = await begin_rebuild(made.host, plan)
    following = asyncio.create_task(rebuild.follow(lambda: None))
    await said(rebuild, "microvm", following)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    other = await begin_rebuild(made.host, plan)
    assert not other.here
    made.go("new")
    assert (await other.follow(lambda: None)).new


_KILLED = """
import os, signal, sys
from pathlib import Path
from mvtui.host.lasting_command import start
folder = Path(sys.argv[1])
start([str(folder / "bin/microvm"), "-u", "web"], folder / "records", "rebuilds", "web", dict(os.environ))
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_it_goes_on_when_mvtui_is_killed(made: Rebuildable) -> None:
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _KILLED, str(made.folder)], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    rebuild = await begin_rebuild(made.host, plan_rebuild(made.host, of()))
    assert not rebuild.here
    made.go("new")
    outcome = await rebuild.follow(lambda: None)
    assert outcome.new
    assert rebuild.output.lines == ["microvm -u web", "built"]


def test_no_link_is_followed_to_the_output(made: Rebuildable) -> None:
    (made.host.records / FOLDER).mkdir(parents=True)
    (made.folder / "victim").write_text("precious")
    (made.host.records / FOLDER / "web").symlink_to(made.folder / "victim")
    with pytest.raises(MvtuiError, match="can't be written"):
        lasting_command.start(["/bin/true"], made.host.records, FOLDER, "web", {})
    assert (made.folder / "victim").read_text() == "precious"


def test_what_can_t_be_run_is_said(made: Rebuildable) -> None:
    with pytest.raises(MvtuiError, match="/none can't be run: no such file"):
        lasting_command.start(["/none"], made.host.records, FOLDER, "web", {})
    made.go("ok")

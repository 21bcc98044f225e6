"""grow: what is shown, what is asked, exit codes, the JSON document."""

import json
import sys
from pathlib import Path

import pytest

from mvtui.cli.grow import parse_size
from mvtui.cli.run import run
from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.growth import GrowPlan, GrowWay
from mvtui.model.overlay import Check
from mvtui.operations import growing
from mvtui.operations.growing import GrowOutcome
from tests.operations.sample import build_web
from tests.ui.growth_samples import GROWABLE, growth_of

Capture = pytest.CaptureFixture[str]
GIB = 1 << 30
PLAN = growth_of(GROWABLE, "data.img")._replace(microvm="web")
BUSY = PLAN._replace(checks=(Check("its units are stopped", False, "microvm@web.service is active", "mvtui stop web"),))
DONE = GrowOutcome("web", "grow", True, "web: data.img has 8.0G now, and its ext4 8.0G", seconds=0.25)


class Fake:
    """`asked` is what is planned and done; a plan or an outcome that is an error is raised."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.plan: GrowPlan | MvtuiError = PLAN
        self.outcome: GrowOutcome | MvtuiError = DONE
        self.asked: list[object] = []
        self.questions: list[str] = []
        self.yes = True
        monkeypatch.setattr(growing, "plan_growth", self.plan_growth)
        monkeypatch.setattr(growing, "run_growth", self.run_growth)
        monkeypatch.setattr("mvtui.cli.asking.can_ask", lambda: True)
        monkeypatch.setattr("mvtui.cli.grow.says_yes", self.says_yes)

    async def plan_growth(
        self, host: Host, name: str, image: str, wanted: int | None = None, *, way: GrowWay | None = None
    ) -> GrowPlan:
        self.asked.append((name, image, wanted, way))
        if isinstance(self.plan, MvtuiError):
            raise self.plan
        return self.plan

    async def run_growth(self, host: Host, plan: GrowPlan, on_progress: object = None) -> GrowOutcome:
        self.asked.append("run")
        if isinstance(self.outcome, MvtuiError):
            raise self.outcome
        return self.outcome

    async def says_yes(self, question: str) -> bool:
        self.questions.append(question)
        return self.yes


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    web = build_web(tmp_path)
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: web)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return Fake(monkeypatch)


def test_it_shows_the_plan_and_asks(fake: Fake, capsys: Capture) -> None:
    assert run(["grow", "web", "data.img", "8G"]) == 0
    assert fake.asked == [("web", "data.img", 8 * GIB, None), "run"]
    assert fake.questions == ["grow data.img of web to 8.0G on hv01?"]
    out = capsys.readouterr().out
    assert out.startswith("grow data.img of web to 8.0G on hv01\n  Image      /var/lib/microvms/lab/data.img\n")
    assert "  New        8.0G, as its definition file says\n" in out
    assert "  Steps      1 Make sure that nobody has it open, and lock it until all is done.\n" in out
    assert "  Checks     ok e2fsck and resize2fs are there\n" in out
    assert out.endswith(f"{DONE.words}\n")


def test_no_is_no(fake: Fake, capsys: Capture) -> None:
    fake.yes = False
    assert run(["grow", "web", "data.img", "--defined"]) == 3
    assert fake.asked == [("web", "data.img", None, None)]
    assert capsys.readouterr().err == "nothing was done\n"


def test_yes_shows_what_came_of_it_alone(fake: Fake, capsys: Capture) -> None:
    assert run(["grow", "web", "data.img", "8192", "--mount", "--yes"]) == 0
    assert fake.asked == [("web", "data.img", 8 * GIB, GrowWay.MOUNT), "run"]
    assert (fake.questions, capsys.readouterr().out) == ([], f"{DONE.words}\n")


@pytest.mark.parametrize("option", [["--yes"], ["--dry-run"], []])
def test_what_is_refused_is_not_asked_for(fake: Fake, capsys: Capture, option: list[str]) -> None:
    fake.plan = BUSY
    assert run(["grow", "web", "data.img", "8G", *option]) == 3
    assert fake.asked == [("web", "data.img", 8 * GIB, None)]
    assert "web: data.img is not grown: microvm@web.service is active\n" in capsys.readouterr().err


def test_a_dry_run_changes_nothing_also_where_all_else_is_refused(fake: Fake, capsys: Capture) -> None:
    assert run(["grow", "--read-only", "--dry-run", "web", "data.img", "8G"]) == 0
    assert run(["grow", "--read-only", "--yes", "web", "data.img", "8G"]) == 3
    assert "run" not in fake.asked


def test_for_programs(fake: Fake, capsys: Capture) -> None:
    assert run(["grow", "--yes", "--json", "web", "data.img", "8G"]) == 0
    told = json.loads(capsys.readouterr().out)
    plan = told.pop("plan")
    assert told == {
        "schema": 1,
        "host": "hv01",
        "microvm": "web",
        "image": "data.img",
        "action": "grow",
        "result": "done",
        "words": DONE.words,
        "hint": "",
        "seconds": 0.25,
    }
    assert (plan["size"], plan["way"], plan["ways"], plan["ok"]) == (8 * GIB, "resize", ["resize"], True)
    assert plan["facts"]["size"] == 2 * GIB


@pytest.mark.parametrize(
    ("plan", "result", "code"),
    [
        (PLAN, "planned", 0),
        (BUSY, "refused", 3),
        (PLAN._replace(nothing="it has 8.0G already"), "nothing", 3),
        (BUSY._replace(rights_missing=True), "refused", 77),
    ],
)
@pytest.mark.parametrize("option", ["--dry-run", "--yes"])
def test_what_a_plan_comes_to(fake: Fake, capsys: Capture, plan: GrowPlan, result: str, code: int, option: str) -> None:
    fake.plan = plan
    if option == "--yes" and plan.ok:
        result = "done"
    assert run(["grow", option, "--json", "web", "data.img", "8G"]) == code
    assert json.loads(capsys.readouterr().out)["result"] == result


def test_rights_that_are_missing_name_the_command(fake: Fake, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/mvtui", "grow", "web", "data.img", "8G"])
    fake.plan = BUSY._replace(rights_missing=True)
    assert run(["grow", "--yes", "web", "data.img", "8G"]) == 77
    assert capsys.readouterr().err.endswith("sudo /usr/bin/mvtui grow web data.img 8G\n")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (DONE._replace(ok=False, refused=True), 3),
        (DONE._replace(ok=False), 1),
        (RightsMissingError("to mount an image takes root", "root can do that"), 77),
    ],
)
def test_what_comes_of_it(fake: Fake, outcome: GrowOutcome | MvtuiError, code: int) -> None:
    fake.outcome = outcome
    assert run(["grow", "--yes", "web", "data.img", "8G"]) == code


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["web", "data.img"], 64, "grow takes a size, or --defined"),
        (["web", "data.img", "8G", "--defined"], 64, "grow takes a size, or --defined"),
        (["web", "data.img", "8X"], 64, "8X is no size"),
        (["web", "data.img", "0"], 64, "0 is no size"),
        (["web", "data.img", "-1G"], 64, ""),
        (["web", "data.img", "8G", "--json"], 3, "with --json nobody is asked"),
        (["wbe", "data.img", "8G", "--yes"], 1, "there is no microVM 'wbe'"),
        (["web"], 64, "IMAGE"),
    ],
)
def test_wrong_command_lines(fake: Fake, capsys: Capture, words: list[str], code: int, said: str) -> None:
    assert run(["grow", *words]) == code
    assert said in capsys.readouterr().err
    assert fake.asked == []


def test_no_such_volume(fake: Fake, capsys: Capture) -> None:
    fake.plan = MvtuiError("web has no volume x.img", "it has data.img")
    assert run(["grow", "--yes", "web", "x.img", "8G"]) == 1
    assert capsys.readouterr().err == "mvtui: web has no volume x.img\n  it has data.img\n"


@pytest.mark.parametrize(
    ("text", "count"),
    [("4096", 4 * GIB), ("4096M", 4 * GIB), ("4g", 4 * GIB), ("4GiB", 4 * GIB), ("1T", 1024 * GIB), ("1", 1 << 20)],
)
def test_sizes(text: str, count: int) -> None:
    assert parse_size(text) == count


def test_the_command_that_is_shown_can_be_pasted(capsys: Capture) -> None:
    """A completion writes such names, and the directory is an unprivileged user's."""
    assert run(["grow", "$(id)", "a b.img"]) == 64
    assert "mvtui grow '$(id)' 'a b.img' 4G" in capsys.readouterr().err

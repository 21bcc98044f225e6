"""reset, restore, arm and start --fresh: what is shown, what is asked, exit codes, the JSON documents."""

import json
import os
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from mvtui.cli.run import run
from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host.ports import Host
from mvtui.model.overlay import Armed
from mvtui.operations.overlay import ResetOutcome
from tests.cli.fake_overlay import NOTHING, PLAN, REFUSED, FakeOverlay, done
from tests.fakes import EPOCH
from tests.operations.sample import build_web

TEXT, JSON = Path(__file__).with_name("reset.txt"), Path(__file__).with_name("reset.json")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    web = build_web(tmp_path)
    git = web.state_dir / "git"
    git.mkdir()
    (git / "current").symlink_to((web.state_dir / "web/current").readlink())
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: web)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return web


@pytest.fixture
def fake(host: Host, monkeypatch: pytest.MonkeyPatch) -> FakeOverlay:
    fake = FakeOverlay()
    fake.install(monkeypatch)
    return fake


class Answers:
    """Somebody sits there and says this."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, yes: bool) -> None:
        self.questions: list[str] = []

        async def says_yes(question: str) -> bool:
            self.questions.append(question)
            return yes

        monkeypatch.setattr("mvtui.cli.asking.can_ask", lambda: True)
        monkeypatch.setattr("mvtui.cli.reset.says_yes", says_yes)


def golden(path: Path, text: str) -> None:
    if os.environ.get("MVTUI_RENEW_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


class Then(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Then":
        return cls.fromtimestamp(EPOCH.timestamp(), tz)


def test_a_dry_run_shows_the_plans(fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvtui.cli.reset.datetime", Then)
    fake.plans["git"] = REFUSED
    assert run(["reset", "--dry-run", "web", "git"]) == 3
    golden(TEXT, capsys.readouterr().out)
    assert fake.asked == []


def test_a_dry_run_for_programs(fake: FakeOverlay, capsys: Capture) -> None:
    fake.plans["git"] = REFUSED
    assert run(["reset", "--dry-run", "--json", "web", "git"]) == 3
    golden(JSON, capsys.readouterr().out)


def test_a_dry_run_of_what_would_be_done_exits_with_0_also_where_all_else_is_refused(fake: FakeOverlay) -> None:
    assert run(["reset", "--dry-run", "--read-only", "web"]) == 0
    assert run(["reset", "--yes", "--read-only", "web"]) == 3
    assert fake.asked == []


def test_a_dry_run_of_nothing(fake: FakeOverlay, capsys: Capture) -> None:
    fake.plans["git"] = NOTHING
    assert run(["reset", "--dry-run", "git"]) == 3
    assert "nothing to reset: the overlay is in the guest's memory" in capsys.readouterr().out
    assert run(["reset", "--dry-run", "--json", "git"]) == 3
    [reset] = json.loads(capsys.readouterr().out)["resets"]
    assert (reset["result"], reset["words"]) == ("nothing", "the overlay is in the guest's memory")


@pytest.mark.parametrize("option", [["--dry-run"], ["--dry-run", "--json"], []])
def test_rights_that_are_missing(
    fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    Answers(monkeypatch, yes=True)
    fake.plans["git"] = REFUSED._replace(rights_missing=True)
    monkeypatch.setattr("sys.argv", ["/usr/bin/mvtui", "reset", "web", "g\x1b"])
    assert run(["reset", *option, "git"]) == 77
    captured = capsys.readouterr()
    assert fake.asked == []
    if "--json" in option:
        assert json.loads(captured.out)["resets"][0]["result"] == "refused"
    else:
        assert captured.err == (
            "git: no reset: microvm@git.service is active\n  sudo /usr/bin/mvtui reset web 'g\\x1b'\n"
        )


def test_it_is_done_once_the_answer_is_yes(fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Answers(monkeypatch, yes=True)
    assert run(["reset", "web", "web"]) == 0
    assert somebody.questions == ["reset the overlay of web on hv01?"]
    assert fake.asked == [("reset", "web")]
    assert capsys.readouterr().out.endswith("web: reset: done\n")


def test_nothing_is_done_where_the_answer_is_no(
    fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Answers(monkeypatch, yes=False)
    assert run(["reset", "web"]) == 3
    assert fake.asked == []
    assert capsys.readouterr().err == "nothing was done\n"


def test_of_several_those_that_can_be_reset_are_asked_for(
    fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.plans["git"] = REFUSED
    somebody = Answers(monkeypatch, yes=True)
    assert run(["reset", "git", "web"]) == 3
    assert somebody.questions == ["reset the overlay of web on hv01?"]
    assert fake.asked == [("reset", "web")]
    assert capsys.readouterr().err == "git: no reset: microvm@git.service is active\n"


def test_nobody_is_asked_where_none_can_be_reset(fake: FakeOverlay, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.plans["git"] = REFUSED
    somebody = Answers(monkeypatch, yes=True)
    assert run(["reset", "git"]) == 3
    assert (somebody.questions, fake.asked) == ([], [])


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (["reset", "web"], 3, "nobody can be asked"),
        (["reset", "--discard", "web"], 3, "nobody can be asked"),
        (["reset", "--json", "web"], 3, "with --json nobody is asked"),
        (["reset", "--yes", "--strict", "web"], 64, "--strict needs --if-armed"),
        (["reset", "--yes", "--image", "a.img", "web", "git"], 64, "--image is for the reset of one microVM"),
        (["reset", "--if-armed", "--image", "a.img", "web"], 64, "--image is for the reset of one microVM"),
        (["reset", "--yes", "--discard", "--image", "a.img", "web"], 64, "--image is for the reset of one microVM"),
        (["reset", "--dry-run", "--discard", "web"], 64, "not allowed with argument"),
        (["reset", "--yes", "web", "wbe"], 1, "there is no microVM 'wbe'"),
        (["reset", "--yes", "a\x1b[31m"], 1, "there is no microVM 'a\\x1b[31m'"),
        (["restore", "wbe"], 1, 'did you mean "web"?'),
        (["arm", "wbe", "--once"], 1, 'did you mean "web"?'),
        (["start", "--fresh", "web", "wbe"], 1, 'did you mean "web"?'),
        (["arm", "web"], 64, "one of the arguments --once --always --off is required"),
        (["arm", "web", "--once", "--off"], 64, "not allowed with argument"),
        (["restore", "--read-only", "web"], 3, "leave --read-only out"),
        (["start", "--fresh", "--read-only", "web"], 3, "leave --read-only out"),
        (["arm", "--read-only", "--off", "web"], 3, "leave --read-only out"),
        (["reset", "--read-only", "--discard", "--yes", "web"], 3, "leave --read-only out"),
    ],
)
def test_refused_before_anything_is_done(
    fake: FakeOverlay, capsys: Capture, argv: list[str], code: int, says: str
) -> None:
    assert run(argv) == code
    captured = capsys.readouterr()
    assert says in captured.err
    assert (captured.out, fake.asked) == ("", [])


@pytest.mark.parametrize(
    ("argv", "action"),
    [
        (["reset", "--yes", "web"], ("reset", "web")),
        (["reset", "--yes", "--discard", "web"], ("discard", "web")),
        (["restore", "web"], ("restore", "web")),
        (["start", "--fresh", "web"], ("reset and start", "web")),
        (["arm", "web", "--once"], ("arm", "web", Armed.ONCE, False, False)),
        (["arm", "web", "--always", "--persistent", "--strict"], ("arm", "web", Armed.ALWAYS, True, True)),
        (["arm", "--off", "web"], ("arm", "web", None, False, False)),
    ],
)
def test_done(fake: FakeOverlay, capsys: Capture, argv: list[str], action: tuple[object, ...]) -> None:
    assert run(argv) == 0
    assert fake.asked == [action]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (f"web: {action[0]}: done\n", "")
    assert run([*argv, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["host"]) == (1, "hv01")
    [reset] = document["resets"]
    assert (reset["microvm"], reset["action"], reset["result"], reset["seconds"]) == ("web", action[0], "done", 0.25)
    assert reset["plan"]["image"]["allocated"] == 300 << 20


@pytest.mark.parametrize(
    ("outcome", "code", "result"),
    [
        (done("web")._replace(ok=False), 1, "failed"),
        (done("web")._replace(ok=False, refused=True), 3, "refused"),
        (done("web")._replace(ok=False, nothing=True), 3, "nothing"),
        (MvtuiError("disk full", "make room"), 1, "failed"),
        (MvtuiError("it runs", "stop it", ExitCode.REFUSED), 3, "refused"),
        (RightsMissingError("not yours", "sudo"), 77, "refused"),
    ],
)
@pytest.mark.parametrize("argv", [["reset", "--yes", "web", "git"], ["start", "--fresh", "web", "git"]])
def test_one_that_fails_stops_no_other(
    fake: FakeOverlay, capsys: Capture, outcome: object, code: int, result: str, argv: list[str]
) -> None:
    fake.outcomes["web"] = outcome  # type: ignore[assignment]
    assert run(argv) == code
    captured = capsys.readouterr()
    assert captured.err.startswith("web: ")
    assert captured.out.startswith("git: ")
    assert run([*argv, "--json"]) == code
    resets = json.loads(capsys.readouterr().out)["resets"]
    assert [(reset["microvm"], reset["result"]) for reset in resets] == [("web", result), ("git", "done")]


def test_what_the_host_says_acts_on_no_terminal(fake: FakeOverlay, capsys: Capture) -> None:
    fake.outcomes["web"] = MvtuiError("\x1b]0;x\x07\n", "\x1b[31m")
    assert run(["reset", "--yes", "web"]) == 1
    assert capsys.readouterr().err == "web: \\x1b]0;x\\x07\\n\n  \\x1b[31m\n"


def test_a_chosen_image_is_remembered_once_it_is_reset(fake: FakeOverlay, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["reset", "--dry-run", "--image", "rw.img", "web"]) == 0
    assert fake.asked == [("plan", {"web": "rw.img"})]
    fake.asked.clear()
    Answers(monkeypatch, yes=False)
    assert run(["reset", "--image", "rw.img", "web"]) == 3
    assert fake.asked == [("plan", {"web": "rw.img"})]
    fake.asked.clear()
    assert run(["reset", "--yes", "--image", "rw.img", "web"]) == 0
    assert fake.asked == [("plan", {"web": "rw.img"}), ("remember", "web", "rw.img"), ("reset", "web")]


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_chosen_image_that_is_none_of_its_own_is_neither_remembered_nor_reset(
    fake: FakeOverlay, capsys: Capture, option: list[str]
) -> None:
    fake.plans["git"] = REFUSED
    assert run(["reset", "--yes", "--image", "rw.img", "git", *option]) == 3
    assert fake.asked == [("plan", {"git": "rw.img"})]
    captured = capsys.readouterr()
    assert "microvm@git.service is active" in (
        json.loads(captured.out)["resets"][0]["words"] if option else captured.err
    )


def test_nothing_to_free_is_fine_and_nothing_to_reset_is_not(fake: FakeOverlay, capsys: Capture) -> None:
    nothing = done("web")._replace(ok=False, nothing=True, words="web: nothing")
    for argv, action, code, result in (
        (["reset", "--yes", "--discard"], "discard", 0, "nothing"),
        (["reset", "--yes"], "reset", 3, "nothing"),
        (["restore"], "restore", 3, "nothing"),
    ):
        fake.outcomes["web"] = nothing._replace(action=action)
        assert run([*argv, "web", "--json"]) == code
        assert json.loads(capsys.readouterr().out)["resets"][0]["result"] == result
    fake.outcomes["web"] = nothing._replace(action="reset and start", ok=True)
    assert run(["start", "--fresh", "web", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resets"][0]["result"] == "done"


def test_before_what_was_set_aside_is_freed_it_is_shown(
    fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mvtui.cli.reset.datetime", Then)
    somebody = Answers(monkeypatch, yes=True)
    assert run(["reset", "--discard", "web"]) == 0
    assert somebody.questions == ["free for good what was set aside of web on hv01?"]
    assert "100M of 2.0G, set aside 1h ago" in capsys.readouterr().out
    assert fake.asked == [("discard", "web")]


def test_where_nothing_is_set_aside_nobody_is_asked(
    fake: FakeOverlay, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = Answers(monkeypatch, yes=True)
    assert PLAN.facts is not None
    fake.plans["git"] = NOTHING
    fake.plans["web"] = PLAN._replace(facts=PLAN.facts._replace(kept=()))
    assert run(["reset", "--discard", "git", "web"]) == 0
    assert (somebody.questions, fake.asked) == ([], [])
    assert capsys.readouterr().out == "git: nothing is set aside\nweb: nothing is set aside\n"
    del fake.plans["web"]
    assert run(["reset", "--discard", "git", "web"]) == 0
    assert fake.asked == [("discard", "web")]


def test_what_may_not_be_looked_at_is_not_freed(fake: FakeOverlay, monkeypatch: pytest.MonkeyPatch) -> None:
    Answers(monkeypatch, yes=True)
    fake.plans["git"] = REFUSED._replace(facts=None, rights_missing=True)
    assert run(["reset", "--discard", "git"]) == 77
    assert run(["reset", "--discard", "git", "web"]) == 77
    assert fake.asked == [("discard", "web")]


@pytest.mark.parametrize("armed", [True, False])
def test_before_a_start_only_what_is_armed_is_said(fake: FakeOverlay, capsys: Capture, armed: bool) -> None:
    fake.armed = armed
    run(["reset", "--if-armed", "web"])
    out, err = capsys.readouterr()
    assert bool(out + err) is armed
    run(["reset", "--if-armed", "--json", "web"])
    assert [each["microvm"] for each in json.loads(capsys.readouterr().out)["resets"]] == ["web"]


def test_nobody_is_asked_before_what_is_older_is_freed(fake: FakeOverlay) -> None:
    assert run(["reset", "--free", "web"]) == 0
    assert fake.asked == [("free", "web")]
    fake.outcomes["web"] = ResetOutcome("web", "free", False, "web: there is nothing to free", nothing=True)
    assert run(["reset", "--free", "web"]) == 0


@pytest.mark.parametrize(("at_start", "strict"), [(0, False), (3, True)])
def test_before_a_start(fake: FakeOverlay, at_start: int, strict: bool) -> None:
    """It never looks whether there is such a microVM, and what it exits with is said by what is armed."""
    fake.at_start = at_start
    argv = ["reset", "--if-armed", *(["--strict"] if strict else []), "--", "nobody"]
    run(argv)
    assert fake.asked == [("give up later",), ("if armed", "nobody", strict), ("leave", at_start)]

"""mvtui check: the findings, the exit code, and that it has the same words as the list and the page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mvtui.cli.check import finding_lines
from mvtui.cli.run import run
from mvtui.host.event_record import read_events
from mvtui.host.host_look import look_at_host
from mvtui.model.finding import Finding, Severity
from mvtui.model.host_facts import Device, HostFacts
from mvtui.model.timeline import EventKind
from tests.operations.sick_host import SickHost, long_ago, sick_host

THERE = Device("/dev/kvm", True)
FINE = HostFacts(0, None, THERE, THERE, THERE, THERE)


@pytest.fixture
def sick(monkeypatch: pytest.MonkeyPatch) -> Iterator[SickHost]:
    with sick_host("direct") as host:
        host.give(host.home)  # in direct mode virtiofsd is no root
        monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: host.host)
        monkeypatch.setattr("mvtui.operations.doctor.look_at_host", lambda _: FINE)
        yield host


def test_nothing_wrong_is_0(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    sick.add()
    assert run(["check", "web"]) == 0
    assert capsys.readouterr().out == "1 microVM: nothing wrong\n"


def test_a_warning_is_1(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sick.add()
    sick.mkfs(directory / "data.img", label="data", size=32)
    assert run(["check"]) == 1
    out = capsys.readouterr().out
    assert "  warning  Volume data.img has 32M, its size says 64M." in out
    assert "           mend it: mvtui grow web data.img 64M\n" in out
    assert out.endswith("1 microVM and the host: 1 warning\n")


def test_an_error_is_2_and_the_worst_is_first(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sick.add("a")
    sick.mkfs(directory / "data.img", label="data", size=32)
    sick.add("web")
    (sick.states / "web" / "current").unlink()
    (sick.states / "web" / "current").symlink_to("/nix/store/gone")
    assert run(["check"]) == 2
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split()[0] for line in lines if line[:1].isalpha()]
    assert heads[:3] == ["hv01", "web", "a"]
    assert run(["check", "a"]) == 1


def test_it_has_the_same_words_as_list_and_show(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    sick.add()
    sick.run()
    sick.kill_daemons()
    assert run(["check", "web", "--json"]) == 2
    (checked,) = json.loads(capsys.readouterr().out)["microvms"]
    assert run(["list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["microvms"]
    assert run(["show", "web", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert checked["findings"] == listed["findings"] == shown["findings"]
    assert [finding["note"] for finding in checked["findings"]] == ["fsd home"]


def test_show_says_since_when_too(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sick.add()
    sick.mkfs(directory / "rw.img", made=long_ago())
    assert run(["check", "web"]) == 1
    told = next(line for line in capsys.readouterr().out.splitlines() if "warning" in line)
    assert "Since " in told
    assert run(["show", "web"]) == 0
    assert told.replace("warning  ", "warning: ") in capsys.readouterr().out.splitlines()


def test_json_has_the_host_where_no_name_is_given(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    sick.add()
    assert run(["check", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["counts"] == {"error": 0, "warning": 0, "info": 0}
    assert "KVM" in [looked["subject"] for looked in document["looked"]]
    assert run(["check", "--json", "web"]) == 0
    assert json.loads(capsys.readouterr().out)["looked"] == []


def test_a_name_that_nobody_has_is_64(sick: SickHost, capsys: pytest.CaptureFixture[str]) -> None:
    sick.add()
    assert run(["check", "wbe"]) == 64
    assert 'did you mean "web"?' in capsys.readouterr().err


def test_what_the_host_says_is_shown_as_text(sick: SickHost) -> None:
    finding = Finding(Severity.ERROR, "x", "x", "a\x1b[2Jb", "c\nd", "[red]e[/]")
    lines = list(finding_lines(finding, datetime.now(UTC)))
    assert all(line.isprintable() for line in lines)
    assert "[red]e[/]" in lines[1]


def test_a_look_at_this_host_never_raises(sick: SickHost) -> None:
    facts = look_at_host(sick.host)
    assert facts.spaces[0].path == str(sick.states)
    assert 0 <= facts.spaces[0].percent <= 100
    assert facts.files_most is None or facts.files_most > 0
    assert isinstance(facts.kvm.exists, bool)
    assert Path(facts.kvm.path) == Path("/dev/kvm")


def test_what_is_found_is_put_on_record_unless_nothing_may_be_written(
    sick: SickHost, capsys: pytest.CaptureFixture[str]
) -> None:
    sick.add()
    sick.run()
    sick.kill_daemons()
    for words in (["--read-only", "check"], ["list"], ["list", "--closer", "--read-only"]):
        run(words)
        assert read_events(sick.host.records) == ()
    for words in (["check"], ["list", "--closer"], ["show", "web"]):
        run(words)
        kinds = [one.event.kind for one in read_events(sick.host.records)]
        assert kinds == [EventKind.REBUILD, EventKind.FINDING]
    assert "finding  Share" in capsys.readouterr().out

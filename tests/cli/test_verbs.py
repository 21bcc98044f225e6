"""The verbs in-process: exit codes, texts, and the JSON documents as they are promised."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.armed import new_arming, write_arming
from mvtui.host.holders import HolderScan, ImageKey
from mvtui.host.ports import End, Host
from mvtui.model.facts import Holder, SourceFacts, SourceKind
from mvtui.model.overlay import Armed
from mvtui.model.unit import JobResult, UnitVerb
from tests.operations.sample import build_web, processes_of, run_web, units_of

GOLDEN = Path(__file__).with_name("web.json")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    web = build_web(tmp_path)
    monkeypatch.setattr("mvtui.cli.looking.open_host", lambda *_: web)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    return web


def test_list(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    run_web(host)
    assert run(["list"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "STATE", "AGE", "CPU%", "MEM", "used/max", "FSD", "OVERLAY", "NOTE"]
    assert row.split()[:3] == ["●", "web", "running"]
    assert "300M / 512M" in row
    assert " 1/1 " in row


def test_list_names_what_is_no_microvm(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    (host.state_dir / "notes\x1b[31m.txt").write_text("")
    assert run(["list"]) == 0
    out = capsys.readouterr().out
    assert "no microVM: notes" in out
    assert "\x1b" not in out


def test_many_strays_are_counted(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(20):
        (host.state_dir / f"note{number:02}").write_text("")
    assert run(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("note07 (a file) and 12 more")


def relative(value: Any, folder: str) -> Any:
    """`value` without the test's own folder."""
    if isinstance(value, dict):
        return {key: relative(each, folder) for key, each in value.items()}
    if isinstance(value, list):
        return [relative(each, folder) for each in value]
    return value.replace(folder, "") if isinstance(value, str) else value


class MadeUpSources:
    """The same on every machine."""

    def __init__(self, root: Path) -> None:
        assert root == Path("/")

    def read(self, path: str) -> SourceFacts:
        if path == "/nix/store":
            return SourceFacts(path, problem="/nix/store: permission denied; root can look at it")
        owner = {"uid": 993, "gid": 994, "mode": 0o2750, "user": "microvm", "group": None}
        fs = {"fs_type": "ext4", "mount_point": "/", "fs_read_only": False, "fs_size": 40 << 30, "fs_free": 12 << 30}
        return SourceFacts(path, True, SourceKind.DIRECTORY, **owner, **fs)  # type: ignore[arg-type]


def made_up_holders(images: list[ImageKey], owners: dict[int, str], root: Path) -> HolderScan:
    (image,) = images
    held = (Holder(100, "qemu", owners[100], "lock"), Holder(None, None, None, "loop device loop3"))
    return HolderScan({image: held}, True, owners)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvtui.operations.slow_facts.Sources", MadeUpSources)
    monkeypatch.setattr("mvtui.operations.slow_facts.find_holders", made_up_holders)


def test_show_json_is_what_was_promised(
    host: Host, capsys: pytest.CaptureFixture[str], tmp_path: Path, made_up: None
) -> None:
    run_web(host)
    (host.state_dir / "web" / "web-virtiofs-ro-store.sock").touch()
    image = host.state_dir / "web" / "nix-store-overlay.img"
    image.touch()
    os.truncate(image, 64 * 2**20)
    assert run(["show", "web", "--json"]) == 0
    document = relative(json.loads(capsys.readouterr().out), str(tmp_path))
    for share in document["shares"]:
        share["sourceExists"] = None  # /nix/store is there on some machines
    document["findings"] = [finding for finding in document["findings"] if "/nix/store" not in finding["what"]]
    document["note"] = ""
    *found, event = document["timeline"]
    assert {one["kind"] for one in found} == {"finding"}
    assert (event["kind"], event["what"][:15], event["user"]) == ("rebuild", "current became ", None)
    document["timeline"] = []  # of its time
    if os.environ.get("MVTUI_RENEW_GOLDEN"):
        GOLDEN.write_text(json.dumps(document, indent=2) + "\n")
    assert document == json.loads(GOLDEN.read_text())


def test_list_json_has_the_same_microvm(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    run_web(host)
    assert run(["show", "web", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert run(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["schema"] == shown["schema"] == 1
    assert shown["why"].startswith(listed["microvms"][0].pop("why"))  # who looks closer asks the guest, too
    asked = [listed["microvms"][0].pop(what) for what in ("guest", "drift")]
    assert asked == [None, None]  # not asked, not compared
    assert shown["guest"]["stage"] == "unknown"
    assert is_within(listed["microvms"][0], shown)
    assert shown["overlay"]["kept"] == []
    assert "sourceFacts" in shown["shares"][0]
    assert "heldBy" in shown["volumes"][0]


def test_what_is_armed(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    write_arming(host.records, "web", new_arming(Armed.ALWAYS))
    assert run(["list", "--json"]) == 0
    [listed] = json.loads(capsys.readouterr().out)["microvms"]
    assert (listed["armed"], "armed" in [finding["note"] for finding in listed["findings"]]) == ("always", True)
    assert run(["show", "web", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["armed"] == "always"
    assert run(["show", "web"]) == 0
    assert "It is armed: its overlay is reset before every start." in capsys.readouterr().out


def is_within(part: Any, whole: Any) -> bool:
    """Whether `whole` has all that `part` has, and more at most in its objects."""
    if isinstance(part, dict):
        return all(key in whole and is_within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(is_within, part, whole))
    return bool(part == whole)


def test_list_reads_nothing_of_what_takes_long(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError

    monkeypatch.setattr("mvtui.host.sources.Sources.read", refuse)
    monkeypatch.setattr("mvtui.host.holders.find_holders", refuse)
    run_web(host)
    assert run(["list"]) == 0
    assert run(["list", "--json"]) == 0


def test_show_says_what_stands_at_a_source_and_who_holds_an_image(
    host: Host, capsys: pytest.CaptureFixture[str], made_up: None
) -> None:
    run_web(host)
    (host.state_dir / "web" / "nix-store-overlay.img").touch()
    assert run(["show", "web"]) == 0
    out = capsys.readouterr().out.splitlines()
    store, docs = (next(i for i, line in enumerate(out) if f"  {tag} " in line) for tag in ("ro-store", "docs"))
    assert out[store + 1] == " " * 16 + "source: /nix/store: permission denied; root can look at it"
    assert out[docs + 1] == " " * 16 + "source: directory microvm:994 2750 on ext4, 12G of 40G free"
    volume = next(i for i, line in enumerate(out) if line.startswith("Volumes"))
    assert out[volume + 1] == " " * 16 + "held by qemu (pid 100 of web, locked), loop device loop3"


def test_show_finds_a_stranger_at_the_image(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing made up: a process that is no microVM's has the image open."""
    image = host.state_dir / "web" / "nix-store-overlay.img"
    image.touch()
    with image.open("rb") as file, subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(file.fileno(),)) as cat:
        assert run(["show", "web"]) == 0
        assert f"held by cat (pid {cat.pid} of no microVM)" in capsys.readouterr().out
        assert run(["show", "web", "--json"]) == 0
        held = json.loads(capsys.readouterr().out)["volumes"][0]["heldBy"]
        assert held == [{"pid": cat.pid, "command": "cat", "microvm": None, "how": "open"}]
        assert cat.stdin is not None
        cat.stdin.close()
    assert run(["show", "web", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["volumes"][0]["heldBy"] in ([], None)


def test_show_for_people(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    run_web(host, daemons=0)
    assert run(["show", "web"]) == 0
    out = capsys.readouterr().out
    assert "web  ▲ degraded" in out
    assert 'Share "ro-store" is down' in out
    assert "mend it: " in out
    assert "qemu  vcpu 2  memory 512M" in out


def test_show_of_nobody(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", "wbe"]) == 1
    assert capsys.readouterr().err == (
        f"mvtui: there is no microVM 'wbe' in {host.state_dir}\n  did you mean \"web\"?\n"
    )


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "kill"])
def test_verbs_act(host: Host, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert run([verb, "web", "web"]) == 0
    assert units_of(host).jobs == [(UnitVerb(verb), "microvm@web.service")]
    assert capsys.readouterr().out.startswith("microvm@web.service: done (")


def test_a_verb_asks_no_log_of_the_past(host: Host) -> None:
    class Log:
        def read(self, ends: Collection[End]) -> Mapping[End, datetime]:
            raise AssertionError(ends)

    host.end_times = Log()
    assert run(["start", "web"]) == 0
    units_of(host).units.clear()
    with pytest.raises(AssertionError, match="web"):
        run(["list"])


def test_a_verb_acts_on_nobody_where_one_name_is_wrong(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stop", "web", "nobody"]) == 1
    assert units_of(host).jobs == []
    assert "nobody" in capsys.readouterr().err


def test_one_that_fails_stops_no_other(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    other = host.state_dir / "another"
    other.mkdir()
    (other / "current").symlink_to((host.state_dir / "web" / "current").readlink())
    name = "microvm@another.service"
    units_of(host).outcomes[name] = JobResult(name, "failed", "another: failed: exit 1")
    assert run(["start", "another", "web", "--json"]) == 1
    results = json.loads(capsys.readouterr().out)["results"]
    assert [(result["name"], result["ok"]) for result in results] == [("another", False), ("web", True)]


@pytest.mark.parametrize(
    ("error", "code"),
    [(RightsMissingError("stop is not allowed", "use sudo"), 77), (MvtuiError("no bus", "start dbus"), 1)],
)
def test_refused(host: Host, capsys: pytest.CaptureFixture[str], error: MvtuiError, code: int) -> None:
    units_of(host).refusal = error
    assert run(["stop", "web"]) == code
    assert capsys.readouterr().err == f"{error.message}\n  {error.hint}\n"


def test_read_only_refuses(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--read-only", "stop", "web"]) == 3
    assert units_of(host).jobs == []


def test_units_that_do_not_answer(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    units_of(host).error = MvtuiError("can't reach the bus: it is gone", "start dbus")
    assert run(["list"]) == 1
    captured = capsys.readouterr()
    assert "web" in captured.out, "what is known is shown all the same"
    assert captured.err == "mvtui: can't reach the bus. It is gone.\n  start dbus\n"


@pytest.mark.parametrize("name", ["a\nb", "\x1b]0;x\x07", "[red]db[prod]", "日本", "\udcff", "-x"])
def test_odd_names(host: Host, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (host.state_dir / name).mkdir()
    (host.state_dir / name / "current").symlink_to("/nowhere")
    processes_of(host).living = {}
    assert run(["list"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 3
    assert "\x1b" not in out
    assert run(["show", "--json", "--", name]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name
    assert run(["show", "--", name]) == 0


def program(*argv: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mvtui", *argv],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error", **environ},
    )


def test_no_panel_without_a_terminal(tmp_path: Path) -> None:
    result = program("--state-dir", str(tmp_path), "--manager", "direct")
    assert "no panel, because this is no terminal" in result.stderr
    assert "There are no microVMs" in result.stdout
    assert result.returncode == 0


def test_no_state_directory(tmp_path: Path) -> None:
    result = program("list", "--state-dir", str(tmp_path / "x"), "--manager", "direct")
    assert (result.returncode, result.stdout) == (1, "")
    assert "does not exist" in result.stderr
    assert "mvtui demo" in result.stderr


@pytest.mark.parametrize("environ", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}])
def test_ascii_where_there_is_nothing_else(tmp_path: Path, environ: dict[str, str]) -> None:
    build_web(tmp_path)
    states = str(tmp_path / "microvms")
    result = program("list", "--state-dir", states, "--manager", "direct", **environ)
    assert result.stdout.isascii()
    assert result.stdout.splitlines()[1].startswith("- web")


@pytest.mark.parametrize("verb", ["list", "list --json", "completion bash"])
def test_a_full_disk_is_a_message(tmp_path: Path, verb: str) -> None:
    build_web(tmp_path)
    where = [] if "completion" in verb else ["--state-dir", str(tmp_path / "microvms"), "--manager", "direct"]
    with open("/dev/full", "w") as full:
        argv = [sys.executable, "-m", "mvtui", *verb.split(), *where]
        result = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "mvtui: the output can't be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_descriptors_are_no_error(tmp_path: Path, closed: str) -> None:
    build_web(tmp_path)
    command = f"exec {sys.executable} -m mvtui list --state-dir {tmp_path}/microvms --manager direct {closed}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    build_web(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "mvtui", "list", "--state-dir", str(tmp_path / "microvms"), "--manager", "direct"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


def test_list_imports_nothing_that_takes_longer_than_the_list(tmp_path: Path) -> None:
    heavy = (
        "textual",
        "rich",
        "pydantic",
        "dbus_fast",
        "asyncio",
        "dataclasses",
        "json",
        "subprocess",
        "socket",
        "ctypes",
        "qemu",
        "mvtui.operations.guests",
        "mvtui.model.guest",
    )
    program_text = (
        "import sys; from mvtui.cli.run import run; "
        f"run(['list', '--state-dir', {str(tmp_path)!r}, '--manager', 'direct']); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program_text], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    check: Callable[[list[str]], int] = run
    with pytest.raises(SystemExit):
        check(["--version"])
    assert capsys.readouterr().out.startswith("mvtui 0.")


def test_since_is_utc_and_ends_in_z(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    run_web(host)
    units_of(host).units["microvm@web.service"] = units_of(host).units["microvm@web.service"]._replace()
    assert run(["show", "web", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["since"] == "2026-08-01T12:00:00Z"


def test_missing_rights_exit_with_77_and_name_what_would_give_them(tmp_path: Path) -> None:
    states = tmp_path / "states"
    states.mkdir(mode=0o000)
    argv = [sys.executable, "-m", "mvtui", "list", "--state-dir", str(states), "--manager", "direct"]
    if os.geteuid() == 0:  # whom file modes mean nothing
        without = "-dac_override,-dac_read_search"
        argv = ["setpriv", f"--inh-caps={without}", f"--bounding-set={without}", *argv]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert result.returncode == 77, result.stderr
    assert "permission denied" in result.stderr
    assert "run mvtui as root, or in group kvm" in result.stderr

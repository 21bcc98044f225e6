"""Whatever lies in the state directory and wherever output goes: a message, or a note on that row; the rest works."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.model.definition import Definition, Volume
from tests.host.living import hypervisor, spawning
from tests.host.state_dirs import fresh_state_dir, without_rights
from tests.ui.terminal import TerminalProgram

Capture = pytest.CaptureFixture[str]
Make = Callable[[Path], object]

DEFINITION = Definition(host_name="web", mem=512, volumes=(Volume("data.img", mount_point="/data", size=64),))
MARKUP = "[/red]\x1b[31m\n"


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """With a microVM `good`, of which nothing can be said but that it is stopped."""
    with fresh_state_dir() as made:
        add(made, "good")
        yield made


def add(state_dir: Path, name: str) -> Path:
    """A microVM with a runner of its own; the runner."""
    place = state_dir.parent / f"runner-{len(os.listdir(state_dir))}"
    runner = build_runner(DEFINITION, place, Tools(hypervisor="/bin/qemu-system-x86_64"))
    system = place.with_name(f"{place.name}-guest")
    (system / "etc").mkdir(parents=True)
    (system / "etc/fstab").write_text("/dev/vda /data ext4 defaults 0 2\n")
    (runner / "share/microvm/system").symlink_to(system)
    (state_dir / name).mkdir()
    (state_dir / name / "current").symlink_to(runner)
    return runner


def listed(state_dir: Path, capsys: Capture) -> dict[str, Any]:
    """What `mvtui list --json` says, by name. `good` is as it should be, and `show` works for all of them."""
    options = ["--manager", "direct", "--state-dir", str(state_dir)]
    capsys.readouterr()
    assert run(["list", "--json", *options]) == 0
    rows = {each["name"]: each for each in json.loads(capsys.readouterr().out)["microvms"]}
    good = rows["good"]
    assert (good["state"], good["mem"], good["note"], good["findings"]) == ("stopped", 512 * 2**20, "", [])
    assert run(["list", *options]) == 0
    for name in rows:
        assert run(["show", *options, "--", name]) == 0
        assert run(["show", "--json", *options, "--", name]) == 0
    assert all(char.isprintable() for line in capsys.readouterr().out.split("\n") for char in line)
    return rows


def said(row: dict[str, Any]) -> str:
    """All that is said of what is wrong with it."""
    return " ".join([row["why"], *(finding["what"] for finding in row["findings"])])


def no_rights(path: Path) -> None:
    path.mkdir()
    path.chmod(0o700 if os.geteuid() == 0 else 0)


STATE_DIRS: dict[str, tuple[Make, int, str]] = {
    "none": (lambda path: None, 1, "does not exist"),
    "a file": (lambda path: path.write_text("x"), 1, "is not a directory"),
    "a fifo": (os.mkfifo, 1, "is not a directory"),
    "a loop of links": (lambda path: path.symlink_to(path), 1, "is a loop of links"),
    "one without rights": (no_rights, 77, "can't be read: permission denied"),
}


@pytest.mark.parametrize("what", STATE_DIRS)
def test_a_state_directory_that_is_none(what: str, state_dir: Path, capsys: Capture) -> None:
    make, code, says = STATE_DIRS[what]
    path = state_dir.parent / "other"
    make(path)
    listed(state_dir, capsys)  # what is imported now need not be later, without rights
    with without_rights():
        assert run(["list", "--json", "--manager", "direct", "--state-dir", str(path)]) == code
    captured = capsys.readouterr()
    assert json.loads(captured.out)["microvms"] == []
    assert captured.err.startswith(f"mvtui: {path} {says}")


NAMES = ["a\nb", "\x1b[31mred\x1b]0;x\x07", "[red]", "[", "\udcff", "\u202ertl", "-x", "--help", " ", "n" * 255, "日本"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name(name: str, state_dir: Path, capsys: Capture) -> None:
    add(state_dir, name)
    assert listed(state_dir, capsys)[name]["state"] == "stopped"


def to(target: str) -> Make:
    return lambda path: path.symlink_to(target)


# What stands there in place of what should, the state, what is said of it.
ENTRIES: dict[str, tuple[str, Make, str, str]] = {
    "current is a loop": ("current", to("current"), "stopped", "/current is a loop of links"),
    "current is markup": ("current", to(MARKUP), "orphan", f"current points to {MARKUP}, which"),
    "current is a device": ("current", to("/dev/zero"), "stopped", "/dev/zero: Not a directory"),
    "current is a fifo": ("current", os.mkfifo, "unknown", "/current is no link"),
    "booted is a directory": ("booted", Path.mkdir, "stopped", "/booted is no link"),
    "flake is a fifo": ("flake", os.mkfifo, "stopped", "/flake is no file"),
    "flake is a link": ("flake", to("/etc/shadow"), "stopped", "/flake is no file"),
    "flake is long": ("flake", lambda path: path.write_text(MARKUP * 100_000), "stopped", ""),
}


@pytest.mark.parametrize("what", ENTRIES)
def test_an_entry(what: str, state_dir: Path, capsys: Capture) -> None:
    name, make, state, says = ENTRIES[what]
    add(state_dir, "bad")
    (state_dir / "bad" / name).unlink(missing_ok=True)
    make(state_dir / "bad" / name)
    row = listed(state_dir, capsys)["bad"]
    assert row["state"] == state
    assert says in said(row)
    assert bool(row["note"]) == bool(says)


def test_a_directory_without_rights(state_dir: Path, capsys: Capture) -> None:
    add(state_dir, "bad")
    listed(state_dir, capsys)
    (state_dir / "bad").chmod(0)
    with without_rights():
        row = listed(state_dir, capsys)["bad"]
    assert (row["state"], row["note"]) == ("unknown", "unreadable")
    assert "permission denied" in said(row)


SCRIPT, FSTAB = "bin/microvm-run", "share/microvm/system/etc/fstab"
FILES = {
    "empty": (SCRIPT, b"", "microvm-run has no exec line"),
    "binary": (SCRIPT, bytes(range(256)) * 40, "microvm-run has no exec line"),
    "10 MB": (SCRIPT, b"#" * 10_000_000, "microvm-run: is larger than 1024 KiB"),
    "unbalanced quotes": (SCRIPT, b"exec qemu-system-x86_64 -name 'web", "an exec line with unbalanced quotes"),
    "garbage": (FSTAB, b"\x00\xff [/red]\n/dev/vda\n" * 99, "/etc/fstab: 198 lines are no entries"),
    "markup": ("share/microvm/hypervisor", MARKUP.encode(), "share/microvm/hypervisor names none that is known"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_of_its_runner(what: str, state_dir: Path, capsys: Capture) -> None:
    name, content, says = FILES[what]
    path = add(state_dir, "bad") / name
    path.unlink()  # read-only, as all in the store
    path.write_bytes(content)
    row = listed(state_dir, capsys)["bad"]
    assert (row["state"], row["note"]) == ("stopped", "runner ?")
    assert says in said(row)


def test_processes_that_die_while_they_are_read(state_dir: Path, capsys: Capture) -> None:
    script = state_dir.parent / "microvm-run"
    script.write_text("while :; do /bin/true; done")
    (state_dir / "bad").mkdir()
    with spawning() as spawn:
        spawn(state_dir / "bad", "sh", str(script))
        for _ in range(10):
            assert listed(state_dir, capsys)["bad"]["processes"]


def test_processes_with_odd_names(state_dir: Path, capsys: Capture) -> None:
    with spawning() as spawn:
        for argv0 in ("microvm@\x1b]0;x\x07", "microvm@[/red]\n", "microvm@\udcff"):
            spawn(state_dir / "good", argv0, "1000", executable="/bin/sleep")
        assert len(listed(state_dir, capsys)["good"]["processes"]) == 3


@pytest.mark.parametrize("jump", [timedelta(days=-10_000), timedelta(days=10_000)])
def test_a_clock_that_jumps(jump: timedelta, state_dir: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    class Jumped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Jumped":
            return cls.fromtimestamp((datetime.now(UTC) + jump).timestamp(), tz)

    monkeypatch.setattr("mvtui.cli.run.datetime", Jumped)
    with spawning() as spawn:
        hypervisor(spawn, state_dir / "good")
        assert len(listed(state_dir, capsys)["good"]["processes"]) == 1


@pytest.mark.parametrize("bus", ["absent", "refuses", "hangs"])
def test_a_bus_that_does_not_answer(
    bus: str, state_dir: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    with socket.socket(socket.AF_UNIX) as listener:
        if bus != "absent":
            listener.bind(f"{tmp_path}/bus")
        if bus == "hangs":
            listener.listen()
        assert run(["list", "--json", "--manager", "systemd", "--state-dir", str(state_dir)]) == 1
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)["microvms"]
    assert (row["name"], row["state"], row["mem"]) == ("good", "unknown", 512 * 2**20)
    assert captured.err.startswith("mvtui: ")
    assert "--manager direct" in captured.err


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_pipe(closed: str, state_dir: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = ["list" if closed == "stdout" else "nonsense", "--manager", "direct", "--state-dir", str(state_dir)]
    with subprocess.Popen(
        [sys.executable, "-m", "mvtui", *argv],
        stdout=writing if closed == "stdout" else subprocess.PIPE,
        stderr=writing if closed == "stderr" else subprocess.PIPE,
    ) as process:
        os.close(writing)
        assert [said for said in process.communicate() if said] == []
    assert process.returncode == (141 if closed == "stdout" else 64)


def panel(state_dir: Path, size: tuple[int, int] = (80, 24)) -> TerminalProgram:
    options = ["--manager", "direct", "--state-dir", str(state_dir)]
    return TerminalProgram(["-m", "mvtui", *options], size=size, pipe=False)


def left_clean(program: TerminalProgram) -> bool:
    return program.modes[25] and not program.modes[1049] and b"Traceback" not in program.written


def test_names_and_links_in_the_panel(state_dir: Path) -> None:
    for name in ("a\nb", "\x1b[2J", "[red]", "\udcff", "\u202ertl"):
        (state_dir / name).mkdir()
        (state_dir / name / "current").symlink_to(f"{name}\x1b]0;planted\x07[/red]")
    with panel(state_dir) as program:
        program.see("6 VMs")
        for name in (r"a\nb", r"\x1b[2J", "[red]", r"\udcff", r"\u202ertl"):
            program.see(f"? {name}")
        program.type("G")
        program.see("6/6")
        program.type("q")
        assert program.end() == 0
        assert b"planted\x07" not in program.written
        assert left_clean(program)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("size", [(10, 3), (80, 24)])
def test_the_panel_ended_by_a_signal(number: signal.Signals, size: tuple[int, int], state_dir: Path) -> None:
    (state_dir / "bad").mkdir()
    os.mkfifo(state_dir / "bad" / "current")
    with panel(state_dir, size) as program:
        program.see("bad")
        program.process.send_signal(number)
        assert program.end() in (128 + number, -number)
        assert left_clean(program)


def test_a_pipe_that_another_has_set_not_to_block_gets_all() -> None:
    """Half of a document came out, with exit code 0."""
    whole = subprocess.run([sys.executable, "-m", "mvtui", "completion", "bash"], capture_output=True, check=True)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    try:
        child = subprocess.Popen([sys.executable, "-m", "mvtui", "completion", "bash"], stdout=writing)
        os.close(writing)
        with open(reading, "rb") as pipe:
            assert pipe.read() == whole.stdout
        assert child.wait() == 0
    finally:
        child.kill()
        child.wait()

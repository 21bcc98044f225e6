"""`mvtui bundle`: what is in it, what is not, and where it goes."""

import json
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.cli.run import run
from mvtui.errors import ExitCode
from mvtui.operations import bundle
from tests.cli.test_bad_input import add
from tests.host.living import spawning
from tests.host.state_dirs import fresh_state_dir, without_rights

Capture = pytest.CaptureFixture[str]
SECRET = "hunter2-Zx81"


@pytest.fixture
def state_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    with fresh_state_dir() as made:
        add(made, "web")
        monkeypatch.chdir(tmp_path)
        yield made


def make(state_dir: Path, *words: str) -> int:
    return run(["bundle", *words, "--manager", "direct", "--state-dir", str(state_dir)])


def read(path: Path) -> dict[str, str]:
    """What is in it, by the names of its files."""
    with tarfile.open(path) as archive:
        assert all(one.isreg() for one in archive.getmembers())
        return {
            one.name.partition("/")[2]: (archive.extractfile(one) or pytest.fail(one.name)).read().decode()
            for one in archive.getmembers()
        }


def define(state_dir: Path, text: str) -> None:
    definitions = state_dir.parent / "definitions"
    definitions.mkdir(exist_ok=True)
    (definitions / "web.toml").write_text(text)


def test_what_is_in_it(state_dir: Path, capsys: Capture, tmp_path: Path) -> None:
    define(state_dir, f'mem = 512\npassword = "{SECRET}"\ncredentialFiles = {{ login = "/run/secrets/login" }}\n')
    (state_dir / "web" / "microvm.log").write_text(f"boots\n\x1b[31mpassword={SECRET}\n")
    assert make(state_dir, "web", "-o", "a.tar.gz") == 0
    said = capsys.readouterr().out
    files = read(tmp_path / "a.tar.gz")
    assert list(files) == [
        *("CONTENTS.txt", "show.json", "check.json", "definition.toml", "logs.txt", "host.txt"),
        *(["calls.txt"] if "calls.txt" in files else []),
    ]
    assert json.loads(files["show.json"])["name"] == "web"
    assert json.loads(files["check.json"])["microvms"][0]["name"] == "web"
    assert files["definition.toml"] == (
        'mem = 512\npassword = "[left out]"\ncredentialFiles = { login = "/run/secrets/login" }\n'
    )
    assert "boots" in files["logs.txt"]
    assert "\\x1b[31mpassword=[left out]" in files["logs.txt"]
    assert f"kernel Linux {os.uname().release}" in files["host.txt"]
    assert not any(SECRET in text or "\x1b" in text for text in files.values())
    # It says what is in it, and what is not.
    assert f"{tmp_path}/a.tar.gz" in said
    for name in files:
        assert f"  {name}" in said
        assert name in files["CONTENTS.txt"] or name == "CONTENTS.txt"
    for words in ("processes.txt    not in it: nothing of it runs", "units.txt        not in it: there are none"):
        assert words in said
    assert "2 values that look like secrets were left out" in said
    assert "2 values that look like secrets were left out" in files["CONTENTS.txt"]
    assert stat.S_IMODE((tmp_path / "a.tar.gz").stat().st_mode) == 0o600


def test_no_environment_of_a_process_and_no_secret_of_its_words(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MVTUI_TEST_SECRET", SECRET)
    words = ("-m", "512M", "-smbios", f"type=11,value=io.systemd.credential:login={SECRET}", f"--password={SECRET}")
    with spawning() as spawn:
        spawn(state_dir / "web", "microvm@web", "-c", "kill -STOP $$", *words, executable="/bin/sh")
        assert make(state_dir, "web", "-o", "a.tar.gz") == 0
    files = read(tmp_path / "a.tar.gz")
    assert "io.systemd.credential:login=[left out]" in files["processes.txt"]
    assert "--password=[left out]" in files["processes.txt"]
    assert not any(SECRET in text for text in files.values())


def test_json(state_dir: Path, capsys: Capture, tmp_path: Path) -> None:
    assert make(state_dir, "web", "-o", "a.tar.gz", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["name"], told["path"]) == (1, "web", f"{tmp_path}/a.tar.gz")
    assert told["size"] == (tmp_path / "a.tar.gz").stat().st_size
    assert {one["name"]: one["size"] for one in told["members"]} == {
        name: len(text.encode()) for name, text in read(tmp_path / "a.tar.gz").items()
    }
    assert {one["part"] for one in told["missing"]} >= {"units.txt", "processes.txt", "definition.toml"}
    assert told["leftOut"] == 0


def test_where_it_goes_where_nothing_is_said(state_dir: Path, tmp_path: Path) -> None:
    assert make(state_dir, "web") == 0
    (name,) = os.listdir(tmp_path)
    assert name.startswith("mvtui-web-")
    assert name.endswith(".tar.gz")


def test_never_over_what_is_there(state_dir: Path, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").symlink_to(tmp_path / "elsewhere")
    assert make(state_dir, "web", "-o", "a.tar.gz") == ExitCode.REFUSED
    assert "a.tar.gz is there already" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["a.tar.gz"]


def test_words_that_mean_nothing(state_dir: Path, capsys: Capture) -> None:
    assert make(state_dir, "none") == ExitCode.FAILED
    assert make(state_dir) == ExitCode.USAGE
    assert make(state_dir, "web", "-o", "") == ExitCode.USAGE
    assert make(state_dir, "web", "-o", "/nowhere/a.tar.gz") == ExitCode.FAILED
    assert "/nowhere/a.tar.gz can't be written: no such file or directory" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="root gives its rights away")
def test_no_rights(state_dir: Path, capsys: Capture) -> None:
    (state_dir.parent / "locked").mkdir(mode=0o755)
    with without_rights():
        assert make(state_dir, "web", "-o", str(state_dir.parent / "locked" / "a")) == ExitCode.NO_RIGHTS
    assert "-o names a file where you may write" in capsys.readouterr().err


def test_it_stays_small(state_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 4096)
    define(state_dir, "mem = 512\n" + "# a comment\n" * 5000)
    (state_dir / "web" / "microvm.log").write_text("".join(f"line {number}\n" for number in range(1900)))
    assert make(state_dir, "web", "-o", "a.tar.gz") == 0
    files = read(tmp_path / "a.tar.gz")
    assert all(len(text.encode()) <= 4096 for name, text in files.items() if name != "CONTENTS.txt")
    assert files["definition.toml"].startswith("mem = 512\n")
    assert files["definition.toml"].endswith("larger than a bundle takes\n")
    assert files["logs.txt"].startswith("… cut here")
    assert files["logs.txt"].endswith("line 1899\n")

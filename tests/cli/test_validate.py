"""`mvtui validate`, in-process and as people run it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run

RIGHT = 'mem = 512\n[[volumes]]\nimage = "a.img"\nmountPoint = "/var"\nsize = 512\n'
WRONG = """\
# what web has
mem = 16

[[shares]]
tag = "home"
source = "/srv/home"
mountPoint = "/home/"

[[shares]]
tag = "home"
source = "srv"
mountPoint = "/srv"
"""
SAID = """\
web.toml:2:1: warning: mem: 16 MiB of memory are uncomfortably narrow.
    mend it: mem = 512
web.toml:7:1: error: shares[0].mountPoint: "/home/" ends with a slash, which NixOS refuses.
    mend it: write "/home"
web.toml:10:1: error: shares[1].tag: The tag "home" is that of shares[0] too. The guest finds a share by its tag.
    mend it: give each share a tag of its own
web.toml:11:1: warning: shares[1].source: "srv" is relative: it lies in the microVM's state directory. \
systemd-tmpfiles does not make it: it takes absolute paths alone.
    mend it: write the whole path, or make the directory yourself
1 file, 1 invalid: 2 errors, 2 warnings
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right.toml").write_text(RIGHT)
    (tmp_path / "web.toml").write_text(WRONG)
    return tmp_path


def _document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_is_wrong_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "web.toml"]) == 2
    assert capsys.readouterr().out == SAID


def test_right_ones_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "right.toml"]) == 0
    assert capsys.readouterr().out == "1 file, valid\n"
    assert run(["validate", "right.toml", "right.toml"]) == 0
    assert capsys.readouterr().out == "2 files, all valid\n"


def test_warnings_are_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "narrow.toml").write_text("mem = 16\n")
    assert run(["validate", "narrow.toml"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 file, valid: 1 warning"


def test_one_of_several(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "right.toml", "web.toml", "nothing.toml"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "3 files, 2 invalid: 3 errors, 2 warnings"
    assert lines[-2] == "nothing.toml: error: there is no such file"


def test_the_hypervisor_that_is_named_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.toml").write_text('hypervisor = "qemu"\nshares = [{tag="a", source="/a", mountPoint="/a"}]\n')
    assert run(["validate", "a.toml"]) == 0
    capsys.readouterr()
    assert run(["validate", "a.toml", "--hypervisor", "firecracker"]) == 2
    assert "a.toml:2:11: error: shares[0].proto: firecracker has no shares." in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--json", "right.toml", "web.toml"]) == 2
    document = _document(capsys)
    assert document["schema"] == 1
    right, web = document["files"]
    assert right == {"path": "right.toml", "valid": True, "findings": []}
    assert (web["path"], web["valid"], len(web["findings"])) == ("web.toml", False, 4)
    assert web["findings"][1] == {
        "severity": "error",
        "subject": "shares[0].mountPoint",
        "line": 7,
        "column": 1,
        "what": '"/home/" ends with a slash, which NixOS refuses.',
        "why": "",
        "fix": 'write "/home"',
    }


def test_no_toml(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.toml").write_text("mem = 1\nmem = 2\n")
    assert run(["validate", "--json", "a.toml"]) == 2
    (finding,) = _document(capsys)["files"][0]["findings"]
    assert (finding["line"], finding["column"], finding["subject"]) == (2, 8, "")
    assert finding["what"].startswith("Cannot overwrite a value")
    assert finding["fix"].startswith("a key stands once")


def test_a_file_that_can_not_be_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "fifo.toml")
    assert run(["validate", "fifo.toml", "."]) == 2
    out = capsys.readouterr().out
    assert "fifo.toml: error: is not a regular file" in out
    assert "\n.: error: is not a regular file" in out


def test_nothing_in_a_file_acts_on_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "[bold]\x1b[31m\n.toml"
    (folder / name).write_text(
        'user = "\\u001b[2J"\n"\\u001b[31m\\n" = 1\n[[volumes]]\nimage = "\\u001b\\u202e"\nsize = 1\n'
    )
    assert run(["validate", name]) == 2
    assert run(["validate", "--json", name]) == 2
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[bold]\\x1b[31m\\n.toml:2:1: error:" in out


def test_it_needs_a_file_and_a_known_hypervisor(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == 64
    assert run(["validate", "web.toml", "--hypervisor", "xen"]) == 64
    assert "invalid choice: 'xen'" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["list", "validate"])
def test_what_is_imported(folder: Path, verb: str) -> None:
    words = ["list", "--state-dir", str(folder)] if verb == "list" else ["validate", "web.toml"]
    code = (
        "import sys; from mvtui.cli.run import run; run(sys.argv[1:]);"
        "print({name: name in sys.modules for name in ('pydantic', 'textual', 'dbus_fast')}, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    loaded = ran.stderr.splitlines()[-1]
    assert f"'pydantic': {verb == 'validate'}" in loaded
    assert "'textual': False" in loaded


def test_a_name_that_is_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b"\xff.toml")
    (folder / name).write_text('[[shares]]\nproto = "virtiofs"\ntag = "a"\nsource = "/a"\nmountPoint = "/a"\n')
    assert run(["validate", name]) == 0
    assert "1 file, valid" in capsys.readouterr().out

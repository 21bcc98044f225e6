"""Whatever stands where an overlay should be, and whatever is on record of it: a message, and nothing is touched."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvtui.cli.run import run
from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner
from mvtui.host import direct
from mvtui.host.records import forget_records, remember_image
from mvtui.host.records_place import records_of
from mvtui.host.run_directory import run_directory
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from tests.cli.test_bad_input import MARKUP, NAMES
from tests.host.state_dirs import NOBODY, fresh_state_dir

Capture = pytest.CaptureFixture[str]
SECRET = "a secret of root's"


@pytest.fixture
def state_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Of a user who is not root, with a file beside it that is none of its business. Keepers report beside it too, not
    in the /run of who runs the tests: what they refuse to start stays there as failed."""
    with fresh_state_dir() as made:
        monkeypatch.setattr(direct, "run_directory", lambda path, _: run_directory(path, made.parent))
        (made.parent / "secret").write_text(SECRET)
        (made.parent / "secret").chmod(0o600)
        give(made)
        try:
            yield made
        finally:
            forget_records(made)


def give(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def add(state_dir: Path, name: str = "bad", volume: Volume | None = None) -> Path:
    """A microVM with an overlay, whose image is not there yet; its directory."""
    store = Share("ro-store", ShareProto.VIRTIOFS, source="/nix/store", mount_point="/nix/.ro-store")
    overlay = volume or Volume("rw.img", mount_point="/nix/.rw-store", size=8)
    definition = Definition(
        host_name="bad", mem=512, shares=(store,), volumes=(overlay,), writable_store_overlay="/nix/.rw-store"
    )
    runner = state_dir.parent / f"runner-{len(os.listdir(state_dir))}"
    build_runner(definition, runner, Tools(hypervisor="/bin/qemu-system-x86_64", mkfs_path=("/usr/sbin", "/sbin")))
    (state_dir / name).mkdir()
    (state_dir / name / "current").symlink_to(runner)
    give(state_dir / name)
    return state_dir / name


def refused(state_dir: Path, capsys: Capture, code: int = 3) -> dict[str, Any]:
    """What is said of `bad`, in JSON, where every way to reset it ends with `code`."""
    options = ["--manager", "direct", "--state-dir", str(state_dir)]
    capsys.readouterr()
    assert run(["reset", "--dry-run", *options, "bad"]) == code
    assert run(["reset", "--yes", *options, "bad"]) == code
    run(["restore", *options, "bad"])
    run(["reset", "--yes", "--discard", *options, "bad"])
    assert run(["start", "--fresh", *options, "bad"]) != 0
    captured = capsys.readouterr()
    assert all(char.isprintable() for line in (captured.out + captured.err).split("\n") for char in line)
    assert SECRET not in captured.out + captured.err
    assert (state_dir.parent / "secret").read_text() == SECRET
    assert run(["reset", "--dry-run", "--json", *options, "bad"]) == code
    [reset] = json.loads(capsys.readouterr().out)["resets"]
    assert isinstance(reset, dict)
    return reset


def linked(path: Path) -> None:
    path.symlink_to("../../secret")


def twice(path: Path) -> None:
    path.write_bytes(bytes(8 << 20))
    os.link(path, path.with_name("other"))


IMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (linked, "link"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "link"),
    "a fifo": (os.mkfifo, "fifo"),
    "a directory": (Path.mkdir, "directory"),
    "two hard links": (twice, "hard link"),
}


@pytest.mark.parametrize("what", IMAGES)
def test_an_image(what: str, state_dir: Path, capsys: Capture) -> None:
    make, says = IMAGES[what]
    image = add(state_dir) / "rw.img"
    make(image)
    give(image)
    before = os.lstat(image)
    reset = refused(state_dir, capsys)
    assert reset["result"] == "refused"
    assert says in reset["words"]
    assert os.lstat(image)[:9] == before[:9]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what another user owns")
def test_an_image_of_root(state_dir: Path, capsys: Capture) -> None:
    image = add(state_dir) / "rw.img"
    image.write_bytes(bytes(8 << 20))
    image.chmod(0o600)
    assert refused(state_dir, capsys)["result"] == "refused"
    assert os.stat(image).st_uid == 0


@pytest.mark.parametrize(
    "image", ["../../secret", "/etc/../etc/shadow", f"{MARKUP.replace('/', '')}.img", "\udcff.img"]
)
def test_an_image_with_an_odd_name(image: str, state_dir: Path, capsys: Capture) -> None:
    try:
        add(state_dir, volume=Volume(image, mount_point="/nix/.rw-store", size=8))
    except UnicodeEncodeError:
        pytest.skip("no runner has such a name")
    refused(state_dir, capsys)


@pytest.mark.parametrize("name", NAMES)
def test_a_name(name: str, state_dir: Path, capsys: Capture) -> None:
    image = add(state_dir, name) / "rw.img"
    image.write_bytes(bytes(8 << 20))
    give(image)
    assert run(["reset", "--dry-run", "--manager", "direct", "--state-dir", str(state_dir), "--", name]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert all(char.isprintable() for line in captured.out.split("\n") for char in line)


RECORDS = {
    "empty": "",
    "cut": "{",
    "a list": "[1]",
    "a number": '{"bad": 7}',
    "unknown": '{"bad": "x", "how": "often"}',
    "zeros": "\x00" * 99,
    "deep": "[" * 9999,
}


@pytest.mark.parametrize("text", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_of_choices(text: str, state_dir: Path, capsys: Capture) -> None:
    add(state_dir)
    records = records_of(state_dir)
    remember_image(records, "bad", "rw.img")
    (records / "overlay-images.json").write_text(text)
    assert refused(state_dir, capsys)["result"] == "nothing"


@pytest.mark.parametrize("text", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_of_what_is_armed(text: str, state_dir: Path, capsys: Capture) -> None:
    add(state_dir)
    options = ["--manager", "direct", "--state-dir", str(state_dir)]
    records = records_of(state_dir)
    remember_image(records, "bad", "rw.img")
    (records / "armed").mkdir()
    (records / "armed" / "bad").write_text(text)
    assert run(["list", *options]) == 0
    assert run(["show", *options, "bad"]) == 0
    assert "Nobody can tell how it is armed" in capsys.readouterr().out
    assert run(["arm", "--off", *options, "bad"]) == 0
    assert list((records / "armed").iterdir()) == []

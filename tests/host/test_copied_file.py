"""The file in which a copied text stays."""

import os
import stat
from pathlib import Path

import pytest

from mvtui.host import copied_file


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where neither root's directory nor that of temporary files is the machine's."""
    for name in ("roots", "temporary", "runtime"):
        (tmp_path / name).mkdir(mode=0o700)
    monkeypatch.setattr(copied_file, "_ROOTS", tmp_path / "roots" / "mvtui")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path


def test_it_is_its_owners_alone(elsewhere: Path) -> None:
    before = os.umask(0)
    try:
        path = copied_file.leave("web\N{SNOWMAN}", {"XDG_RUNTIME_DIR": str(elsewhere / "runtime")})
    finally:
        os.umask(before)
    assert path == elsewhere / "runtime" / "mvtui" / "copied"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == "web\N{SNOWMAN}"


def test_the_newest_takes_the_place_of_the_one_before(elsewhere: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(elsewhere / "runtime")}
    folder = copied_file.leave("first", environ).parent
    (folder / f".{os.getpid()}.new").write_text("of one that was killed")
    reader = (folder / "copied").open()
    assert copied_file.leave("second", environ).read_text() == "second"
    assert reader.read() == "first"  # never half of one
    reader.close()
    assert os.listdir(folder) == ["copied"]


@pytest.mark.parametrize("runtime", ["", "relative", "/nonexistent/runtime"])
def test_without_a_runtime_directory(elsewhere: Path, runtime: str) -> None:
    own = elsewhere / "roots" / "mvtui" if os.geteuid() == 0 else elsewhere / "temporary" / f"mvtui-{os.geteuid()}"
    assert copied_file.leave("web", {"XDG_RUNTIME_DIR": runtime} if runtime else {}).parent == own


def test_root_does_not_write_into_the_runtime_directory_of_another(elsewhere: Path) -> None:
    runtime = elsewhere / "runtime"
    (runtime / "mvtui").symlink_to(elsewhere)  # a link instead of a directory
    path = copied_file.leave("web", {"XDG_RUNTIME_DIR": str(runtime)})
    assert path.parent != runtime / "mvtui"
    assert not (elsewhere / "copied").exists()
    (runtime / "mvtui").unlink()
    runtime.chmod(0o777)  # where others may write
    assert copied_file.leave("web", {"XDG_RUNTIME_DIR": str(runtime)}) == path


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a directory away needs root")
def test_a_directory_of_somebody_else(elsewhere: Path) -> None:
    runtime = elsewhere / "runtime"
    os.chown(runtime, 12345, 12345)
    assert copied_file.leave("web", {"XDG_RUNTIME_DIR": str(runtime)}).parent == elsewhere / "roots" / "mvtui"
    assert os.listdir(runtime) == []
    for name in ("roots/mvtui", "temporary/mvtui-0"):
        (elsewhere / name).mkdir(exist_ok=True)
        os.chown(elsewhere / name, 12345, 12345)
        (elsewhere / name / "copied").unlink(missing_ok=True)
    with pytest.raises(PermissionError, match="somebody else's"):
        copied_file.leave("web", {})


def test_a_link_in_its_place_is_not_followed(elsewhere: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(elsewhere / "runtime")}
    path = copied_file.leave("web", environ)
    path.unlink()
    path.symlink_to(elsewhere / "target")
    (path.parent / f".{os.getpid()}.new").symlink_to(elsewhere / "target")
    copied_file.leave("web", environ)
    assert not path.is_symlink()
    assert not (elsewhere / "target").exists()

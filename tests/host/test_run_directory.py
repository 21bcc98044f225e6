"""What root's keepers have said is removed with the host that it was about, and nothing else is."""

import fcntl
import os
from pathlib import Path

import pytest

from mvtui.host.keeper_status import Status
from mvtui.host.run_directory import forget_run_directory, run_directory

STATES = "/var/tmp/demo/microvms"


def reported(root: Path, *names: str, state_dir: str = STATES) -> Path:
    """The run directory of a host whose microVMs `names` have failed."""
    base, parts = run_directory(state_dir, root)
    for name in names:
        status = Status(base, list(parts), name)
        status.set("microvm", "failed", "failed")
        status.release()
    return Path(base, *parts)


def test_what_failed_is_forgotten_and_what_is_empty_then_goes(tmp_path: Path) -> None:
    directory = reported(tmp_path, "web", "db[prod]")
    assert (directory / "web/status.json").is_file()
    (directory / "web/status.json.new").touch()
    forget_run_directory(STATES, tmp_path)
    assert list((tmp_path / "run").iterdir()) == []
    forget_run_directory(STATES, tmp_path)


def test_another_host_keeps_its_own(tmp_path: Path) -> None:
    directory, other = reported(tmp_path, "web"), reported(tmp_path, "web", state_dir="/var/lib/microvms")
    forget_run_directory(STATES, tmp_path)
    assert not directory.exists()
    assert (other / "web/status.json").is_file()


def test_a_keeper_that_lives_keeps_its_own(tmp_path: Path) -> None:
    directory = reported(tmp_path, "web")
    held = os.open(directory / "web", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="its keeper lives") as raised:
            forget_run_directory(STATES, tmp_path)
        assert raised.value.filename == str(directory / "web")
        assert (directory / "web/status.json").is_file()
    finally:
        os.close(held)
    forget_run_directory(STATES, tmp_path)
    assert not directory.exists()


@pytest.mark.parametrize("level", ["", "mvtui", "mvtui/direct", "all", "one"])
def test_no_link_is_followed(tmp_path: Path, level: str) -> None:
    directory = reported(tmp_path, "web")
    link = {"all": directory, "one": directory / "web"}.get(level, tmp_path / "run" / level)
    if not level:
        link = directory / "web/status.json"
    elsewhere = tmp_path / "elsewhere"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    forget_run_directory(STATES, tmp_path)
    assert [path for path in (elsewhere, *elsewhere.rglob("*")) if path.is_file()]
    assert link.is_symlink() == bool(level)


def test_what_is_no_keepers_stays(tmp_path: Path) -> None:
    directory = reported(tmp_path, "web")
    (directory / "note").write_text("mine")
    forget_run_directory(STATES, tmp_path)
    assert [path.name for path in directory.iterdir()] == ["note"]

import os
import socket
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from mvtui.host.state_dir import StateDir, StateDirReading
from mvtui.model.microvm import StateDirEntry, StrayEntry
from tests.host.state_dirs import fresh_state_dir, microvm, only, read, without_rights


@pytest.fixture
def state_dir() -> Iterator[Path]:
    with fresh_state_dir() as made:
        yield made


def test_a_microvm_that_is_updated_on_its_own(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="two", booted="one")
    (directory / "flake").write_text("git+file:///etc/nixos\n")
    entry = only(read(state_dir))
    status = directory.stat()
    store = state_dir.parent / "store"
    assert entry == StateDirEntry(
        name="web",
        path=str(directory),
        current=str(store / "two"),
        booted=str(store / "one"),
        flake="git+file:///etc/nixos",
        owner=(status.st_uid, status.st_gid),
    )
    assert entry.stale
    assert not entry.fully_declarative


def test_a_fully_declarative_microvm(state_dir: Path) -> None:
    microvm(state_dir, "db", current="one", toplevel="two")
    entry = only(read(state_dir))
    assert entry.fully_declarative
    assert entry.booted is None
    assert entry.problems == ()


def test_each_of_the_four_alone_makes_a_microvm(state_dir: Path) -> None:
    for link in ("current", "booted", "toplevel"):
        microvm(state_dir, link, **{link: "one"})
    microvm(state_dir, "flake").joinpath("flake").write_text("")
    reading = read(state_dir)
    assert [entry.name for entry in reading.entries] == ["booted", "current", "flake", "toplevel"]
    assert reading.entries[2].flake == ""
    assert reading.strays == ()


def test_everything_else_is_a_stray_with_what_it_is(state_dir: Path) -> None:
    microvm(state_dir, "web", current="one")
    (state_dir / ".mvtui").mkdir()
    (state_dir / "notes").write_text("x")
    (state_dir / "copy").symlink_to(state_dir / "web")
    (state_dir / "gone").symlink_to(state_dir / "nowhere")
    os.mkfifo(state_dir / "pipe")
    (state_dir / "empty").mkdir()
    (state_dir / "images").mkdir()
    (state_dir / "images" / "disk.img").touch()
    microvm(state_dir, ".web.old", current="one")
    (state_dir / "lost+found").mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(state_dir / "sock"))
        reading = read(state_dir)
    assert [entry.name for entry in reading.entries] == ["web"]
    assert reading.strays == (
        StrayEntry(".web.old", "a hidden directory"),
        StrayEntry("copy", "a link, which is not followed"),
        StrayEntry("empty", "an empty directory"),
        StrayEntry("gone", "a link, which is not followed"),
        StrayEntry("images", "no current, booted, toplevel or flake"),
        StrayEntry("lost+found", "of the file system (fsck)"),
        StrayEntry("notes", "a file"),
        StrayEntry("pipe", "a fifo"),
        StrayEntry("sock", "a socket"),
    )


def test_dangling_links(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="collected", booted="one")
    (state_dir / "file").touch()
    (directory / "toplevel").symlink_to(state_dir / "file/below")
    entry = only(read(state_dir))
    assert entry.dangling == ("current", "toplevel")
    assert entry.problems == ()
    assert entry.current == str(state_dir.parent / "store" / "collected")


@pytest.mark.parametrize("rooted", [False, True])
def test_a_loop_of_links_does_not_dangle(state_dir: Path, rooted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvtui.host.state_dir._SETTLED_NS", -(1 << 62))
    directory = microvm(state_dir, "web")
    (directory / "current").symlink_to("current")
    reader = StateDir(Path("/microvms"), state_dir.parent) if rooted else StateDir(state_dir)
    path = Path("/microvms/web") if rooted else directory
    for _ in range(2):
        entry = only(reader.read())
        assert entry.dangling == ()
        assert entry.problems == (f"{path}/current is a loop of links",)


def test_a_target_that_may_not_be_reached_does_not_dangle(state_dir: Path) -> None:
    closed = state_dir.parent / "closed"
    (closed / "runner").mkdir(parents=True)
    directory = microvm(state_dir, "web", booted="one")
    (directory / "current").symlink_to(closed / "runner")
    closed.chmod(0)
    with without_rights():
        entry = only(read(state_dir))
    closed.chmod(0o755)
    assert entry.dangling == ()
    assert entry.problems == (f"{directory}/current: permission denied; root can read what it points to",)


def test_a_target_too_long_to_look_for(state_dir: Path) -> None:
    directory = microvm(state_dir, "web")
    (directory / "current").symlink_to("x" * 300)
    entry = only(read(state_dir))
    assert entry.dangling == ()
    assert entry.problems == (f"{directory}/current: file name too long",)


def test_a_relative_target_is_looked_for_in_the_microvms_directory(state_dir: Path) -> None:
    directory = microvm(state_dir, "web")
    (directory / "current").symlink_to("../../store/one")
    (directory / "booted").symlink_to("store/one")
    entry = only(read(state_dir))
    assert entry.current == "../../store/one"
    assert entry.dangling == ("booted",)


def test_targets_are_looked_for_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "nix/store/abc").mkdir(parents=True)
    directory = tmp_path / "var/lib/microvms/web"
    directory.mkdir(parents=True)
    (directory / "current").symlink_to("/nix/store/abc")
    (directory / "booted").symlink_to("/nix/store/other")
    entry = only(StateDir(Path("/var/lib/microvms"), tmp_path).read())
    assert entry.path == "/var/lib/microvms/web"
    assert entry.dangling == ("booted",)


def test_a_flake_is_one_line(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_text("\n  github:a/b \n\nmore\n")
    assert only(read(state_dir)).flake == "github:a/b "


def test_an_empty_state_directory(state_dir: Path) -> None:
    assert read(state_dir) == StateDirReading()


def test_a_state_directory_behind_a_link_is_read(state_dir: Path) -> None:
    microvm(state_dir, "web", current="one")
    link = state_dir.parent / "link"
    link.symlink_to(state_dir)
    assert only(read(link)).path == f"{link}/web"


def test_every_change_is_seen_at_the_next_look(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What was read is believed at once here, as if nothing had been changed for long; each change has its own time.
    monkeypatch.setattr("mvtui.host.state_dir._SETTLED_NS", -(1 << 62))
    directory = microvm(state_dir, "web", current="one")
    flake, booted = directory / "flake", directory / "booted"
    store = state_dir.parent / "store"
    reader = StateDir(state_dir)
    times = count(1)

    def look(*changed: Path) -> StateDirEntry:
        for path in changed:
            os.utime(path, (now := next(times), now))
        return only(reader.read())

    first = look()
    assert look() is first
    booted.symlink_to(store / "one")
    assert look(directory).booted == str(store / "one")
    (directory / "new").symlink_to(store / "two")
    (directory / "new").replace(directory / "current")
    assert look(directory).stale
    (store / "two").rmdir()
    assert look().dangling == ("current",)
    (store / "two").mkdir()
    assert look().dangling == ()
    flake.write_text("first")
    assert look(directory, flake).flake == "first"
    flake.write_text("other")
    assert look(flake).flake == "other"
    flake.unlink()
    assert look(directory).flake is None
    booted.unlink()
    (directory / "current").unlink()
    os.utime(directory, (next(times), 0))
    assert reader.read().strays == (StrayEntry("web", "an empty directory"),)
    directory.rmdir()
    assert reader.read() == StateDirReading()


def test_what_has_just_changed_is_read_again(state_dir: Path) -> None:
    """Two changes may share one time stamp, so a fresh one is not believed to be the last."""
    microvm(state_dir, "web", current="one")
    reader = StateDir(state_dir)
    first = only(reader.read())
    again = only(reader.read())
    assert again == first
    assert again is not first


def test_a_microvm_in_place_of_another_of_its_name(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mvtui.host.state_dir._SETTLED_NS", -(1 << 62))
    reader = StateDir(state_dir)
    directory = microvm(state_dir, "web", current="one")
    assert only(reader.read()).current == str(state_dir.parent / "store" / "one")
    directory.rename(state_dir / "old")
    microvm(state_dir, "web", current="two")
    assert [Path(entry.current or "").name for entry in reader.read().entries] == ["one", "two"]

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from mvtui.host.state_dir import StateDir, StateDirReading
from mvtui.model.finding import Severity
from mvtui.model.microvm import StateDirEntry, StrayEntry

NOBODY = 65534


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory that every user may enter, unlike tmp_path; nothing in it is dangling by itself."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "store" / "one").mkdir(parents=True)
        (folder / "store" / "two").mkdir()
        (folder / "microvms").mkdir()
        yield folder / "microvms"


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may read everything; anybody else not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def microvm(state_dir: Path, name: str, **links: str) -> Path:
    """`links` are targets in the store."""
    directory = state_dir / name
    directory.mkdir()
    for link, target in links.items():
        (directory / link).symlink_to(state_dir.parent / "store" / target)
    return directory


def read(state_dir: Path) -> StateDirReading:
    return StateDir(state_dir).read()


def only(reading: StateDirReading) -> StateDirEntry:
    (entry,) = reading.entries
    return entry


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
        StrayEntry("copy", "a link"),
        StrayEntry("empty", "an empty directory"),
        StrayEntry("gone", "a link"),
        StrayEntry("images", "no current, booted, toplevel or flake"),
        StrayEntry("lost+found", "of the file system (fsck)"),
        StrayEntry("notes", "a file"),
        StrayEntry("pipe", "a fifo"),
        StrayEntry("sock", "a socket"),
    )


def test_dangling_links(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="collected", booted="one")
    (directory / "toplevel").symlink_to("toplevel")
    entry = only(read(state_dir))
    assert entry.dangling == ("current", "toplevel")
    assert entry.current == str(state_dir.parent / "store" / "collected")


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


def test_what_should_be_a_link_or_a_file_and_is_not(state_dir: Path) -> None:
    directory = microvm(state_dir, "web")
    (directory / "current").mkdir()
    (directory / "booted").write_text("x")
    os.mkfifo(directory / "flake")
    entry = only(read(state_dir))
    assert (entry.current, entry.booted, entry.flake) == (None, None, None)
    assert entry.problems == (
        f"{directory}/current is no link",
        f"{directory}/booted is no link",
        f"{directory}/flake is no file",
    )


def test_a_flake_that_is_a_link_is_not_followed(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    secret = state_dir.parent / "secret"
    secret.write_text("secret")
    (directory / "flake").symlink_to(secret)
    entry = only(read(state_dir))
    assert entry.flake is None
    assert entry.problems == (f"{directory}/flake is no file",)


def test_a_huge_flake_with_bytes_of_no_text_is_cut(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_bytes(b"\xff" * 10_000_000)
    flake = only(read(state_dir)).flake
    assert flake == "\ufffd" * 4096


def test_a_flake_is_one_line(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_text("\n  github:a/b \n\nmore\n")
    assert only(read(state_dir)).flake == "github:a/b "


def test_a_directory_that_may_not_be_entered_is_a_microvm_with_a_problem(state_dir: Path) -> None:
    microvm(state_dir, "open", current="one")
    closed = microvm(state_dir, "closed", current="one")
    closed.chmod(0)
    with without_rights():
        reading = read(state_dir)
    assert [entry.name for entry in reading.entries] == ["closed", "open"]
    assert reading.entries[0].problems == (f"{closed}: permission denied; root or group kvm can read it",)
    assert reading.entries[0].owner is not None
    assert reading.entries[1].problems == ()


def test_what_may_be_entered_but_not_listed_is_read(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    directory.chmod(0o711)
    with without_rights():
        entry = only(read(state_dir))
    assert entry.current == str(state_dir.parent / "store" / "one")
    assert entry.problems == ()


def test_a_flake_that_may_not_be_read(state_dir: Path) -> None:
    directory = microvm(state_dir, "web", current="one")
    (directory / "flake").write_text("x")
    (directory / "flake").chmod(0)
    with without_rights():
        entry = only(read(state_dir))
    assert entry.problems == (f"{directory}/flake: permission denied; root or group kvm can read it",)
    assert entry.current is not None


HOSTILE = [b"a\nb", b"\x1b[31mred", b"[red]", b"db[prod]", b"\xff\xfe", b"-rf", b" ", b"\\x2d", "日本".encode()]


def test_hostile_names_are_kept_as_they_are(state_dir: Path) -> None:
    for name in HOSTILE:
        directory = os.path.join(os.fsencode(state_dir), name)
        os.mkdir(directory)
        os.symlink(b"\x1b]0;x\x07\xff", os.path.join(directory, b"current"))
    reading = read(state_dir)
    assert {os.fsencode(entry.name) for entry in reading.entries} == set(HOSTILE)
    assert {os.fsencode(entry.current or "") for entry in reading.entries} == {b"\x1b]0;x\x07\xff"}
    assert all(entry.dangling == ("current",) for entry in reading.entries)
    assert [entry.name for entry in reading.entries] == sorted(entry.name for entry in reading.entries)


def test_an_empty_state_directory(state_dir: Path) -> None:
    assert read(state_dir) == StateDirReading()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("x"), "is not a directory"),
        (os.mkfifo, "is not a directory"),
        (lambda path: path.symlink_to(path), "is a loop of links"),
        (lambda path: path.symlink_to("nowhere"), "does not exist"),
    ],
)
def test_a_state_directory_that_is_none(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    path = tmp_path / "microvms"
    make(path)
    reading = read(path)
    assert (reading.entries, reading.strays) == ((), ())
    assert reading.finding is not None
    assert reading.finding.severity is Severity.ERROR
    assert reading.finding.what == f"{path} {says}."
    assert "--state-dir" in reading.finding.fix


def test_a_state_directory_whose_name_is_too_long(tmp_path: Path) -> None:
    finding = read(tmp_path / ("x" * 5000)).finding
    assert finding is not None
    assert finding.what.endswith("… is too long for a path.")
    assert len(finding.what) < 120


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_state_directory_whose_name_is_no_path(name: str) -> None:
    finding = read(Path(name)).finding
    assert finding is not None
    assert finding.what.endswith("is no path.")


def test_a_state_directory_without_rights(state_dir: Path) -> None:
    state_dir.chmod(0o700 if os.geteuid() == 0 else 0)
    with without_rights():
        finding = read(state_dir).finding
    state_dir.chmod(0o755)
    assert finding is not None
    assert finding.what == f"{state_dir} can't be read: permission denied."
    assert "root" in finding.fix


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


CHURN = """
import os, sys
parent = os.getppid()
while os.getppid() == parent:
    for number in range(20):
        path = f"{sys.argv[1]}/vm{number}"
        os.mkdir(path)
        os.symlink("x", f"{path}/current")
        os.unlink(f"{path}/current")
        os.rmdir(path)
        os.symlink("stays", path)
        os.unlink(path)
"""


def test_directories_that_come_and_go_while_they_are_read(state_dir: Path) -> None:
    """Whatever is seen of them, nothing is raised, and the one that stays is complete."""
    microvm(state_dir, "stays", current="one")
    reader = StateDir(state_dir)
    seen: set[str] = set()
    deadline = time.monotonic() + 30
    with subprocess.Popen([sys.executable, "-c", CHURN, str(state_dir)]) as churn:
        try:
            while len(seen) < 10:
                reading = reader.read()
                assert reading.finding is None
                assert "stays" in {entry.name for entry in reading.entries if entry.current and not entry.problems}
                seen |= {entry.name for entry in reading.entries} | {stray.name for stray in reading.strays}
                assert time.monotonic() < deadline
        finally:
            churn.kill()

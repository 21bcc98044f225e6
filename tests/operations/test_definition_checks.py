"""What the host knows of a definition's fields, on real files: each check with what it must find, and must not."""

import asyncio
import os
import struct
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mvtui.host.field_looks import look_at_source
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.field_facts import SourceLook
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.state import State, StateWord
from mvtui.operations import definition_checks
from mvtui.operations.definition_checks import CHECK_SECONDS, check_fields
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.living import found

MIB = 1 << 20
SPARE_USER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to others")


STOPPED = State(StateWord.STOPPED, None, "")


class Place:
    """A host whose file system is `folder`: what pytest keeps from others above it bars nobody. Its state directory,
    with the microVM `web`, is SPARE_USER's where root runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "root"
        self.web = self.folder / "microvms" / "web"
        self.web.mkdir(parents=True)
        self.others: tuple[MicroVM, ...] = ()
        self.give(self.web.parent, self.web)
        self.root = self.folder

    def give(self, *paths: Path) -> None:
        """Let them be SPARE_USER's."""
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, SPARE_USER, SPARE_USER)

    def findings(
        self, *things: Share | Volume, overlay: str | None = None, seconds: float = CHECK_SECONDS
    ) -> tuple[Finding, ...]:
        shares = tuple(thing for thing in things if isinstance(thing, Share))
        volumes = tuple(thing for thing in things if isinstance(thing, Volume))
        definition = Definition(shares=shares, volumes=volumes, writable_store_overlay=overlay)
        host = Host("hv", FakeUnits(), FakeProcesses(), Path("/microvms"), self.root)
        microvm = MicroVM("web", "/microvms/web", STOPPED)
        snapshot = Snapshot("hv", "/microvms", "systemd", (microvm, *self.others))
        return asyncio.run(check_fields(host, microvm, definition, snapshot, seconds=seconds))

    def image(self, name: str, *mkfs: str, size: int = 16) -> Path:
        path = self.web / name
        with path.open("wb") as file:
            file.truncate(size * MIB)
        if mkfs:
            subprocess.run([found(mkfs[0]), *mkfs[1:], path], check=True, capture_output=True)
        self.give(path)
        return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def share(source: str | Path, proto: ShareProto = ShareProto.VIRTIOFS, **more: Any) -> Share:
    known = Share("t", proto, str(source), "/mnt", read_only=False, cache="auto", posix_acl=True)
    return known._replace(**more)


def volume(image: str | Path, **more: Any) -> Volume:
    known = Volume(str(image), mount_point="/data", size=16, fs_type="ext4", auto_create=True, read_only=False)
    return known._replace(image_type="raw", **more)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.severity.name.lower(), finding.subject) for finding in findings]


# Sources


def test_source_that_is_a_directory(place: Place) -> None:
    assert place.findings(share("/microvms")) == ()


def test_source_missing(place: Place) -> None:
    (finding,) = place.findings(share("/no where"))
    assert (finding.severity, finding.subject) == (Severity.WARNING, "shares[0].source")
    assert finding.what == "/no where does not exist."
    assert finding.fix == "mkdir -p '/no where'"


def test_source_is_a_dangling_link(place: Place) -> None:
    (place.folder / "link").symlink_to("nowhere")
    assert told(place.findings(share("/link"))) == [("warning", "shares[0].source")]


def test_relative_source_lies_in_the_state_directory(place: Place) -> None:
    (place.web / "docs").mkdir()
    assert place.findings(share("docs")) == ()
    assert place.findings(share("other"))[0].what == "/microvms/web/other does not exist."


def test_a_tilde_is_left_to_the_rules(place: Place) -> None:
    assert place.findings(share("~/docs")) == ()


@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_source_is_no_directory(place: Place, kind: str) -> None:
    path = place.folder / "it"
    os.mkfifo(path) if kind == "fifo" else path.write_text("")
    (finding,) = place.findings(share("/it"))
    assert (finding.severity, finding.what) == (Severity.ERROR, f"/it is a {kind}.")


def test_source_through_a_file_and_a_loop(place: Place) -> None:
    (place.folder / "file").write_text("")
    (place.folder / "loop").symlink_to("loop")
    assert place.findings(share("/file/in"))[0].what.endswith("can't be checked: leads through a file.")
    assert place.findings(share("/loop"))[0].what.endswith("can't be checked: is a loop of links.")


@as_root
def test_source_that_the_hypervisor_may_not_read(place: Place) -> None:
    secret = place.folder / "secret"
    (secret / "docs").mkdir(parents=True)
    secret.chmod(0o700)
    (finding,) = place.findings(share("/secret/docs", ShareProto.NINE_P))
    assert (finding.severity, finding.subject) == (Severity.ERROR, "shares[0].source")
    assert finding.what == f"User {SPARE_USER} can't read /secret/docs: it may not enter /secret."
    assert finding.fix == f"setfacl -m u:{SPARE_USER}:x /secret"
    (finding,) = place.findings(share("/secret/docs"))  # virtiofsd is root's
    assert finding.severity is Severity.INFO
    os.setxattr(secret, "system.posix_acl_access", acl_for(SPARE_USER, 1))
    assert place.findings(share("/secret/docs", ShareProto.NINE_P, read_only=True)) == ()


@as_root
def test_source_that_the_hypervisor_may_not_write(place: Place) -> None:
    docs = place.folder / "docs"
    docs.mkdir(mode=0o755)
    assert told(place.findings(share("/docs", ShareProto.NINE_P))) == [("warning", "shares[0].source")]
    assert place.findings(share("/docs", ShareProto.NINE_P, read_only=True)) == ()
    os.chown(docs, SPARE_USER, 0)
    assert place.findings(share("/docs", ShareProto.NINE_P)) == ()


def acl_for(uid: int, granted: int) -> bytes:
    """u::rwx u:UID:granted g::--- m::rwx o::---"""
    entries = [(0x01, 7, 0xFFFFFFFF), (0x02, granted, uid), (0x04, 0, 0xFFFFFFFF), (0x10, 7, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in (*entries, (0x20, 0, 0xFFFFFFFF)))


# /proc has neither ACLs nor attributes of users, on every kernel.


def test_source_on_a_file_system_without_acls(place: Place) -> None:
    place.root = Path("/")
    (finding,) = place.findings(share("/proc"))
    assert (finding.severity, finding.subject, finding.fix) == (
        Severity.ERROR,
        "shares[0].source",
        "posixAcl = false",
    )
    assert finding.what == "The file system of /proc (proc) has no ACLs."
    assert place.findings(share("/proc", posix_acl=False)) == ()
    assert all("ACL" not in each.what for each in place.findings(share("/proc", ShareProto.NINE_P)))


def test_overlay_on_a_share_without_attributes(place: Place) -> None:
    place.root = Path("/")
    over = share("/proc", posix_acl=False, mount_point="/nix/.rw-store")
    (finding,) = place.findings(over, overlay="/nix/.rw-store")
    assert (finding.severity, finding.subject) == (Severity.ERROR, "shares[0].source")
    assert "no extended attributes" in finding.what
    assert place.findings(over, overlay="/elsewhere") == ()
    assert place.findings(over._replace(source=str(place.folder)), overlay="/nix/.rw-store") == ()


# Images


def test_new_image(place: Place) -> None:
    assert place.findings(volume("new.img")) == ()


def test_image_as_defined(place: Place) -> None:
    place.image("it.img", "mkfs.ext4", "-qL", "here")
    assert place.findings(volume("it.img", label="here")) == ()


@as_root
def test_image_of_root(place: Place) -> None:
    path = place.image("it.img", "mkfs.ext4", "-q")
    os.chown(path, 0, 0)
    path.chmod(0o600)
    (finding,) = place.findings(volume("it.img"))
    assert (finding.severity, finding.subject) == (Severity.ERROR, "volumes[0].image")
    assert finding.fix == f"chown {SPARE_USER} /microvms/web/it.img"
    (place.web / "it.img").chmod(0o644)
    assert told(place.findings(volume("it.img"))) == [("error", "volumes[0].image")]
    assert place.findings(volume("it.img", read_only=True)) == ()


@as_root
def test_image_outside_of_the_state_directory(place: Place) -> None:
    outside = place.folder / "disks"
    outside.mkdir(mode=0o755)
    (finding,) = place.findings(volume("/disks/new.img"))
    assert finding.what == f"User {SPARE_USER} can't make /disks/new.img: it may not write /disks."
    assert finding.fix == f"setfacl -m u:{SPARE_USER}:rwx /disks"
    os.chown(outside, SPARE_USER, SPARE_USER)
    assert place.findings(volume("/disks/new.img")) == ()


def test_image_in_no_directory(place: Place) -> None:
    (finding,) = place.findings(volume("disks/more/new.img"))
    assert (finding.severity, finding.what) == (Severity.WARNING, "/microvms/web/disks does not exist.")
    assert finding.fix.startswith("mkdir -p /microvms/web/disks/more")


def test_image_that_nobody_makes(place: Place) -> None:
    (finding,) = place.findings(volume("new.img", auto_create=False))
    assert (finding.severity, finding.why) == (Severity.WARNING, "Nobody makes it: autoCreate is false.")


def test_image_is_a_directory(place: Place) -> None:
    (place.web / "it.img").mkdir()
    assert told(place.findings(volume("it.img")))[0] == ("error", "volumes[0].image")


@pytest.mark.parametrize(
    ("mkfs", "defined", "found"),
    [
        (["mkfs.ext4", "-q"], {}, []),
        (["mkfs.ext2", "-q"], {}, []),  # ext4 mounts it
        (["mkfs.ext4", "-q"], {"fs_type": "ext2"}, [("error", "volumes[0].fsType")]),
        (["mkfs.ext4", "-q"], {"fs_type": "xfs"}, [("error", "volumes[0].fsType")]),
        (["mkfs.ext4", "-q"], {"fs_type": "xfs", "mount_point": None}, []),
        (["mkfs.ext4", "-q"], {"size": 32}, [("warning", "volumes[0].size")]),
        (["mkfs.ext4", "-q"], {"size": 8}, [("warning", "volumes[0].size")]),
        (["mkfs.ext4", "-q"], {"size": 8, "auto_create": False}, []),
        (["mkfs.ext4", "-q"], {"size": None, "auto_create": False}, []),
        (["mkfs.ext4", "-q"], {"label": "data"}, [("error", "volumes[0].label")]),
        (["mkfs.ext4", "-qL", "data"], {"label": "data"}, []),
        (["mkfs.ext4", "-qL", "old"], {"label": "data"}, [("error", "volumes[0].label")]),
        (["mkfs.ext4", "-qL", "old"], {"label": "data", "mount_point": None}, []),
        (["mkfs.ext4", "-qL", "old"], {}, []),
        ([], {}, [("error", "volumes[0].image")]),  # blank
        ([], {"mount_point": None}, []),
        ([], {"image_type": "qcow2"}, []),
    ],
)
def test_existing_image(place: Place, mkfs: list[str], defined: dict[str, Any], found: list[tuple[str, str]]) -> None:
    place.image("it.img", *mkfs)
    assert told(place.findings(volume("it.img")._replace(**defined))) == found


def test_what_a_changed_size_does(place: Place) -> None:
    place.image("it.img", "mkfs.ext4", "-q")
    (larger,) = place.findings(volume("it.img", size=32))
    assert larger.what == "size has no effect on an image that exists: /microvms/web/it.img has 16 MiB."
    assert larger.fix == "save it, then grow it: mvtui grow web it.img --defined"
    (smaller,) = place.findings(volume("it.img", size=8))
    assert (smaller.why, smaller.fix) == ("No image is ever made smaller.", "size = 16")
    (overlay,) = place.findings(volume("it.img", size=32, mount_point="/rw"), overlay="/rw")
    assert overlay.fix.endswith("or mvtui reset web after the rebuild makes a new one")


def test_an_image_that_grew_alone(place: Place) -> None:
    path = place.image("it.img", "mkfs.ext4", "-q")
    os.truncate(path, 64 * MIB)
    (finding,) = place.findings(volume("it.img", size=64))
    assert (finding.severity, finding.subject) == (Severity.WARNING, "volumes[0].size")
    assert "has 16 MiB of the image's 64 MiB" in finding.what


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ((30,), []),
        ((36,), [("info", 0)]),  # what is left of 100 is less than 5
        ((40,), [("info", 0)]),
        ((41,), [("warning", 0)]),
        ((101,), [("warning", 0)]),
        ((20, 20), [("info", 1)]),
        ((20, 21), [("warning", 1)]),  # together
        ((21, 20, 1), [("warning", 1), ("warning", 2)]),
    ],
)
def test_not_enough_space(
    place: Place, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...], found: list[tuple[str, int]]
) -> None:
    disk = SimpleNamespace(f_frsize=MIB, f_blocks=100, f_bavail=40)
    monkeypatch.setattr(os, "fstatvfs", lambda _: disk)
    volumes = [volume(f"{n}.img", size=size, mount_point=f"/{n}") for n, size in enumerate(sizes)]
    assert told(place.findings(*volumes)) == [(severity, f"volumes[{n}].size") for severity, n in found]


def test_the_real_disk_is_asked(place: Place) -> None:
    disk = os.statvfs(place.web)
    (finding,) = place.findings(volume("a.img", size=disk.f_blocks * disk.f_frsize // MIB + 1))
    assert (finding.severity, finding.subject) == (Severity.WARNING, "volumes[0].size")


# Images of others


def other(image: str, stage: str = "defined", **more: Any) -> MicroVM:
    definition = Definition(volumes=(volume(image, **more),))
    microvm = MicroVM("db", "/microvms/db", STOPPED)
    return microvm._replace(defined=definition) if stage == "defined" else microvm._replace(booted=definition)


@pytest.mark.parametrize("stage", ["defined", "booted"])
def test_image_of_another_by_path(place: Place, stage: str) -> None:
    place.others = (other("/microvms/web/x/../it.img", stage),)
    (finding,) = place.findings(volume("./it.img"))
    assert (finding.severity, finding.subject) == (Severity.ERROR, "volumes[0].image")
    assert finding.what == f"/microvms/web/it.img is an image of db ({stage})."
    place.others = (other("/microvms/web/that.img"),)
    assert place.findings(volume("it.img")) == ()


def test_image_of_another_by_inode(place: Place) -> None:
    (place.folder / "microvms/db").mkdir()
    path = place.image("it.img", "mkfs.ext4", "-q")
    os.link(path, place.folder / "microvms/db" / "same.img")
    place.others = (other("same.img"),)
    (finding,) = place.findings(volume("it.img"))
    assert finding.what.endswith("is an image of db (defined) as /microvms/db/same.img.")
    place.others = (other("same.img", read_only=True),)
    assert len(place.findings(volume("it.img"))) == 1
    assert place.findings(volume("it.img", read_only=True)) == ()


def test_one_file_under_two_names(place: Place) -> None:
    path = place.image("it.img", "mkfs.ext4", "-q")
    os.link(path, place.web / "same.img")
    two = (volume("it.img"), volume("same.img", mount_point="/two"))
    assert told(place.findings(*two)) == [("error", "volumes[1].image")]


# What the owner of the state directory plants


@as_root
def test_no_content_behind_a_planted_link(place: Place) -> None:
    outside = place.folder / "roots.img"
    with outside.open("wb") as file:
        file.truncate(16 * MIB)
    subprocess.run(["mkfs.ext4", "-qL", "secret", outside], check=True)
    (place.web / "it.img").symlink_to("/roots.img")
    os.lchown(place.web / "it.img", SPARE_USER, SPARE_USER)
    found = place.findings(volume("it.img", label="data", fs_type="xfs", size=1))
    assert not any("secret" in finding.what or "ext4" in finding.what for finding in found)
    assert ("info", "volumes[0].image") in told(found)


def test_a_fifo_is_not_opened(place: Place) -> None:
    os.mkfifo(place.web / "it.img")  # to open it would wait for a writer
    assert told(place.findings(volume("it.img")))[0] == ("error", "volumes[0].image")


# What does not answer


def test_one_that_does_not_answer_holds_up_nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, asked, real = threading.Event(), list[str](), look_at_source

    def look(path: str, *rest: Any) -> SourceLook:
        if path == "/dead":
            asked.append(path)
            answer.wait()
        return real(path, *rest)

    monkeypatch.setattr(definition_checks, "look_at_source", look)
    for _ in range(3):
        found = place.findings(share("/dead"), share("/nowhere"), seconds=0.2)
        assert told(found) == [("warning", "shares[1].source"), ("info", "shares[0].source")]
        assert found[1].what == "/dead can't be checked: what it is on does not answer."
    assert asked == ["/dead"], "each try has left a thread behind"
    answer.set()


def test_every_name_can_be_checked(place: Place) -> None:
    for name in ("a\0b", "a\nb", "\x1b[31m", "[bold]", "x" * 300, "é" * 200, "\udc80"):
        assert isinstance(place.findings(share(f"/{name}"), volume(name)), tuple)

"""A writable store, and the host's store as a share: what comes of each definition, and what is refused with why."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import ImageLook, SourceLook, Space
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.state import State, StateWord
from mvtui.operations import definition_actions
from mvtui.operations.definition_actions import Change, make_writable, share_store
from mvtui.operations.definitions_save import open_document, review
from tests.fakes import FakeProcesses, FakeUnits
from tests.nix.by_actions import by_actions

STOPPED = State(StateWord.STOPPED, None, "")
GIB = 1 << 30
WRITABLE = """writableStoreOverlay = "/nix/.rw-store"

[[volumes]]
image = "nix-store-overlay.img"
mountPoint = "/nix/.rw-store"
size = 2048
"""
SHARED = """[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = "/nix/store"
mountPoint = "/nix/.ro-store"
readOnly = true
"""
KEPT = '# of web\nmem = 512 # MiB\n\n[[volumes]]\nimage = "a.img"\nmountPoint = "/var"\nsize = 512\n'
AT = '[[{kind}]]\n{key} = "a"\nmountPoint = "/nix/.rw-store"\n'
VOLUME_THERE = AT.format(kind="volumes", key="image") + "size = 512\n"
NINE_P_THERE = AT.format(kind="shares", key="tag") + 'source = "/a"\n'
VIRTIOFS_THERE = NINE_P_THERE + 'proto = "virtiofs"\n'
OVERLAY = 'writableStoreOverlay = "/nix/.rw-store"\n'
BUILT = MicroVM("web", "/microvms/web", STOPPED)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    for directory in ("definitions", "microvms/web", "nix/store"):
        (tmp_path / directory).mkdir(parents=True)
    return Host("hv", FakeUnits(), FakeProcesses(), Path("/microvms"), tmp_path, definitions=Path("/definitions"))


def act(host: Host, action: str, text: str, microvm: MicroVM = BUILT, *, size: int | None = 2048) -> Change:
    host.on_disk("/definitions/web.toml").write_text(text)
    document = open_document(host, microvm)
    return make_writable(host, microvm, document, size=size) if action == "w" else share_store(host, microvm, document)


def refusal(host: Host, action: str, text: str, microvm: MicroVM = BUILT) -> str:
    with pytest.raises(MvtuiError) as caught:
        act(host, action, text, microvm)
    assert caught.value.exit_code is ExitCode.REFUSED
    return caught.value.message


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("w", "", WRITABLE),
        ("w", VOLUME_THERE, OVERLAY + "\n" + VOLUME_THERE),
        ("w", OVERLAY, WRITABLE),
        ("w", SHARED, OVERLAY + "\n" + SHARED + WRITABLE.removeprefix(OVERLAY)),
        ("s", "", SHARED),
        ("s", WRITABLE, WRITABLE + "\n" + SHARED),
        (
            "s",
            'hypervisor = "kvmtool"\n',
            'hypervisor = "kvmtool"\n\n' + SHARED.replace("virtiofs", "9p").replace("readOnly = true\n", ""),
        ),
        ("s", "storeOnDisk = false\n", "storeOnDisk = false\n\n" + SHARED),
    ],
)
def test_what_is_written(host: Host, action: str, before: str, after: str) -> None:
    change = act(host, action, before)
    assert change.text == after
    assert review(change.document, change.text).allowed


@pytest.mark.parametrize("action", ["w", "s"])
def test_what_is_there_stays(host: Host, action: str) -> None:
    text = act(host, action, KEPT).text
    left = iter(text.splitlines())
    assert all(line in left for line in KEPT.splitlines())


@pytest.mark.parametrize(
    ("action", "text", "why"),
    [
        ("w", WRITABLE, "the store of web is writable already: its overlay lies on nix-store-overlay.img"),
        ("w", OVERLAY + VIRTIOFS_THERE, "the store of web is writable already: its overlay lies on the share a"),
        ("w", VIRTIOFS_THERE, "microvm.nix advises against an overlay on a share"),
        ("w", NINE_P_THERE, "9p can't be the upper layer of an overlay"),
        ("w", OVERLAY + NINE_P_THERE, "9p can't be the upper layer of an overlay"),
        ("w", VOLUME_THERE + "readOnly = true\n", "The overlay's volume is read-only"),
        ("w", VOLUME_THERE + 'fsType = "vfat"\n', "vfat can't be the upper layer of an overlay"),
        ("w", "storeOnDisk = false\n", "The guest has no store"),
        ("w", "mem = true\n", "is wrong as it is: mem: mem takes"),
        ("s", SHARED, "web shares the host's store already"),
        ("s", 'hypervisor = "firecracker"\n', "firecracker has no shares"),
        ("s", "storeOnDisk = true\n", "storeOnDisk = true stands in the file"),
        ("s", NINE_P_THERE.replace("rw", "ro"), "is mounted at /nix/.ro-store too"),
        ("s", "volumes = 1\n", "is wrong as it is: volumes: volumes takes a list"),
    ],
)
def test_what_is_refused(host: Host, action: str, text: str, why: str) -> None:
    assert why in refusal(host, action, text)


def test_without_a_file(host: Host) -> None:
    with pytest.raises(MvtuiError) as caught:
        make_writable(host, BUILT, open_document(host, BUILT))
    assert (caught.value.message, caught.value.hint) == (
        "web has no definition file",
        "mvtui adopt web writes it",
    )


def test_what_a_module_beside_the_file_says(host: Host) -> None:
    """What the file does not name may stand in a module: then what is built tells."""
    store = Share("store", ShareProto.VIRTIOFS, "/nix/store", "/nix/.ro-store")
    overlay = Volume("rw.img", mount_point="/rw")
    definition = Definition(shares=(store,), volumes=(overlay,), writable_store_overlay="/rw", fstab_read=True)
    microvm = BUILT._replace(built=Runner("/r", definition))
    assert "store already" in refusal(host, "s", "", microvm)
    assert "writable already: its overlay lies on rw.img" in refusal(host, "w", "", microvm)
    assert act(host, "s", "shares = []\n", microvm).what == "web shares the host's store"


def test_the_image_has_a_name_of_its_own(host: Host) -> None:
    web = host.on_disk("/microvms/web")
    assert 'image = "nix-store-overlay.img"' in act(host, "w", "").text
    (web / "nix-store-overlay.img").write_text("old")
    assert 'image = "nix-store-overlay-2.img"' in act(host, "w", "").text
    (web / "nix-store-overlay-2.img").symlink_to("nowhere")
    named = KEPT.replace("a.img", "./nix-store-overlay-2.img")
    assert 'image = "nix-store-overlay-3.img"' in act(host, "w", named).text


@pytest.mark.parametrize(
    ("free", "asked", "mib", "told"),
    [
        (100 * GIB, None, 8192, "100G are free"),
        (16 * GIB, None, 8192, "16G are free"),
        (10 * GIB, None, 5120, "half of what is left, as 10G are free"),
        (GIB + 1, None, 512, "half of what is left"),
        (GIB // 2, None, 256, "half of what is left"),
        (GIB // 2 - 1, None, None, "the disk is too full for an overlay of 256 MiB: 512M are free"),
        (10 * GIB, 2048, 2048, "as asked"),
        (10 * GIB, 20480, 20480, "I/O errors when the disk is full"),
        (10 * GIB, 999_999, None, "999999 MiB are more than the disk has"),
        (None, 2048, 2048, "can't be told"),
        (None, None, None, "how much of the disk is free can't be told"),
    ],
)
def test_a_size_that_fits(
    host: Host, monkeypatch: pytest.MonkeyPatch, free: int | None, asked: int | None, mib: int | None, told: str
) -> None:
    space = Space(1, free, 200 * GIB) if free is not None else None

    def look(path: str, *_: object) -> ImageLook:
        return ImageLook(path, SourceKind.NOTHING, space=space)

    monkeypatch.setattr(definition_actions, "look_at_image", look)
    if mib is None:
        with pytest.raises(MvtuiError, match=told):
            act(host, "w", "", size=asked)
    else:
        change = act(host, "w", "", size=asked)
        assert f"size = {mib}\n" in change.text
        assert told in change.words[0]


def test_the_real_disk_is_asked(host: Host) -> None:
    def half() -> int:
        space = os.statvfs(host.on_disk("/microvms/web"))
        return space.f_bavail * space.f_frsize // 2 >> 20

    before = half()
    text = act(host, "w", "", size=None).text
    (size,) = [int(line.split()[2]) for line in text.splitlines() if line.startswith("size")]
    assert size <= max(before, half())


def test_a_store_without_acls(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(path: str, *_: object) -> SourceLook:
        return SourceLook(path, SourceKind.DIRECTORY, has_acls=False)

    monkeypatch.setattr(definition_actions, "look_at_source", look)
    change = act(host, "s", "")
    assert "posixAcl = false\n" in change.text
    assert any("no ACLs" in words for words in change.words)


def test_what_is_said(host: Host) -> None:
    assert "a share of the host's store is not needed" in " ".join(act(host, "w", "").words)
    assert "the host's store, which is shared" in " ".join(act(host, "w", SHARED).words)
    words = " ".join(act(host, "s", WRITABLE).words)
    for part in ("No store disk is built", "a rebuild is faster", "sees all of the host's store", "reset it"):
        assert part in words


def test_nix_accepts_whatever_they_make(tmp_path: Path) -> None:
    """Each of these documents is among the recorded verdicts (tests/nix/renew.py), and was accepted."""
    record = Path(__file__).parent.parent / "model" / "verdicts.jsonl"
    verdicts = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    accepted = {verdict["document"] for verdict in verdicts if not verdict["refused"]}
    made = set(by_actions(tmp_path))
    assert len(made) > 50
    assert made <= accepted


def _hypervisors(host: Host) -> Iterator[tuple[Hypervisor, str]]:
    for hypervisor in Hypervisor:
        yield hypervisor, act(host, "w", f'hypervisor = "{hypervisor}"\n').text


def test_every_hypervisor_has_volumes(host: Host) -> None:
    assert all("nix-store-overlay.img" in text for _, text in _hypervisors(host))

"""A definition file opened, changed, reviewed, saved and brought back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from mvtui.errors import MvtuiError, RightsMissingError
from mvtui.host.documents import DocumentError
from mvtui.host.former_text import FOLDER, Former, keep_former
from mvtui.host.ports import Host
from mvtui.host.record_of_changes import read_changes
from mvtui.model.definition import Definition, Runner
from mvtui.model.edit import AddItem, ItemKind, MoveItem, RemoveItem, SetField, SetOverlay
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.state import State, StateWord
from mvtui.operations import definitions_save
from mvtui.operations.definitions_save import (
    ConflictError,
    Document,
    Review,
    Saved,
    apply,
    former_version,
    git_findings,
    open_document,
    review,
    save,
    track,
)
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.state_dirs import fresh_state_dir, without_rights

SHARES, VOLUMES = ItemKind
TEXT = """\
# what web has
[[shares]]
tag = "home"
source = "/srv/home"
mountPoint = "/home"

[[volumes]]
image = "a.img"
mountPoint = "/var"
size = 512

[[volumes]]
image = "b.img"
mountPoint = "/srv"
size = 512
"""
READ_ONLY = SetField(SHARES, 0, "readOnly", True)
LARGER = SetField(VOLUMES, 1, "size", 1024)


@pytest.fixture
def host() -> Iterator[Host]:
    with fresh_state_dir() as state_dir:
        definitions = state_dir.parent / "definitions"
        definitions.mkdir()
        (definitions / "web.toml").write_text(TEXT)
        records = state_dir.parent / "records"
        yield Host("test", FakeUnits(), FakeProcesses(), state_dir, definitions=definitions, records=records)


def undo_save(host: Host, microvm: MicroVM) -> Saved:
    """As the panel does it."""
    return save(host, *former_version(host, microvm))


def web(hypervisor: Hypervisor = Hypervisor.QEMU, **more: object) -> MicroVM:
    built = Runner("/r", Definition(hypervisor=hypervisor))
    entry = StateDirEntry("web", "/s/web", flake="github:who/what")
    return MicroVM("web", "/s/web", State(StateWord.STOPPED, None, ""), entry, built)._replace(**more)  # type: ignore[arg-type]


def opened(host: Host) -> Document:
    return open_document(host, web())


def on_disk(host: Host) -> str:
    return (host.definitions / "web.toml").read_text()


def test_open_change_save_undo_redo(host: Host) -> None:
    document = opened(host)
    assert (document.exists, document.text, document.findings) == (True, TEXT, ())
    assert document.values["shares"][0]["tag"] == "home"
    assert document.definition is not None
    assert document.hypervisor is Hypervisor.QEMU

    text = apply(document, [READ_ONLY, LARGER])
    assert on_disk(host) == TEXT
    saved = save(host, document, text)

    assert on_disk(host) == text == saved.document.text
    assert saved.undoable
    assert saved.findings == ()
    assert (host.records / FOLDER / "web").stat().st_mode & 0o777 == 0o600
    assert [(change.action, change.ok) for change in read_changes(host.records)] == [("edit", True)]

    assert undo_save(host, web()).document.text == TEXT == on_disk(host)
    assert undo_save(host, web()).document.text == text == on_disk(host)
    assert save(host, saved.document, text).undoable is False  # nothing changes, nothing is written
    assert undo_save(host, web()).document.text == TEXT


def test_no_file_yet(host: Host) -> None:
    (host.definitions / "web.toml").unlink()
    document = opened(host)
    assert (document.exists, document.text, document.path) == (False, "", host.definitions / "web.toml")
    text = apply(document, [AddItem(SHARES, {"tag": "a", "source": "/a", "mountPoint": "/a"}), SetOverlay("/rw")])
    save(host, document, text)
    assert on_disk(host) == 'writableStoreOverlay = "/rw"\n\n[[shares]]\ntag = "a"\nsource = "/a"\nmountPoint = "/a"\n'
    with pytest.raises(MvtuiError, match="there is no text before it"):
        undo_save(host, web())


def test_the_review_says_what_changes_what_is_wrong_and_what_follows(host: Host) -> None:
    document = opened(host)
    text = apply(document, [SetField(SHARES, 0, "mountPoint", "/home/"), MoveItem(VOLUMES, 1, 0)])
    seen = review(document, text)
    assert '-mountPoint = "/home"' in seen.diff
    assert '+mountPoint = "/home/"' in seen.diff
    assert seen.diff[:2] == ("--- web.toml", "+++ web.toml")
    assert [located.finding.subject for located in seen.findings] == ["shares[0].mountPoint"]
    assert not seen.allowed
    assert seen.follows == (
        "b.img becomes vdb; it is vdc now.",
        "a.img becomes vdc; it is vdb now.",
        "Rebuild: microvm -u web.",
    )


def test_a_review_of_a_running_one_and_of_nothing(host: Host) -> None:
    document = open_document(host, web(booted=Definition()))
    assert review(document, apply(document, [LARGER])).follows[-1] == "Then restart web."
    assert review(document, TEXT) == Review((), (), (), allowed=True)
    assert review(document, "# a comment\n" + TEXT).follows == ()
    # What mvtui does not edit is built anew too.
    assert review(document, "balloon = true\n" + TEXT).follows[0] == "Rebuild: microvm -u web."


def test_what_the_hypervisor_can_t_do_is_said_by_the_built_one(host: Host) -> None:
    document = open_document(host, web(Hypervisor.FIRECRACKER))
    assert "firecracker" in document.findings[0].finding.what


def test_changes_that_do_not_touch_are_merged(host: Host) -> None:
    mine, theirs = opened(host), opened(host)
    save(host, theirs, apply(theirs, [LARGER]))
    with pytest.raises(ConflictError, match="was changed since it was opened") as found:
        save(host, mine, apply(mine, [READ_ONLY]))
    conflict = found.value
    assert on_disk(host) == conflict.theirs == apply(theirs, [LARGER])
    assert conflict.mine == apply(mine, [READ_ONLY])
    assert conflict.merged == apply(mine, [READ_ONLY, LARGER])

    save(host, conflict.document, conflict.merged)
    assert on_disk(host) == apply(mine, [READ_ONLY, LARGER])


def test_mine_is_taken_where_they_touch_and_only_as_it_was_shown(host: Host) -> None:
    mine = opened(host)
    text = apply(mine, [SetField(SHARES, 0, "source", "/mine")])
    (host.definitions / "web.toml").write_text(apply(mine, [SetField(SHARES, 0, "source", "/theirs")]))
    with pytest.raises(ConflictError) as first:
        save(host, mine, text)
    assert first.value.merged is None
    (host.definitions / "web.toml").write_text(TEXT.replace("/srv/home", "/again"))
    with pytest.raises(ConflictError) as second:
        save(host, first.value.document, text)
    save(host, second.value.document, text)
    assert on_disk(host) == text
    undo_save(host, web())
    assert "/again" in on_disk(host)


def test_of_two_that_save_at_once_the_one_that_did_can_be_undone(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is in the middle of its save, and finds out that it comes too late."""
    document = opened(host)
    texts = [apply(document, [edit]) for edit in (READ_ONLY, LARGER)]
    keep, began = keep_former, Event()
    too_late: list[str] = []

    def save_one(text: str) -> None:
        try:
            save(host, document, text)
        except ConflictError:
            too_late.append(text)

    other = Thread(target=save_one, args=(texts[1],))

    def keep_and_let_the_other_begin(host: Host, microvm: str, former: Former | None) -> None:
        keep(host, microvm, former)
        if not began.is_set():
            began.set()
            other.start()
            other.join(0.3)

    monkeypatch.setattr(definitions_save, "keep_former", keep_and_let_the_other_begin)
    save_one(texts[0])
    other.join()
    assert sorted([on_disk(host), *too_late]) == sorted(texts)
    assert undo_save(host, web()).document.text == TEXT


def test_a_conflict_leaves_what_is_kept_for_undo(host: Host) -> None:
    first = opened(host)
    save(host, first, apply(first, [READ_ONLY]))
    with pytest.raises(ConflictError):
        save(host, first, "mem = 1\n")
    undo_save(host, web())
    assert on_disk(host) == TEXT


def test_it_is_gone_meanwhile(host: Host) -> None:
    document = opened(host)
    (host.definitions / "web.toml").unlink()
    with pytest.raises(ConflictError, match="and is gone") as found:
        save(host, document, apply(document, [READ_ONLY]))
    assert not found.value.document.exists
    save(host, found.value.document, found.value.mine)
    assert on_disk(host) == apply(document, [READ_ONLY])


def test_it_is_broken_meanwhile(host: Host) -> None:
    document = opened(host)
    (host.definitions / "web.toml").write_text("mem = \n")
    with pytest.raises(DocumentError, match=r"web.toml:1:7: Invalid value"):
        save(host, document, apply(document, [READ_ONLY]))
    assert on_disk(host) == "mem = \n"


def test_undo_of_what_was_changed_since_is_a_conflict(host: Host) -> None:
    document = opened(host)
    save(host, document, apply(document, [READ_ONLY]))
    (host.definitions / "web.toml").write_text(apply(document, [READ_ONLY, LARGER]))
    with pytest.raises(ConflictError) as found:
        undo_save(host, web())
    assert found.value.merged == apply(document, [LARGER])
    assert on_disk(host) == apply(document, [READ_ONLY, LARGER])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 1}', '{"path": "x", "before": 1, "after": ""}', "\x00" * 9])
def test_a_damaged_record_is_none(text: str, host: Host) -> None:
    (host.records / FOLDER).mkdir(parents=True)
    (host.records / FOLDER / "web").write_text(text)
    with pytest.raises(MvtuiError, match="no former definition of web is kept"):
        undo_save(host, web())
    document = opened(host)
    assert save(host, document, apply(document, [READ_ONLY])).undoable


def test_a_save_that_was_killed_before_the_file_has_nothing_to_undo(host: Host) -> None:
    path = str(host.definitions / "web.toml")
    keep_former(host, "web", Former(path, TEXT, "mem = 1\n"))
    with pytest.raises(MvtuiError, match="has its former text already"):
        undo_save(host, web())
    assert on_disk(host) == TEXT


def test_where_the_former_text_can_t_be_kept_that_is_said(host: Host) -> None:
    host.records.mkdir()
    (host.records / FOLDER).write_text("in the way")
    document = opened(host)
    saved = save(host, document, apply(document, [READ_ONLY]))
    assert not saved.undoable
    assert "is not kept" in saved.findings[0].what
    assert on_disk(host) == apply(document, [READ_ONLY])


@pytest.mark.parametrize("text", ["mem = ", "[[shares]\n"])
def test_what_is_no_toml_is_not_saved(text: str, host: Host) -> None:
    document = opened(host)
    with pytest.raises(DocumentError):
        save(host, document, text)
    with pytest.raises(DocumentError):
        review(document, text)
    assert on_disk(host) == TEXT


def test_a_broken_file_says_where(host: Host) -> None:
    (host.definitions / "web.toml").write_text("mem = 1\ntag = \n")
    with pytest.raises(DocumentError) as found:
        opened(host)
    assert (found.value.line, found.value.column) == (2, 7)


def test_a_wrong_type_can_be_mended(host: Host) -> None:
    (host.definitions / "web.toml").write_text('[[volumes]]\nimage = "a"\nsize = "64"\n')
    document = opened(host)
    assert document.definition is None
    assert document.findings[0].line == 3
    assert review(document, apply(document, [SetField(VOLUMES, 0, "size", 64)])).allowed


def test_without_rights_nothing_changes(host: Host) -> None:
    document = opened(host)
    if (host.definitions).stat().st_uid != 0:
        pytest.skip("root alone gives rights up")
    with without_rights(), pytest.raises(RightsMissingError):
        save(host, document, apply(document, [READ_ONLY]))
    assert on_disk(host) == TEXT


def test_names_and_texts_that_act(host: Host) -> None:
    path = host.definitions / "we[b]\x1b[31m\nb.toml"
    path.write_text('[[shares]]\ntag = "[red]"\nsource = "/a"\nmountPoint = "/a"\n')
    document = open_document(host, web(name="we[b]\x1b[31m\nb"))
    assert document.path == path
    seen = review(document, apply(document, [SetField(SHARES, 0, "tag", "\x1b]0;x\x07")]))
    assert all(line.isprintable() for line in (*seen.diff, *seen.follows))
    save(host, document, apply(document, [READ_ONLY]))
    assert undo_save(host, document.microvm).document.text == document.text


def test_definitions_is_where_it_looks(host: Host, tmp_path: Path) -> None:
    host.definitions = tmp_path
    (tmp_path / "web.toml").write_text("mem = 77\n")
    assert opened(host).text == "mem = 77\n"


def test_git_is_asked_and_told(host: Host) -> None:
    top = host.definitions.parent
    (top / "flake.nix").write_text("{}")
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    document = opened(host)
    saved = save(host, document, apply(document, [READ_ONLY]))
    (finding,) = saved.findings
    assert finding.what == "git does not track the file, and Nix sees only what git tracks."
    assert finding.fix.startswith("git -C ")
    # Of a flake that is read as a path, Nix sees everything.
    assert git_findings(document.path, web(entry=StateDirEntry("web", "", flake=f"path:{top}"))) == ()

    assert track(document) == f"git tracks {document.path}; its content is not committed"
    assert git_findings(document.path, document.microvm) == ()


def test_where_there_is_no_repository(host: Host) -> None:
    with pytest.raises(MvtuiError, match="is in no git repository"):
        track(opened(host))


def test_the_review_says_what_goes(host: Host) -> None:
    document = opened(host)
    seen = review(document, apply(document, [RemoveItem(SHARES, 0), RemoveItem(VOLUMES, 0)]))
    assert seen.dropped == (
        "share home goes: the guest has no /home any more; /srv/home stays",
        "volume a.img goes: the guest no longer has it; the image stays where it is",
    )
    assert review(document, apply(document, [LARGER])).dropped == ()

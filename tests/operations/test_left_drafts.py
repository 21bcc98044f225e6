"""Drafts that outlive a panel."""

import os
from pathlib import Path

import pytest

from mvtui.model.edit import ItemKind, SetField
from mvtui.operations import left_drafts
from mvtui.operations.definitions_save import Document
from mvtui.operations.draft import Draft, begin, change
from tests.ui.samples import microvm

TEXT = """\
[[shares]]
tag = "home"
source = "/srv/home"
mountPoint = "/home"
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def document(text: str = TEXT) -> Document:
    values = {"shares": [{"tag": "home", "source": "/srv/home", "mountPoint": "/home"}]}
    return Document(microvm("lab"), Path("/etc/definitions/lab.toml"), text, True, values, None, (), None)


def changed() -> Draft:
    return change(begin(document()), [SetField(ItemKind.SHARES, 0, "readOnly", True)], "share home changed")


def test_it_comes_back_as_it_was(state: Path) -> None:
    assert left_drafts.find(document()) is None
    path = left_drafts.leave(changed())
    assert path.parent == state / "mvtui" / "left"
    assert path.name.startswith("lab.toml.")
    found = left_drafts.find(document())
    assert found is not None
    assert (found.text, found.changes, found.values) == (changed().text, changed().changes, changed().values)
    assert left_drafts.find(document()._replace(path=Path("/elsewhere/lab.toml"))) is None


def test_what_the_file_was_comes_with_it() -> None:
    """So that a save still sees that it was changed meanwhile."""
    left_drafts.leave(changed())
    found = left_drafts.find(document(f"# another line\n{TEXT}"))
    assert found is not None
    assert found.document.text == TEXT


def test_what_is_saved_by_now_is_forgotten(state: Path) -> None:
    path = left_drafts.leave(changed())
    assert left_drafts.find(document(changed().text)) is None
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff", b'{"base": "", "text": "[", "changes": []}', b"[" * 100_000], ids=range(5)
)
def test_one_that_makes_no_sense(content: bytes) -> None:
    left_drafts.leave(changed()).write_bytes(content)
    assert left_drafts.find(document()) is None


def test_one_that_somebody_else_could_have_written() -> None:
    path = left_drafts.leave(changed())
    path.chmod(0o666)
    assert left_drafts.find(document()) is None
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert left_drafts.find(document()) is None
    path.unlink()
    os.mkfifo(path)
    assert left_drafts.find(document()) is None


def test_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")
    with pytest.raises(OSError, match="no home"):
        left_drafts.leave(changed())
    assert left_drafts.find(document()) is None

"""A draft: what was changed so far, and what is said of it; nothing is written."""

from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.model.definition import Definition, Runner
from mvtui.model.edit import AddItem, Edit, ItemKind, MoveItem, RemoveItem, SetField, SetOverlay
from mvtui.model.finding import Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.rules.finding import error
from mvtui.model.state import State, StateWord
from mvtui.operations.definitions_save import Document, _document
from mvtui.operations.draft import begin, change, check, is_saved, meant, still_told

SHARES, VOLUMES = ItemKind
TEXT = """\
[[volumes]]
image = "nix-rw.img"
size = 100
mountPoint = "/a"

[[volumes]]
image = "data.img"   # mine
size = 100
mountPoint = "/b"
"""


def document(text: str = TEXT, hypervisor: Hypervisor | None = None) -> Document:
    built = Runner("/nix/store/x", Definition(hypervisor, host_name="web")) if hypervisor is not None else None
    microvm = MicroVM("web", "/var/lib/microvms/web", State(StateWord.STOPPED, None, ""), built=built)
    return _document(microvm, Path("web.toml"), text, exists=True)


def whats(values: dict[str, object], hypervisor: Hypervisor | None = None) -> dict[str, str]:
    return {each.subject: each.what for each in check(document("", hypervisor), values).findings}


def test_a_draft_has_its_own_text_and_the_document_stays() -> None:
    opened = document()
    draft = begin(opened)
    assert not draft.changed
    draft = change(draft, [SetField(VOLUMES, 1, "size", 200)], "volume data.img changed")
    assert draft.changed
    assert draft.text == TEXT.replace('100\nmountPoint = "/b"', '200\nmountPoint = "/b"')
    assert draft.items(VOLUMES)[1]["size"] == 200
    assert draft.document is opened
    assert opened.text == TEXT
    draft = change(draft, [AddItem(SHARES, {"tag": "home"})], "share home added")
    assert draft.changes == ("volume data.img changed", "share home added")
    assert change(draft, [SetOverlay(None)], "nothing") is draft


def test_letters_that_move_are_told_as_they_are_and_will_be() -> None:
    draft = change(begin(document()), [MoveItem(VOLUMES, 1, 0)], "moved")
    assert draft.moved == ("data.img becomes vdb; it is vdc now.", "nix-rw.img becomes vdc; it is vdb now.")
    assert change(draft, [MoveItem(VOLUMES, 0, 1)], "and back").moved == ()
    assert change(begin(document()), [RemoveItem(VOLUMES, 0)], "removed").moved == (
        "data.img becomes vdb; it is vdc now.",
    )


def test_the_last_one_leaves_an_empty_list() -> None:
    draft = change(begin(document('[[shares]]\ntag = "a"\n')), [RemoveItem(SHARES, 0)], "removed")
    assert draft.text == "shares = []\n"
    assert draft.checked.definition is not None
    assert "shares" not in draft.checked.definition.untold


def test_it_is_checked_for_the_hypervisor_that_it_names_else_for_the_built_one() -> None:
    share = {"tag": "a", "source": "/a", "mountPoint": "/a", "proto": "virtiofs"}
    assert whats({"shares": [share]}, Hypervisor.FIRECRACKER) == {"shares[0].proto": "firecracker has no shares."}
    assert whats({"shares": [share], "hypervisor": "qemu"}, Hypervisor.FIRECRACKER) == {}
    assert whats({"shares": [share]}) == {}


def test_where_something_is_missing_the_rest_is_looked_at() -> None:
    found = whats({"shares": [{"tag": "a" * 40, "proto": "virtiofs"}], "volumes": [{"size": 1, "fsType": "xfs"}]})
    assert found["shares[0].source"] == "source is missing."
    assert found["shares[0].mountPoint"] == "mountPoint is missing."
    assert found["volumes[0].image"] == "image is missing."
    assert found["shares[0].tag"] == "The tag has 40 bytes, virtiofs takes 36."
    assert found["volumes[0].size"] == "1 MiB is too small for xfs."
    assert len(found) == 6  # and that the volume is not mounted


def test_a_wrong_type_is_told_and_gives_no_definition() -> None:
    checked = check(document(""), {"shares": [{"tag": "a", "source": "/a", "mountPoint": "/a", "readOnly": "yes"}]})
    assert checked.definition is None
    assert [(each.subject, each.severity) for each in checked.findings] == [("shares[0].readOnly", Severity.ERROR)]


@pytest.mark.parametrize("text", ["shares = 1\n", 'shares = ["a"]\n', "[shares]\nx = 1\n"])
def test_what_is_no_list_of_tables_has_no_items_and_can_not_be_changed(text: str) -> None:
    draft = begin(document(text))
    assert draft.items(SHARES) == []
    with pytest.raises(MvtuiError, match="no tables in this file"):
        change(draft, [AddItem(SHARES, {"tag": "a"})], "added")


def test_what_is_meant_is_told_without_the_text() -> None:
    values = begin(document()).values
    edits: list[Edit] = [SetField(VOLUMES, 1, "size", 7), RemoveItem(VOLUMES, 0)]
    assert meant(values, edits)["volumes"] == [{"image": "data.img", "size": 7, "mountPoint": "/b"}]
    assert len(values["volumes"]) == 2


@pytest.mark.parametrize(
    ("now", "saved"),
    [
        (TEXT, False),
        (TEXT.replace("100", "200"), True),
        (TEXT.replace("100", "200") + "# theirs\n", True),
        (TEXT + "# theirs\n", False),
        (TEXT.replace("100", "300"), False),
    ],
)
def test_it_is_saved_where_the_file_has_all_of_it(now: str, saved: bool) -> None:
    edits = [SetField(VOLUMES, at, "size", 200) for at in (0, 1)]
    assert is_saved(change(begin(document()), edits, "sizes"), document(now)) == saved


def test_what_the_host_said_is_told_as_long_as_that_is_what_stands_there() -> None:
    then = begin(document()).values
    found = [error(f"volumes[{at}].{key}", "…") for at in (0, 1) for key in ("image", "size")]
    assert still_told(found, then, then) == tuple(found)
    now = meant(then, [SetField(VOLUMES, 1, "size", 9)])
    assert still_told(found, then, now) == (*found[:2], found[2])
    assert still_told(found, then, meant(then, [RemoveItem(VOLUMES, 0)])) == ()
    assert still_told(found, then, meant(then, [MoveItem(VOLUMES, 0, 1)])) == ()
    assert still_told([error("mem", "…")], {"mem": 1}, {"mem": 2}) == ()

"""One thing changed in a definition file's text: everything else is the same, byte for byte."""
# ruff: noqa: E501 (tables)

import difflib
import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.errors import MvtuiError
from mvtui.host.document_edit import changed_values, edited, same
from mvtui.model.edit import AddItem, Edit, ItemKind, MoveItem, RemoveItem, SetField, SetOverlay

SHARES, VOLUMES = ItemKind
TEXT = """\
# what web has
writableStoreOverlay = "/nix/.rw-store"   # the overlay

# the store
[[shares]]
proto = "virtiofs"
tag = "ro-store"
source = '/nix/store'   # the host's
mountPoint = "/nix/.ro-store"
# nothing more here

# Nobody's comment.

# home of git
[[shares]]
  tag = "home"
  source = "/srv/git"
  mountPoint = "/home"

[vsock]
cid = 3

[[volumes]]
image = "a.img"
size = 20_48
mkfsExtraArgs = [
  "-O", # so
  "^x",
]

[[volumes]]
image = "b.img"
autoCreate = false
"""


def diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (SetField(SHARES, 0, "source", "/srv/x"), ["-source = '/nix/store'   # the host's", '+source = "/srv/x"   # the host\'s']),
        (SetField(SHARES, 1, "tag", 'a "b" \\ ü'), ['-  tag = "home"', '+  tag = "a \\"b\\" \\\\ ü"']),
        (SetField(SHARES, 0, "readOnly", True), ["+readOnly = true"]),
        (SetField(SHARES, 1, "readOnly", True), ["+  readOnly = true"]),
        (SetField(SHARES, 0, "proto", None), ['-proto = "virtiofs"']),
        (SetField(SHARES, 0, "cache", None), []),
        (SetField(SHARES, 1, "tag", "home"), []),
        (SetField(VOLUMES, 0, "size", 4096), ["-size = 20_48", "+size = 4096"]),
        (
            SetField(VOLUMES, 0, "mkfsExtraArgs", ("-q",)),
            ["-mkfsExtraArgs = [", '-  "-O", # so', '-  "^x",', "-]", '+mkfsExtraArgs = ["-q"]'],
        ),
        (SetField(VOLUMES, 1, "label", "x\ny"), ['+label = "x\\ny"']),
        (SetOverlay("/rw"), ['-writableStoreOverlay = "/nix/.rw-store"   # the overlay', '+writableStoreOverlay = "/rw"   # the overlay']),
        (SetOverlay(None), ['-writableStoreOverlay = "/nix/.rw-store"   # the overlay']),
        (AddItem(SHARES, {"tag": "n", "source": "/n"}), ["+[[shares]]", '+tag = "n"', '+source = "/n"', "+"]),
        (AddItem(VOLUMES, {"image": "c.img", "size": 1}), ["+[[volumes]]", '+image = "c.img"', "+size = 1", "+"]),
        (AddItem(VOLUMES, {"image": "c.img"}, at=1), ['+image = "c.img"', "+", "+[[volumes]]"]),
        (RemoveItem(VOLUMES, 1), ["-[[volumes]]", '-image = "b.img"', "-autoCreate = false", "-"]),
    ],
)  # fmt: skip
def test_the_difference_is_what_was_meant(edit: Edit, changed: list[str]) -> None:
    assert diff(TEXT, edited(TEXT, edit)) == changed


def test_the_comment_above_goes_with_its_share_and_nobodys_stays() -> None:
    without = edited(TEXT, RemoveItem(SHARES, 1))
    assert "# home of git" not in without
    assert "# Nobody's comment.\n\n[vsock]" in without

    moved = edited(TEXT, MoveItem(SHARES, 1, 0))
    assert moved.index("# home of git\n[[shares]]") < moved.index("# Nobody's") < moved.index("# the store\n[[shares]]")
    assert moved.count("# nothing more here\n\n[vsock]") == 1


def test_the_place_of_a_volume_changes() -> None:
    moved = edited(TEXT, MoveItem(VOLUMES, 1, 0))
    assert [volume["image"] for volume in tomllib.loads(moved)["volumes"]] == ["b.img", "a.img"]
    assert edited(moved, MoveItem(VOLUMES, 0, 1)) == TEXT


@pytest.mark.parametrize(
    ("text", "edit", "result"),
    [
        ("mem = 1\n[[shares]]\n", AddItem(SHARES, {"x": 1}, at=0), "mem = 1\n\n[[shares]]\nx = 1\n\n[[shares]]\n"),
        ("[[shares]]\n", AddItem(SHARES, {"x": 1}, at=0), "[[shares]]\nx = 1\n\n[[shares]]\n"),
        ("", SetOverlay("/x"), 'writableStoreOverlay = "/x"\n'),
        ("", AddItem(SHARES, {"tag": "a"}), '[[shares]]\ntag = "a"\n'),
        ("mem = 1", AddItem(SHARES, {"tag": "a"}), 'mem = 1\n\n[[shares]]\ntag = "a"\n'),
        ("mem = 1", SetOverlay("/x"), 'mem = 1\nwritableStoreOverlay = "/x"\n'),
        ("# c\n\n[vsock]\n", SetOverlay("/x"), '# c\n\nwritableStoreOverlay = "/x"\n\n[vsock]\n'),
        ("[vsock]\r\ncid = 3\r\n", SetOverlay("/x"), 'writableStoreOverlay = "/x"\r\n\r\n[vsock]\r\ncid = 3\r\n'),
        ('[[shares]]\r\ntag = "a"\r\n', SetField(SHARES, 0, "tag", "b"), '[[shares]]\r\ntag = "b"\r\n'),
        ('[[shares]]\r\ntag = "a"\r\n', SetField(SHARES, 0, "x", ["y"]), '[[shares]]\r\ntag = "a"\r\nx = ["y"]\r\n'),
        ("shares = []\nmem = 1\n", AddItem(SHARES, {"tag": "a"}), 'mem = 1\n\n[[shares]]\ntag = "a"\n'),
        ('[[ "shares" ]] # c\ntag = "a"', SetField(SHARES, 0, "tag", "b"), '[[ "shares" ]] # c\ntag = "b"'),
        ('[[shares]]\n"tag"="a"#c', SetField(SHARES, 0, "tag", "b"), '[[shares]]\n"tag"="b"#c'),
        ('[[shares]]\ntag = "a"', SetField(SHARES, 0, "x", 1), '[[shares]]\ntag = "a"\nx = 1\n'),
        ("[[shares]]", SetField(SHARES, 0, "x", 1), "[[shares]]\nx = 1\n"),
        ('[[shares]]\ntag = "a"', RemoveItem(SHARES, 0), "shares = []\n"),
        ('mem = 1 # c\n\n[[shares]]\ntag = "a"\n', RemoveItem(SHARES, 0), "mem = 1 # c\nshares = []\n"),
        ('[vsock]\ncid = 3\n[[volumes]]\nimage = "a"\n', RemoveItem(VOLUMES, 0), "volumes = []\n\n[vsock]\ncid = 3\n"),
        ('[[shares]]\r\ntag = "a"\r\n[x]\r\n', RemoveItem(SHARES, 0), "shares = []\r\n\r\n[x]\r\n"),
        ('shares = [ {tag = "a"}, {tag = "b"} ]\n', SetField(SHARES, 1, "tag", "c"), 'shares = [ {tag = "a"}, {tag = "c"} ]\n'),
        ('shares = [{tag = "a"}]\nmem = 1\n', RemoveItem(SHARES, 0), "shares = []\nmem = 1\n"),
        ('[[shares]]\ntag = """\n# x"""\n# c\n[v]\n', SetField(SHARES, 0, "x", 1), '[[shares]]\ntag = """\n# x"""\nx = 1\n# c\n[v]\n'),
        ('[[shares]]\ntag = "a"\n[shares.y]\nz = 1\n', SetField(SHARES, 0, "x", 1), '[[shares]]\ntag = "a"\nx = 1\n[shares.y]\nz = 1\n'),
    ],
)  # fmt: skip
def test_how_else_it_may_be_written(text: str, edit: Edit, result: str) -> None:
    assert edited(text, edit) == result


@pytest.mark.parametrize("edit", [RemoveItem(SHARES, 0), AddItem(SHARES, {"tag": "b"}), MoveItem(SHARES, 1, 0)])
def test_in_a_list_on_several_lines(edit: Edit) -> None:
    text = 'shares = [\n  { tag = "a" }, # one\n  { tag = "c" },\n] # end\nmem = 1\n'
    after = edited(text, edit)
    assert tomllib.loads(after) == changed_values(tomllib.loads(text), edit)
    assert after.endswith("] # end\nmem = 1\n")


def test_what_is_no_change_in_that_way_is_refused() -> None:
    text = "[[shares]]\nx.y = 1\n[volumes]\nx = 1\n[[shares]]\n[shares.z]\n[mem]\n[shares.q]\n"
    with pytest.raises(MvtuiError, match=r"shares\[0\].x can't be changed in the way"):
        edited(text, SetField(SHARES, 0, "x", 2))


@pytest.mark.parametrize("text", ["shares = 1\n", 'shares = ["a"]\n', "[shares]\nx = 1\n", 'shares = "ab"\n'])
@pytest.mark.parametrize(
    "edit", [SetField(SHARES, 0, "tag", "x"), AddItem(SHARES, {"tag": "x"}), RemoveItem(SHARES, 0)]
)
def test_what_is_no_table_is_refused(edit: Edit, text: str) -> None:
    with pytest.raises(MvtuiError, match="shares are no tables in this file"):
        edited(text, edit)
    assert edited(text, SetOverlay("/x")) != text


@pytest.mark.parametrize("edit", [SetField(SHARES, 2, "tag", "x"), RemoveItem(VOLUMES, 2), MoveItem(SHARES, -1, 0)])
def test_one_that_there_is_not(edit: Edit) -> None:
    with pytest.raises(IndexError):
        edited(TEXT, edit)


VALUES = st.one_of(
    st.integers(0, 10**6).map(str),
    st.sampled_from(["true", "0x1F", "1_000", "nan", "-inf", "1e3", "2026-01-01", "'lit # eral'", '"a \\" # b"', '""']),
    st.sampled_from(['"""\n# no comment\n[[shares]]\n"""', "'''\n[x]\n# '''", '[ 1, # c\n\n  2,\n]', "{ a = 1, b.c = [] }"]),
)  # fmt: skip
KEYS = st.sampled_from(["tag", "source", "size", '"quo ted"', "'lit'", "a.b", "a . c", "readOnly", "image"])
TRAILS = st.sampled_from(["", " ", "  # c", "\t#[[shares]]"])
PAIRS = st.tuples(st.sampled_from(["", "  "]), KEYS, st.sampled_from(["=", " = "]), VALUES, TRAILS).map("".join)
HEADERS = st.sampled_from(["[[shares]]", "[[volumes]]", "[[ shares ]] # c", "  [[volumes]]", "[vsock]", "[[other]]"])
LINES = st.one_of(PAIRS, HEADERS, HEADERS, st.sampled_from(["", "", "# comment", "  # indented", "# [[shares]]"]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """What tomllib and tomlkit both read."""
    parts: list[str] = []
    for line in draw(st.lists(LINES, max_size=24)):
        try:
            tomllib.loads("\n".join([*parts, line]))
        except tomllib.TOMLDecodeError:
            continue
        parts.append(line)
    text = "\n".join([*parts, *draw(st.sampled_from([[], [""]]))])
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    tomlkit.parse(text)
    return text


def counts(text: str) -> dict[ItemKind, int]:
    values = tomllib.loads(text)
    return {kind: len(values.get(kind, ())) for kind in ItemKind}


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Edit]:
    text = draw(documents())
    found = counts(text)
    kind = draw(st.sampled_from([SHARES, VOLUMES]))
    edits: list[Edit] = [
        SetOverlay(draw(st.sampled_from(["/x", None]))),
        AddItem(kind, {"tag": "n", "list": ["a"]}, draw(st.sampled_from([None, 0]))),
    ]
    if found[kind]:
        at = draw(st.integers(0, found[kind] - 1))
        value = draw(st.sampled_from(["new", 7, True, ["x", 'y"'], None]))
        key = draw(st.sampled_from(["tag", "size", "fresh", "quo ted"]))
        edits += [SetField(kind, at, key, value), RemoveItem(kind, at), MoveItem(kind, at, found[kind] - 1)]
    return text, draw(st.sampled_from(edits))


@given(changes())
@settings(deadline=None)
def test_whatever_the_file_looks_like_the_values_are_those_that_were_meant(change: tuple[str, Edit]) -> None:
    text, edit = change
    assert same(tomllib.loads(edited(text, edit)), changed_values(tomllib.loads(text), edit))


@given(documents(), st.sampled_from(ItemKind), st.data())
@settings(deadline=None)
def test_one_field_is_one_line(text: str, kind: ItemKind, data: st.DataObject) -> None:
    count = counts(text)[kind]
    if not count:
        return
    at = data.draw(st.integers(0, count - 1))
    after = edited(text, SetField(kind, at, "entirelyNew", 1))
    lines = after.splitlines()
    assert [line for line in lines if line.strip() != "entirelyNew = 1"] == text.splitlines()
    assert len(lines) == len(text.splitlines()) + 1
    again = edited(after, SetField(kind, at, "entirelyNew", 2))
    assert [line.replace(" ", "").strip() for line in diff(after, again)] == ["-entirelyNew=1", "+entirelyNew=2"]
    back = edited(again, SetField(kind, at, "entirelyNew", None))
    assert back in (text, text + "\n", text + "\r\n")


@given(documents(), st.sampled_from(ItemKind), st.data())
@settings(deadline=None)
def test_there_and_back_is_the_same_text(text: str, kind: ItemKind, data: st.DataObject) -> None:
    count = counts(text)[kind]
    if count < 2 or not text.endswith("\n"):
        return
    at, to = (data.draw(st.integers(0, count - 1)) for _ in range(2))
    back = edited(edited(text, MoveItem(kind, at, to)), MoveItem(kind, to, at))
    # A blank line may have come between a comment at the end of a table and the next table.
    assert [line for line in back.splitlines() if line.strip()] == [line for line in text.splitlines() if line.strip()]


def test_a_comment_at_the_end_of_what_moves_stays_its_own() -> None:
    text = '[[shares]]\ntag = "a"\n[[shares]]\ntag = "b"\n# of b\n'
    moved = edited(text, MoveItem(SHARES, 1, 0))
    assert moved == '[[shares]]\ntag = "b"\n# of b\n\n[[shares]]\ntag = "a"\n'
    assert "# of b" not in edited(moved, RemoveItem(SHARES, 0))

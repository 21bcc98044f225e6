"""What forms are made of: their fields are microvm.nix's options, what is typed becomes values, fixes become keys."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mvtui.model.edit import AddItem, ItemKind, SetField
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.options import ShareOptions, VolumeOptions
from mvtui.model.rules.volumes import SMALLEST
from mvtui.ui.forms.fields import FIELDS, SHARE_FIELDS, VOLUME_FIELDS, FieldKind
from mvtui.ui.forms.fixes import another_name, fix_of
from mvtui.ui.forms.form import Form
from mvtui.ui.forms.line_edit import MOST, LineEdit, begin
from mvtui.ui.forms.told import detail_lines, field_line
from mvtui.ui.lines import width_of

SHARES, VOLUMES = ItemKind
SHARE = {"tag": "home", "source": "/srv", "mountPoint": "/home", "proto": "virtiofs", "cache": "always"}


def form(given: dict[str, Any], kind: ItemKind = SHARES, *, is_new: bool = False, **typed: str) -> Form:
    made = Form(kind, 1, given, Hypervisor.QEMU, is_new, "web")
    for key, text in typed.items():
        made = made.typed(key, begin(text))
    return made


@pytest.mark.parametrize(("fields", "options"), [(SHARE_FIELDS, ShareOptions), (VOLUME_FIELDS, VolumeOptions)])
def test_there_is_a_field_for_each_option_with_its_choices_and_its_default(fields: Any, options: Any) -> None:
    known = {str(info.alias): info for info in options.model_fields.values()}
    assert sorted(each.key for each in fields) == sorted(known)
    for each in fields:
        info = known[each.key]
        if each.kind is FieldKind.CHOICE:
            assert set(each.choices) == set(get_args(info.annotation)), each.key
            assert each.default == info.default
        elif each.kind is FieldKind.FLAG:
            assert info.annotation is bool
            assert each.default == ("yes" if info.default else "no")
        elif each.kind is FieldKind.WORDS:
            assert info.annotation == list[str]
        elif each.default:
            assert each.default == info.default
    assert set(next(each for each in VOLUME_FIELDS if each.key == "fsType").choices) == SMALLEST.keys()


@pytest.mark.parametrize(
    ("given", "kind", "hypervisor", "absent"),
    [
        ({"proto": "virtiofs"}, SHARES, Hypervisor.QEMU, {"securityModel"}),
        ({"proto": "9p"}, SHARES, Hypervisor.QEMU, {"cache", "posixAcl", "socket", "extraArgs"}),
        ({}, SHARES, Hypervisor.QEMU, {"cache", "posixAcl", "socket", "extraArgs"}),
        ({}, SHARES, Hypervisor.KVMTOOL, {"cache", "posixAcl", "socket", "extraArgs", "readOnly", "securityModel"}),
        ({}, VOLUMES, Hypervisor.QEMU, {"imageType"}),
        ({"autoCreate": False}, VOLUMES, Hypervisor.QEMU, {"imageType", "size", "label", "mkfsExtraArgs"}),
        ({"autoCreate": False}, VOLUMES, Hypervisor.CLOUD_HYPERVISOR, {"size", "label", "mkfsExtraArgs"}),
        ({}, VOLUMES, Hypervisor.FIRECRACKER, {"imageType", "serial", "direct"}),
    ],
)
def test_options_that_do_not_apply_are_not_there(
    given: dict[str, Any], kind: ItemKind, hypervisor: Hypervisor, absent: set[str]
) -> None:
    made = Form(kind, 0, given, hypervisor)
    assert {each.key for each in FIELDS[kind]} - {each.key for each in made.fields} == absent


def test_what_the_file_has_stays_there_though_it_does_not_apply() -> None:
    assert "cache" in [each.key for each in form(SHARE, proto="9p").fields]
    assert "cache" not in [each.key for each in form(SHARE, is_new=True, proto="9p").fields]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("tag", "a b", "a b"),
        ("tag", "", None),
        ("readOnly", "yes", True),
        ("extraArgs", "--a 'b c'", ["--a", "b c"]),
        ("extraArgs", "--a 'b", "--a 'b"),
        ("proto", "9p", "9p"),
    ],
)
def test_what_is_typed_is_one_change(key: str, text: str, value: Any) -> None:
    assert form(SHARE).typed(key, begin(text)).edits == (SetField(SHARES, 1, key, value),)


@pytest.mark.parametrize(
    ("text", "value"), [("2048", 2048), ("2 GiB", "2 GiB"), ("-1", "-1"), ("9" * 30, "9" * 30), ("٣", "٣")]
)
def test_a_number_is_one_or_stays_a_text_that_its_type_refuses(text: str, value: Any) -> None:
    assert form({"image": "a", "size": 1}, VOLUMES, size=text).edits == (SetField(VOLUMES, 1, "size", value),)


def test_what_was_not_touched_is_no_change() -> None:
    given = {**SHARE, "extraArgs": ["a b", "\x1b"], "socket": 7, "unknown": {"x": 1}}
    assert form(given).edits == ()
    assert form(given, tag="home", socket="7").edits == ()
    assert not form(given, readOnly="no").changed  # there and back


def test_a_new_one_has_its_options_in_the_order_of_the_form_and_none_that_does_not_apply() -> None:
    made = form(
        {"proto": "virtiofs", "cache": "always"}, is_new=True, mountPoint="/m", tag="t", source="/s", proto="9p"
    )
    assert made.edits == (AddItem(SHARES, {"tag": "t", "source": "/s", "mountPoint": "/m", "proto": "9p"}),)


def finding(fix: str) -> Finding:
    return Finding(Severity.ERROR, "shares[0].tag", "", "What.", "", fix)


@pytest.mark.parametrize(
    ("fix", "expected"),
    [
        ('proto = "virtiofs"', ("proto", "virtiofs")),
        ("readOnly = false", ("readOnly", False)),
        ("size = 1024 (MiB)", ("size", 1024)),
        ('imageType = "raw", or autoCreate = false and an image that is qcow2', ("imageType", "raw")),
        ('posixAcl = true, or extraArgs = ["--xattr"]', ("posixAcl", True)),
        ('write "/nix/.rw-store"', ("tag", "/nix/.rw-store")),
        ('a shorter one: "abc"', ("tag", "abc")),
        ('label = "0123456789abcdef"', ("label", "0123456789abcdef")),
        ("leave cache out", ("cache", None)),
        ("leave it out", ("tag", None)),
        ("leave socket out: the default has the tag in it", ("socket", None)),
        ('a shorter one: socket = "NAME.sock"', None),
        ('storeOnDisk = true, or a share with source = "/nix/store"', None),
        ("write tag = …", None),
        ('write "a\\"b"', None),
        ("use letters, digits, - and _", None),
        ("", None),
    ],
)
def test_a_fix_that_says_what_to_write_is_a_key(fix: str, expected: tuple[str, Any] | None) -> None:
    keys = ("tag", "proto", "readOnly", "size", "imageType", "posixAcl", "label", "cache", "socket")
    found = fix_of(finding(fix), "tag", keys)
    assert (found and (found.key, found.value)) == expected


@pytest.mark.parametrize(
    ("name", "other"), [("home", "home-2"), ("home-2", "home-3"), ("a.img", "a-2.img"), (".x", ".x-2"), ("", "-2")]
)
def test_a_copy_has_another_name(name: str, other: str) -> None:
    assert another_name(["home", "home-2", name], name) in (other, "home-3")


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        ("home x", "xabc def", 1),
        ("left left x", "abc dxef", 6),
        ("backspace", "abc de", 6),
        ("home delete", "bc def", 0),
        ("ctrl+a ctrl+k", "", 0),
        ("ctrl+u", "", 0),
        ("ctrl+w", "abc ", 4),
        ("ctrl+w ctrl+w", "", 0),
        ("left right end right", "abc def", 7),
    ],
)
def test_keys_in_a_line(keys: str, text: str, at: int) -> None:
    line = begin("abc def")
    for key in keys.split():
        line = line.pressed(key, key if len(key) == 1 else None) or line
    assert line == LineEdit(text, at)


def test_of_a_path_the_last_part_goes() -> None:
    assert begin("/srv/git/").pressed("ctrl+w", None) == begin("/srv/")


def test_a_key_of_no_line_is_none() -> None:
    assert begin("a").pressed("f5", None) is None
    assert begin("a").pressed("ctrl+q", "\x11") is None


def test_what_is_pasted_can_be_seen_and_has_an_end() -> None:
    assert LineEdit().insert("a\x1b[31m\u202eb").text == r"a\x1b[31m\u202eb"
    assert len(LineEdit().insert("a" * 9 * MOST).insert("b").text) == MOST


@given(st.text(max_size=40), st.integers(0, 40), st.integers(8, 30))
def test_the_cursor_is_always_seen(text: str, at: int, width: int) -> None:
    line = LineEdit().insert(text)
    line = line._replace(at=min(at, len(line.text)))
    seen, place = line.seen(width)
    assert 0 <= place <= len(seen)
    assert cell_len(seen) <= width
    assert cell_len(seen[: place + 1]) <= width
    assert line.text[line.at : line.at + 1] == seen[place : place + 1]


@given(st.text(max_size=60), st.integers(20, 120), st.booleans())
def test_whatever_is_typed_no_line_is_wider_than_the_screen(text: str, width: int, focused: bool) -> None:
    made = form({"image": "a"}, VOLUMES).typed("image", LineEdit().insert(text))
    told = [finding(f"leave {text} out")._replace(what=text, why=text)]
    for each in made.fields:
        line = field_line(made, each, told, width, focused=focused, ascii_only=False)
        assert width_of(line) <= max(width, 26)
        assert all(width_of(one) <= width for one in detail_lines(made, each, told, (width, 4), {}))

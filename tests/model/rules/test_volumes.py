import pytest

from mvtui.model.finding import Severity
from mvtui.model.rules.volumes import (
    LARGEST,
    SMALLEST,
    duplicate_image,
    duplicate_label,
    fs_type_known,
    image_characters,
    label_characters,
    label_length,
    made_raw,
    not_mounted,
    only_made,
    serial,
    size_needed,
    size_range,
    too_many,
)
from tests.model.rules.cases import STORE, VOLUME, Case, look, named, volumes, warned

_OTHER = {**VOLUME, "image": "b.img", "mountPoint": "/b"}
_NO_SIZE = {"image": "a.img", "mountPoint": "/var"}
_BY_HAND = {**VOLUME, "autoCreate": False}


def _image(image: str) -> dict[str, object]:
    return {**VOLUME, "image": image}


def _label(label: str, fs_type: str = "ext4") -> dict[str, object]:
    return {**_OTHER, "label": label, "fsType": fs_type}


CASES = (
    volumes(duplicate_image, VOLUME, _OTHER, _image("/a.img"), _image("x/../a.img")),
    volumes(duplicate_image, VOLUME, _OTHER, VOLUME, bad=("[2].image",)),
    volumes(duplicate_image, VOLUME, _image("./a.img"), _image(".//a.img"), bad=("[1].image", "[2].image")),
    volumes(duplicate_image, _image("/srv/a"), _image("/srv//a"), bad=("[1].image",)),
    volumes(image_characters, VOLUME, _image("/srv/a b.img"), _image("a:b"), {**_BY_HAND, "image": "-a'b"}),
    *(
        volumes(image_characters, _image(bad), bad=("[0].image",))
        for bad in ("", " ", "a/", "a'b", "a\nb", "-a", "~/a")
    ),
    volumes(image_characters, _image("a,b"), bad=("[0].image",)),
    volumes(image_characters, _image("a,b"), hypervisor="firecracker"),
    volumes(size_needed, VOLUME, {**_NO_SIZE, "autoCreate": False}),
    volumes(size_needed, VOLUME, _NO_SIZE, bad=("[1].size",)),
    *(volumes(size_range, {**VOLUME, "fsType": kind, "size": least}) for kind, least in SMALLEST.items()),
    *(
        volumes(size_range, {**VOLUME, "fsType": kind, "size": least - 1}, bad=("[0].size",))
        for kind, least in SMALLEST.items()
    ),
    volumes(size_range, {**_BY_HAND, "size": -1}, _NO_SIZE, {**VOLUME, "size": LARGEST}),
    volumes(size_range, {**VOLUME, "size": LARGEST + 1}, {**VOLUME, "size": -1}, bad=("[0].size", "[1].size")),
    *(volumes(fs_type_known, {**VOLUME, "fsType": kind, "size": 512}) for kind in SMALLEST),
    volumes(fs_type_known, {**_BY_HAND, "fsType": "zfs"}),
    volumes(fs_type_known, {**_BY_HAND, "fsType": "zfs"}, VOLUME, bad=("[0].fsType",)),
    volumes(fs_type_known, {**VOLUME, "fsType": "zfs"}, bad=("[0].fsType",)),
    volumes(fs_type_known, {**_BY_HAND, "fsType": " "}, bad=("[0].fsType",)),
    volumes(fs_type_known, {"image": "a", "autoCreate": False, "fsType": ""}),
    volumes(label_length, _label("l" * 16), _label("l" * 12, "xfs")),
    volumes(label_length, _label("l" * 254, "btrfs"), _label("l" * 11, "vfat")),
    volumes(label_length, {**_label("l" * 17), "autoCreate": False}, VOLUME),
    volumes(label_length, _label("l" * 17), _label("ä" * 9), bad=("[0].label", "[1].label")),
    volumes(label_length, _label("l" * 13, "xfs"), _label("l" * 12, "vfat"), bad=("[0].label", "[1].label")),
    volumes(label_length, _label("l" * 255, "btrfs"), bad=("[0].label",)),
    volumes(label_characters, VOLUME, _label("aA0#+-.:=@_"), _label("ä")),
    *(volumes(label_characters, _label(f"a{bad}"), bad=("[0].label",)) for bad in " /'\\\n,$"),
    volumes(label_characters, _label(""), bad=("[0].label",)),
    volumes(duplicate_label, VOLUME, _label("a"), _label("A"), _OTHER),
    volumes(duplicate_label, _label("a"), _label("b"), _label("a"), bad=("[2].label",)),
    volumes(duplicate_label, _label("nix-store"), bad=("[0].label",)),
    volumes(duplicate_label, _label("nix-store"), shares=[STORE]),
    volumes(too_many, *([VOLUME] * 25)),
    volumes(too_many, *([VOLUME] * 27), bad=("[25]", "[26]")),
    volumes(too_many, *([VOLUME] * 26), shares=[STORE]),
    volumes(too_many, *([VOLUME] * 27), shares=[STORE], bad=("[26]",)),
    volumes(serial, VOLUME, {**VOLUME, "serial": "s" * 20}, {**VOLUME, "serial": "a b"}),
    *(
        volumes(serial, {**VOLUME, "serial": bad}, bad=("[0].serial",))
        for bad in ("", "s" * 21, "ä" * 11, "a,b", "a\n")
    ),
    volumes(only_made, _label("a"), {**VOLUME, "mkfsExtraArgs": ["-q"]}, _BY_HAND),
    warned(
        volumes(
            only_made,
            {**_BY_HAND, "label": "a", "mkfsExtraArgs": ["-q"]},
            bad=("[0].label", "[0].mkfsExtraArgs"),
        )
    ),
    volumes(made_raw, VOLUME, {**_BY_HAND, "imageType": "qcow2"}, {**VOLUME, "imageType": "raw"}),
    volumes(made_raw, {**VOLUME, "imageType": "vhd"}, bad=("[0].imageType",)),
    volumes(not_mounted, VOLUME),
    volumes(not_mounted, {"image": "a", "size": 1}, bad=("[0].mountPoint",))._replace(severity=Severity.INFO),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=named)
def test_rule(case: Case) -> None:
    look(case)

"""What the host's findings say to write, a key of the forms can do; and the key that they name is the one there is."""

import pytest

from mvtui.model.checks import images, sources
from mvtui.model.checks.fields import Check, Fields
from mvtui.ui.commands import command
from mvtui.ui.forms.fixes import fix_of
from mvtui.ui.key_words import with_keys
from tests.model.test_checks import FOUND, NEW, VOLUME, on_disk, share, volume

KEYS = ("source", "posixAcl", "readOnly", "image", "size", "fsType", "label", "autoCreate")


@pytest.mark.parametrize(
    ("check", "fields", "key", "value"),
    [
        (sources.source_without_acls, share(FOUND._replace(has_acls=False)), "posixAcl", False),
        (images.image_size, on_disk(VOLUME._replace(size=8)), "size", 16),
        (images.image_fs_type, on_disk(fs_type="xfs"), "fsType", "xfs"),
        (images.image_label, on_disk(VOLUME._replace(label="a"), label="b"), "label", "b"),
        (images.image_label, on_disk(VOLUME._replace(label="a")), "label", None),
        (images.image_missing, volume(NEW, VOLUME._replace(auto_create=False)), "autoCreate", True),
        (images.no_space, volume(NEW, VOLUME._replace(size=101)), "size", 100),
    ],
)
def test_a_fix_is_a_value(check: Check, fields: Fields, key: str, value: object) -> None:
    (finding,) = check(fields)
    fix = fix_of(finding, finding.subject.rpartition(".")[2], KEYS)
    assert fix is not None
    assert (fix.key, fix.value) == (key, value)


def test_the_key_that_grows_an_image() -> None:
    (finding,) = images.image_size(on_disk(VOLUME._replace(size=32)))
    (key,) = command("grow").keys
    wanted = f"save it, then grow it ({key}): mvtui grow web a.img --defined"
    assert with_keys(finding.fix, {}) == wanted

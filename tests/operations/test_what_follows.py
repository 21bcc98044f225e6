"""What must follow a save until the guest has it; where it is built already, that nothing must."""

import pytest

from mvtui.host.ports import Host
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor
from mvtui.operations.definitions_save import open_document, review
from mvtui.operations.drift import with_drift
from mvtui.operations.what_follows import NOTHING_TO_REBUILD
from tests.operations.test_definitions_save import TEXT, host, web

__all__ = ["host"]  # a fixture

HOME = Share("home", ShareProto.NINE_P, "/srv/home", "/home", None, False, "none")
A = Volume("a.img", "b", "/var", 512, "ext4", None, True, (), False, None, None)
BUILT = Definition(
    Hypervisor.QEMU, "web", 512, 1, None, None, (HOME,), (A, A._replace(image="b.img", letter="c", mount_point="/srv"))
)._replace(fstab_read=True)
NEW_SHARE = '[[shares]]\ntag = "new"\nsource = "/n"\nmountPoint = "/n"\n'
UNTOLD = BUILT._replace(shares=(HOME._replace(read_only=None),))


@pytest.mark.parametrize(
    ("before", "built", "is_built"),
    [
        (TEXT.replace("size = 512", "size = 1024"), BUILT, True),
        (TEXT + NEW_SHARE, BUILT, True),
        (TEXT.replace("/srv/home", "/srv/other"), BUILT, True),
        (TEXT.replace("[[volumes]]", "readOnly = true\n\n[[volumes]]", 1), BUILT, True),
        (TEXT.replace("a.img", "c.img").replace("b.img", "a.img").replace("c.img", "b.img"), BUILT, True),
        # It has not what is saved now.
        (TEXT + NEW_SHARE, BUILT._replace(shares=(HOME._replace(source="/else"),)), False),
        ("mem = 512\n" + TEXT, BUILT, False),  # what has no default that the file tells
        # What is changed is not told: by a runner that could not be read, by one option of it, or by mvtui at all.
        (TEXT + NEW_SHARE, None, False),
        (TEXT + NEW_SHARE, Definition(), False),
        (TEXT.replace("[[volumes]]", "readOnly = true\n\n[[volumes]]", 1), UNTOLD, False),
        (TEXT.replace("size = 512", "size = 1024"), UNTOLD, True),
        ("balloon = true\n" + TEXT, BUILT, False),
        ("shares = 3\n", BUILT, False),
        ('shares = [{ tag = ["home"] }]\n', BUILT, True),
    ],
)
def test_what_is_built_already_needs_no_rebuild(
    host: Host, before: str, built: Definition | None, *, is_built: bool
) -> None:
    (host.definitions / "web.toml").write_text(before)
    document = open_document(host, web(built=Runner("/r", built)))
    follows = review(document, TEXT).follows
    assert (follows == (NOTHING_TO_REBUILD,)) is is_built
    assert ("Rebuild: microvm -u web." in follows) is not is_built


def test_all_shares_out_of_the_file_is_no_claim_about_those_built(host: Host) -> None:
    document = open_document(host, web(built=Runner("/r", BUILT)))
    assert "Rebuild: microvm -u web." in review(document, TEXT[TEXT.index("[[volumes]]") :]).follows


def test_what_is_built_but_not_booted_needs_a_restart(host: Host) -> None:
    (host.definitions / "web.toml").write_text(TEXT.replace("size = 512", "size = 1024"))
    booted = BUILT._replace(volumes=(BUILT.volumes[1]._replace(letter="b"), BUILT.volumes[0]._replace(letter="c")))
    running = web(built=Runner("/r", BUILT), booted=booted)
    follows = review(open_document(host, with_drift(running, None, None)), TEXT).follows
    assert follows == (
        "a.img becomes vdb; it is vdc now.",
        "b.img becomes vdc; it is vdb now.",
        NOTHING_TO_REBUILD,
        "Restart web: what runs differs from what is built.",
    )
    running = web(built=Runner("/r", BUILT), booted=BUILT)
    assert review(open_document(host, with_drift(running, None, None)), TEXT).follows == (NOTHING_TO_REBUILD,)

import struct

import pytest

from mvtui.model.rights import ENTER, READ, WRITE, Account, Inode, may

MICROVM = Account(993, frozenset({302, 6}), "microvm")
_NOBODY = 0xFFFFFFFF


def acl(*entries: tuple[int, int, int], version: int = 2) -> bytes:
    return struct.pack("<I", version) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def usual(*more: tuple[int, int, int], group: int = 0, mask: int = 7, other: int = 0) -> bytes:
    """u::rwx g::GROUP m::MASK o::OTHER and more."""
    ends = ((0x10, mask, _NOBODY), (0x20, other, _NOBODY))
    return acl((0x01, 7, _NOBODY), *more, (0x04, group, _NOBODY), *ends)


@pytest.mark.parametrize(
    ("inode", "wanted", "granted"),
    [
        (Inode(993, 0, 0o700), READ | WRITE | ENTER, True),
        (Inode(993, 0, 0o077), READ, False),  # the owner is not one of the others
        (Inode(0, 302, 0o070), READ | ENTER, True),
        (Inode(0, 302, 0o707), READ, False),
        (Inode(0, 6, 0o040), READ, True),  # a group that it is in beside its own
        (Inode(0, 0, 0o755), READ | ENTER, True),
        (Inode(0, 0, 0o755), WRITE, False),
        (Inode(0, 0, 0o711), ENTER, True),
        (Inode(0, 0, 0o711), READ | ENTER, False),
        # Access control lists
        (Inode(0, 0, 0o770, usual((0x02, 5, 993))), READ | ENTER, True),
        (Inode(0, 0, 0o770, usual((0x02, 5, 993))), WRITE, False),
        (Inode(0, 0, 0o777, usual((0x02, 7, 993), mask=4)), WRITE, False),  # the mask
        (Inode(0, 0, 0o777, usual((0x02, 7, 994), other=5)), READ, True),  # another user's
        (Inode(0, 0, 0o770, usual((0x08, 7, 302))), WRITE, True),
        (Inode(0, 0, 0o777, usual((0x08, 0, 302), other=7)), READ, False),  # a group's no is no
        (Inode(0, 302, 0o777, usual((0x08, 4, 6), group=1)), READ, True),  # one of its groups
        (Inode(0, 302, 0o777, usual((0x08, 4, 6), group=1)), READ | ENTER, False),  # no one group has both
        (Inode(0, 0, 0o775, usual(group=7, other=5)), ENTER, True),
        (Inode(993, 0, 0o600, usual((0x02, 0, 993))), READ, True),  # the owner's come first
        # What nobody understands counts as none
        (Inode(0, 0, 0o755, b""), READ, True),
        (Inode(0, 0, 0o755, b"\0\0"), READ, True),
        (Inode(0, 0, 0o755, acl((0x20, 0, _NOBODY), version=3)), READ, True),
        (Inode(0, 0, 0o755, usual(other=4) + b"cut"), READ, True),
    ],
)
def test_rights(inode: Inode, wanted: int, granted: bool) -> None:
    assert may(MICROVM, inode, wanted) is granted


def test_root_may_all() -> None:
    assert may(Account(0, frozenset(), "root"), Inode(993, 302, 0), READ | WRITE | ENTER)

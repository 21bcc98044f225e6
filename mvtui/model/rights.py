"""What a user may do with a file, by its mode and its access control list: acl(5), credentials(7). Pure.

access(2) asks for the process that calls it, and says yes to root whatever the user microvm may do.
"""

import struct
from collections.abc import Collection
from typing import NamedTuple

READ, WRITE, ENTER = 4, 2, 1

# linux/posix_acl_xattr.h: a version, then for each entry a tag, its permissions, and the uid or gid that it names.
_VERSION = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_KNOWN_VERSION = 2
_OWNER, _USER, _OWNING_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


class Account(NamedTuple):
    """Whom a process is: `gids` are all of its groups; `name` is for people."""

    uid: int
    gids: frozenset[int]
    name: str


class Inode(NamedTuple):
    """What decides who may use a file or a directory. `acl` is the value of `system.posix_acl_access`, None where it
    has none."""

    uid: int
    gid: int
    mode: int
    acl: bytes | None = None


def may(account: Account, inode: Inode, wanted: int) -> bool:
    """Whether `account` gets all of `wanted` (READ, WRITE, ENTER) of it. Root gets everything."""
    if account.uid == 0:
        return True
    if account.uid == inode.uid:  # also where an ACL says more
        return _grants(inode.mode >> 6, wanted)
    entries = _entries(inode.acl)
    if not entries:
        return _grants(inode.mode >> 3 if inode.gid in account.gids else inode.mode, wanted)
    mask = next((granted for tag, granted, _ in entries if tag == _MASK), READ | WRITE | ENTER)
    for tag, granted, named in entries:
        if tag == _USER and named == account.uid:
            return _grants(granted & mask, wanted)
    of_its_groups = [granted for tag, granted, named in entries if _is_group(account.gids, inode.gid, tag, named)]
    if of_its_groups:
        return any(_grants(granted & mask, wanted) for granted in of_its_groups)
    return _grants(next((granted for tag, granted, _ in entries if tag == _OTHER), 0), wanted)


def _is_group(gids: Collection[int], owning: int, tag: int, named: int) -> bool:
    return (tag == _OWNING_GROUP and owning in gids) or (tag == _GROUP and named in gids)


def _grants(granted: int, wanted: int) -> bool:
    return granted & wanted == wanted


def _entries(acl: bytes | None) -> list[tuple[int, int, int]]:
    """Empty where there is none, and where it is of a version that nobody knows."""
    if acl is None or len(acl) < _VERSION.size or _VERSION.unpack_from(acl)[0] != _KNOWN_VERSION:
        return []
    whole = (len(acl) - _VERSION.size) // _ENTRY.size * _ENTRY.size
    return list(_ENTRY.iter_unpack(acl[_VERSION.size : _VERSION.size + whole]))

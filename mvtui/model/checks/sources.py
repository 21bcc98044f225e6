"""Checks of shares' sources against the host."""

from collections.abc import Iterator
from shlex import quote

from mvtui.model.checks.fields import Fields
from mvtui.model.definition import ShareProto
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import Barred
from mvtui.model.finding import Finding
from mvtui.model.rights import Account
from mvtui.model.rules.finding import error, info, warning
from mvtui.model.source_plan import ELSEWHERE, is_in_store

_NOT_THERE = (SourceKind.NOTHING, SourceKind.DANGLING)


def source_untold(fields: Fields) -> Iterator[Finding]:
    """What can't be looked at is said, or nobody knows that the other checks did not see it."""
    for index, _, look in fields.shares_seen():
        if look.problem:
            yield info(f"shares[{index}].source", f"{look.path} can't be checked: {look.problem}.")


def source_missing(fields: Fields) -> Iterator[Finding]:
    """Symptom: with virtiofs the start waits for 90 s and fails, with 9p it loops every 5 s (microvm.nix, issue 316).
    systemd-tmpfiles makes the sources of the microVMs that the host's configuration names, when that is switched to
    (nixos-modules/host/default.nix)."""
    for index, _, look in fields.shares_seen():
        if look.kind in _NOT_THERE:
            yield warning(
                f"shares[{index}].source",
                f"{look.path} does not exist.",
                "A start waits for it and fails, unless the host's configuration makes it first.",
                ELSEWHERE if is_in_store(look.path) else f"mkdir -p {quote(look.path)}",
            )


def source_no_directory(fields: Fields) -> Iterator[Finding]:
    """virtiofsd(1), `--shared-dir`, and QEMU's `-fsdev local` serve a directory; both end at once with anything
    else."""
    for index, _, look in fields.shares_seen():
        if look.kind is not None and look.kind not in (*_NOT_THERE, SourceKind.DIRECTORY):
            yield error(
                f"shares[{index}].source",
                f"{look.path} is a {look.kind}.",
                "A share is a directory.",
                "the directory that it is in",
            )


def source_barred(fields: Fields) -> Iterator[Finding]:
    """Symptom: "Permission denied" in the guest, or no start (microvm.nix, issues 222, 246). 9p is served by the
    hypervisor, as the microVM's user; virtiofs by virtiofsd, which systemd runs as root. The rights are looked at for
    that user: access(2) says yes to root."""
    for index, share, look in fields.shares_seen():
        if look.kind is not SourceKind.DIRECTORY or fields.account is None:
            continue
        place = f"shares[{index}].source"
        serves = share.proto is ShareProto.NINE_P or not fields.virtiofsd_is_root
        if look.barred_reading is not None:
            told = _denied(fields.account, look.path, look.barred_reading, "read")
            if serves:
                yield error(place, told, f"It serves {share.proto} shares.", _fix(fields.account, look.barred_reading))
            else:
                yield info(place, told, "virtiofsd, which serves it, runs as root and can.")
        elif look.barred_writing is not None and share.read_only is False and serves:
            told = _denied(fields.account, look.path, look.barred_writing, "write")
            yield warning(place, told, f"It serves {share.proto} shares, so the guest can't either.", "readOnly = true")


def source_without_acls(fields: Fields) -> Iterator[Finding]:
    """Symptom: "Operation not supported" for every file in the guest (microvm.nix, issue 237). With posixAcl virtiofsd
    tells the guest's kernel to ask for ACLs (FUSE_POSIX_ACL), and a getxattr of system.posix_acl_access on the host
    gives EOPNOTSUPP. ZFS: zfsprops(7), xattr and acltype."""
    for index, share, look in fields.shares_seen():
        if share.proto is not ShareProto.VIRTIOFS or not share.posix_acl or look.has_acls is not False:
            continue
        fix = "posixAcl = false"
        if look.fs_type == "zfs":
            fix = f"zfs set xattr=sa acltype=posixacl {quote(look.fs_source) if look.fs_source else 'DATASET'}"
        yield error(
            f"shares[{index}].source",
            f"The file system of {look.path}{f' ({look.fs_type})' if look.fs_type else ''} has no ACLs.",
            "With posixAcl the guest asks for them, and can use no file.",
            fix,
        )


def overlay_without_attributes(fields: Fields) -> Iterator[Finding]:
    """Symptom: "overlayfs: upper fs missing required features" in the guest (microvm.nix, issue 43). An upper layer
    needs extended attributes; on a share it is mounted with `userxattr` (mounts.nix), so those of users."""
    for index, share, look in fields.shares_seen():
        on_it = share.proto is ShareProto.VIRTIOFS and fields.holds_overlay(share.mount_point)
        if on_it and look.has_xattrs is False:
            zfs = f"zfs set xattr=sa {quote(look.fs_source) if look.fs_source else 'DATASET'}"
            yield error(
                f"shares[{index}].source",
                f"The file system of {look.path}{f' ({look.fs_type})' if look.fs_type else ''} has no extended "
                "attributes.",
                "Without them it can't be the upper layer of an overlay.",
                zfs if look.fs_type == "zfs" else "a volume at that mount point",
            )


def _denied(account: Account, path: str, barred: Barred, wanted: str) -> str:
    if barred.path == path:
        return f"User {account.name} can't {barred.what} {path}."
    return f"User {account.name} can't {wanted} {path}: it may not {barred.what} {barred.path}."


def _fix(account: Account, barred: Barred) -> str:
    rights = "x" if barred.what == "enter" else "rx"
    return f"setfacl -m u:{account.uid}:{rights} {quote(barred.path)}"

"""Command lines of virtiofsd, and how a hypervisor's shares are completed by them."""

import shlex

import pytest

from mvtui.host.command_line import join_shares, read_virtiofsd
from mvtui.model.definition import Definition, Share, ShareProto

VIRTIOFS = ShareProto.VIRTIOFS
FULL = Share("t", VIRTIOFS, "/srv/a b", None, "s.sock", read_only=True, cache="always", posix_acl=True)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (
            "/nix/store/v/bin/virtiofsd --socket-path=s.sock --socket-group=kvm '--shared-dir=/srv/a b'"
            " --rlimit-nofile 1048576 --thread-pool-size 4 --posix-acl --xattr --cache=always --tag=t --readonly",
            FULL,
        ),
        (
            "virtiofsd --socket-path s.sock --shared-dir '/srv/a b' --posix-acl --cache always --tag t --readonly",
            FULL,
        ),
        (
            "/usr/bin/python3 /opt/bin/virtiofsd --socket-path=s --shared-dir=relative --translate-uid map:0:1:2",
            Share(None, VIRTIOFS, "relative", None, "s", read_only=False, cache="auto", posix_acl=False),
        ),
        (
            "/usr/lib/qemu/virtiofsd --socket-path=s -o source=/srv -o posix_acl,cache=none -o xattr",
            Share(None, VIRTIOFS, "/srv", None, "s", read_only=False, cache="never", posix_acl=True),
        ),
        (
            "/nix/store/v/bin/.virtiofsd-wrapped --fd=3 --shared-dir=/srv",
            Share(None, VIRTIOFS, "/srv", None, None, read_only=False, cache="auto", posix_acl=False),
        ),
        ("virtiofsd --version", None),
        ("/bin/bash /nix/store/x-virtiofsd-home", None),
        ("grep -- virtiofsd", None),
        ("", None),
    ],
)
def test_virtiofsd(argv: str, expected: Share | None) -> None:
    assert read_virtiofsd(shlex.split(argv)) == expected


def test_shares_are_joined_by_their_socket() -> None:
    definition = Definition(
        shares=(
            Share(None, VIRTIOFS, socket="a.sock"),
            Share("b", VIRTIOFS, source="/kept", socket="./b.sock"),
            Share("c", VIRTIOFS, socket="none.sock"),
            Share("d", ShareProto.NINE_P, source="/d"),
        )
    )
    served = [
        Share("a", VIRTIOFS, "/a", None, "./a.sock", True, None, "never", True),
        Share(None, VIRTIOFS, "/other", None, "b.sock", False, None, "auto", False),
        Share(None, VIRTIOFS, "/nobody", None, None, False, None, "auto", False),
    ]

    joined = join_shares(definition, served)

    assert joined.shares == (
        Share("a", VIRTIOFS, "/a", None, "a.sock", True, None, "never", True),
        Share("b", VIRTIOFS, "/kept", None, "./b.sock", False, None, "auto", False),
        definition.shares[2],
        definition.shares[3],
    )

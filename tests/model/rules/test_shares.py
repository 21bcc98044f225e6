import pytest

from mvtui.model.rules.shares import (
    duplicate_socket,
    duplicate_tag,
    posix_acl,
    socket_characters,
    socket_length,
    source_characters,
    source_spelling,
    store_spelling,
    tag_characters,
    tag_length,
    without_effect,
)
from tests.model.rules.cases import SHARE, VIRTIOFS, Case, look, named, shares, warned

_OTHER = {**SHARE, "tag": "b", "mountPoint": "/b"}
_OTHER_VIRTIOFS = {**VIRTIOFS, "tag": "b", "mountPoint": "/b"}
_TRANSLATE = ["--translate-uid=map:0:100000:1000"]


def _tag(tag: str, proto: str = "virtiofs") -> dict[str, str]:
    return {**SHARE, "tag": tag, "proto": proto}


CASES = (
    shares(duplicate_tag),
    shares(duplicate_tag, SHARE, _OTHER),
    shares(duplicate_tag, SHARE, _OTHER, SHARE, SHARE, bad=("[2].tag", "[3].tag")),
    shares(duplicate_tag, SHARE, {**_OTHER, "tag": "A"}),
    shares(duplicate_socket, VIRTIOFS, _OTHER_VIRTIOFS),
    shares(duplicate_socket, VIRTIOFS, VIRTIOFS),  # the tag's finding
    shares(duplicate_socket, {**SHARE, "socket": "x"}, {**_OTHER, "socket": "x"}),  # 9p has none
    shares(duplicate_socket, {**VIRTIOFS, "socket": "x"}, {**_OTHER_VIRTIOFS, "socket": "x"}, bad=("[1].socket",)),
    shares(duplicate_socket, VIRTIOFS, {**_OTHER_VIRTIOFS, "socket": "web-virtiofs-a.sock"}, bad=("[1].socket",)),
    shares(socket_length, VIRTIOFS, {**VIRTIOFS, "socket": "s" * 107}, {**SHARE, "socket": "s" * 108}),
    shares(socket_length, {**VIRTIOFS, "socket": "s" * 108}, bad=("[0].socket",)),
    shares(socket_length, {**VIRTIOFS, "socket": "ä" * 54}, bad=("[0].socket",)),
    shares(socket_length, _tag("t" * 36))._replace(host_name="h" * 56),
    shares(socket_length, _tag("t" * 36), bad=("[0].tag",))._replace(host_name="h" * 57),
    shares(socket_characters, VIRTIOFS, {**VIRTIOFS, "socket": "/run/a b-1.sock"}, {**SHARE, "socket": ","}),
    *(shares(socket_characters, {**VIRTIOFS, "socket": f"a{bad}b"}, bad=("[0].socket",)) for bad in ',"$`\\\n\x1b'),
    shares(socket_characters, {**VIRTIOFS, "socket": ""}, bad=("[0].socket",)),
    shares(tag_length, _tag("t"), _tag("t" * 36), _tag("t" * 31, "9p")),
    shares(tag_length, _tag(""), _tag(" \t\n", "9p"), bad=("[0].tag", "[1].tag")),
    shares(tag_length, _tag("t" * 37), _tag("t" * 32, "9p"), _tag("ä" * 19), bad=("[0].tag", "[1].tag", "[2].tag")),
    shares(tag_characters, _tag("ro-store"), _tag("a+b_c?d=e.f"), _tag("a b", "9p"), _tag("/a", "9p"), _tag("")),
    *(shares(tag_characters, _tag(f"a{bad}"), bad=("[0].tag",)) for bad in " /,:ä\n"),
    *(shares(tag_characters, _tag(f"a{bad}", "9p"), bad=("[0].tag",)) for bad in ",:\\\n\x07"),
    shares(tag_characters, _tag("#a", "9p"), bad=("[0].tag",)),
    shares(source_spelling, SHARE, {**SHARE, "source": "/~"}),
    shares(source_spelling, {**SHARE, "source": "~/a"}, {**SHARE, "source": "~"}, bad=("[0].source", "[1].source")),
    warned(shares(source_spelling, {**SHARE, "source": "srv/~"}, bad=("[0].source",))),
    shares(source_characters, {**SHARE, "source": '/a:b"$`\\'}, {**VIRTIOFS, "source": "/a,b:c"}),
    shares(source_characters, {**SHARE, "source": "/a,b"}, bad=("[0].source",)),
    shares(source_characters, {**SHARE, "source": "/a,b"}, bad=("[0].source",), hypervisor="kvmtool"),
    shares(source_characters, {**SHARE, "source": "/a:b"}, bad=("[0].source",), hypervisor="crosvm"),
    shares(source_characters, {**SHARE, "source": "/a,b"}, hypervisor="crosvm"),
    *(shares(source_characters, {**VIRTIOFS, "source": f"/a{bad}"}, bad=("[0].source",)) for bad in '"$`\\\n'),
    shares(store_spelling, {**SHARE, "source": "/nix/store"}, {**SHARE, "source": "/nix/store/x"}, SHARE),
    warned(shares(store_spelling, {**SHARE, "source": "/nix/store/"}, bad=("[0].source",))),
    warned(shares(store_spelling, {**SHARE, "source": "//nix/./store"}, bad=("[0].source",))),
    shares(posix_acl, VIRTIOFS, {**VIRTIOFS, "posixAcl": False, "extraArgs": _TRANSLATE}),
    shares(posix_acl, {**SHARE, "extraArgs": _TRANSLATE}),
    shares(posix_acl, {**VIRTIOFS, "extraArgs": _TRANSLATE}, bad=("[0].posixAcl",)),
    shares(posix_acl, {**VIRTIOFS, "extraArgs": ["--translate-gid", "x"]}, bad=("[0].posixAcl",)),
    shares(posix_acl, VIRTIOFS, SHARE, bad=("[0].posixAcl",), virtiofsd={"extraArgs": _TRANSLATE}),
    shares(posix_acl, VIRTIOFS, virtiofsd={"extraArgs": ["--xattr"]}),
    shares(without_effect, SHARE, VIRTIOFS, {**SHARE, "securityModel": "mapped"}),
    shares(without_effect, {**VIRTIOFS, "cache": "never", "posixAcl": False, "socket": "x", "extraArgs": ["x"]}),
    warned(
        shares(
            without_effect,
            {**SHARE, "cache": "never", "posixAcl": False, "socket": "x", "extraArgs": ["x"]},
            bad=("[0].cache", "[0].posixAcl", "[0].socket", "[0].extraArgs"),
        )
    ),
    warned(shares(without_effect, {**VIRTIOFS, "securityModel": "mapped"}, bad=("[0].securityModel",))),
    warned(
        shares(without_effect, {**SHARE, "securityModel": "mapped"}, bad=("[0].securityModel",), hypervisor="crosvm")
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=named)
def test_rule(case: Case) -> None:
    look(case)

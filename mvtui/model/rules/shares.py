"""Rules of `microvm.shares`."""

import re
from collections.abc import Iterator

from mvtui.model.definition import HOST_STORE, Share, ShareProto
from mvtui.model.finding import Finding
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.rules.finding import Defined, error, warning
from mvtui.model.rules.paths import same_path

# sun_path of unix(7) has 108 bytes, the last of which is 0.
SOCKET_BYTES = 107
# struct virtio_fs_config (linux/virtio_fs.h); virtiofsd and the hypervisors take no longer one either.
VIRTIOFS_TAG_BYTES = 36
# MAX_TAG_LEN of QEMU's hw/9pfs has 32 bytes, the last of which is 0.
NINE_P_TAG_BYTES = 31

_STORE_NAME = re.compile(r"[a-zA-Z0-9+_?=.-]+")


def duplicate_tag(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for duplicate share tags"."""
    first: dict[str | None, int] = {}
    for index, share in enumerate(defined.definition.shares):
        if share.tag in first:
            yield error(
                f"shares[{index}].tag",
                f'The tag "{share.tag}" is that of shares[{first[share.tag]}] too.',
                "The guest finds a share by its tag.",
                "give each share a tag of its own",
            )
        first.setdefault(share.tag, index)


def duplicate_socket(defined: Defined) -> Iterator[Finding]:
    """asserts.nix, "check for duplicate share sockets": of virtiofs alone, defaults included."""
    first: dict[str, int] = {}
    for index, share in _of(defined, ShareProto.VIRTIOFS):
        name = share.socket if share.socket is not None else default_socket(share, defined.host_name)
        if name in first and share.tag != defined.definition.shares[first[name]].tag:
            yield error(
                f"shares[{index}].socket",
                f'The socket "{name}" is that of shares[{first[name]}] too.',
                "Each virtiofsd listens on one of its own.",
                "leave socket out: the default has the tag in it",
            )
        first.setdefault(name, index)


def socket_length(defined: Defined) -> Iterator[Finding]:
    """unix(7): sun_path. The path is bound as written, from the microVM's state directory."""
    for index, share in _of(defined, ShareProto.VIRTIOFS):
        name = share.socket if share.socket is not None else default_socket(share, defined.host_name)
        size = len(name.encode())
        if size > SOCKET_BYTES:
            key = "socket" if share.socket is not None else "tag"
            yield error(
                f"shares[{index}].{key}",
                f"The path of the socket has {size} bytes, {SOCKET_BYTES} are possible.",
                f"{name} is longer than the kernel's sun_path.",
                'a shorter one: socket = "NAME.sock"',
            )


def socket_characters(defined: Defined) -> Iterator[Finding]:
    """The hypervisors' command lines separate options with commas (lib/runners/*.nix), and runner.nix writes the path
    with `echo "…"`."""
    for index, share in _of(defined, ShareProto.VIRTIOFS):
        if share.socket is not None and (bad := _bad_in(share.socket, ',"$`\\') or ("" if share.socket else "nothing")):
            yield error(
                f"shares[{index}].socket",
                f"The path of the socket has {bad} in it.",
                "The hypervisor's command line or the runner's script breaks there.",
                "leave socket out, or use letters, digits, - _ . and /",
            )


def tag_length(defined: Defined) -> Iterator[Finding]:
    """virtiofs: 1 to 36 bytes (struct virtio_fs_config); 9p: up to 31 (QEMU's MAX_TAG_LEN). An empty tag is none:
    `fileSystems.*.device` is a non-empty string (nixpkgs, tasks/filesystems.nix)."""
    for index, share in enumerate(defined.definition.shares):
        tag = share.tag or ""
        size = len(tag.encode())
        limit = VIRTIOFS_TAG_BYTES if share.proto is ShareProto.VIRTIOFS else NINE_P_TAG_BYTES
        if not tag.strip(" \t\n"):
            yield error(f"shares[{index}].tag", "The tag is empty.", "The guest mounts a share by its tag.", "name it")
        elif size > limit:
            yield error(
                f"shares[{index}].tag",
                f"The tag has {size} bytes, {share.proto} takes {limit}.",
                "",
                f'a shorter one: "{_cut(tag, limit)}"',
            )


def tag_characters(defined: Defined) -> Iterator[Finding]:
    """virtiofs: microvm.nix names a script in the Nix store after the tag (virtiofsd/default.nix), and the store takes
    letters, digits and +-._?= alone. 9p: what separates the hypervisor's options, and what fstab(5) reads as no text.
    """
    for index, share in enumerate(defined.definition.shares):
        tag = share.tag or ""
        if share.proto is ShareProto.VIRTIOFS:
            if tag.strip(" \t\n") and not _STORE_NAME.fullmatch(tag):
                yield error(
                    f"shares[{index}].tag",
                    "The tag has a character that no name in the Nix store can have.",
                    "A script is named after it, so the build fails.",
                    "use letters, digits and + - . _ ? =",
                )
        elif bad := _bad_in(tag, ",:\\") or ("a # at its beginning" if tag.startswith("#") else ""):
            yield error(
                f"shares[{index}].tag",
                f"The tag has {bad}{' in it' if not tag.startswith('#') else ''}.",
                "The hypervisor's command line or the guest's fstab breaks there.",
                "use letters, digits, - and _",
            )


def source_spelling(defined: Defined) -> Iterator[Finding]:
    """Relative ones lie in the state directory, and systemd-tmpfiles takes none of them (microvm.nix, issue 566).
    Nobody expands a tilde."""
    for index, share in enumerate(defined.definition.shares):
        source = share.source or ""
        if source.startswith("~"):
            yield error(
                f"shares[{index}].source",
                f'"{source}" begins with a tilde, which nobody expands.',
                "It would be a directory named ~ in the microVM's state directory.",
                "write the whole path",
            )
        elif not source.startswith("/"):
            yield warning(
                f"shares[{index}].source",
                f'"{source}" is relative: it lies in the microVM\'s state directory.',
                "systemd-tmpfiles does not make it: it takes absolute paths alone.",
                "write the whole path, or make the directory yourself",
            )


def source_characters(defined: Defined) -> Iterator[Finding]:
    """9p: QEMU and kvmtool separate options with commas, crosvm with colons (lib/runners/*.nix). virtiofs: runner.nix
    writes the path with `echo "…"`."""
    marks = {Hypervisor.QEMU: ",", Hypervisor.KVMTOOL: ",", Hypervisor.CROSVM: ":"}
    for index, share in enumerate(defined.definition.shares):
        bad = '"$`\\' if share.proto is ShareProto.VIRTIOFS else marks.get(defined.hypervisor, "")
        if found := _bad_in(share.source or "", bad):
            yield error(
                f"shares[{index}].source",
                f"The source has {found} in it.",
                "The runner's script breaks there."
                if share.proto is ShareProto.VIRTIOFS
                else f"{defined.hypervisor}'s command line breaks there.",
                "give the directory another name, or bind-mount it at one",
            )


def store_spelling(defined: Defined) -> Iterator[Finding]:
    """options.nix, `storeOnDisk`: only the very string "/nix/store" is the host's store."""
    for index, share in enumerate(defined.definition.shares):
        source = share.source or ""
        if source != HOST_STORE and source.startswith("/") and same_path(source, HOST_STORE):
            yield warning(
                f"shares[{index}].source",
                f'"{source}" is the host\'s store, but microvm.nix does not see that.',
                "The guest gets a store disk beside it.",
                f'write "{HOST_STORE}"',
            )


def posix_acl(defined: Defined) -> Iterator[Finding]:
    """asserts.nix: `--posix-acl` and `--translate-uid`, `--translate-gid` exclude each other in virtiofsd. The latter
    also count where they stand in `microvm.virtiofsd.extraArgs`."""
    virtiofsd = defined.document.get("virtiofsd")
    everywhere = virtiofsd.get("extraArgs", []) if isinstance(virtiofsd, dict) else []
    for index, share in _of(defined, ShareProto.VIRTIOFS):
        words = [*everywhere, *(share.extra_args or ())]
        if share.posix_acl and any("--translate-uid" in word or "--translate-gid" in word for word in words):
            yield error(
                f"shares[{index}].posixAcl",
                "posixAcl is true, and virtiofsd translates users or groups.",
                "--posix-acl and --translate-uid or --translate-gid exclude each other.",
                "posixAcl = false",
            )


def without_effect(defined: Defined) -> Iterator[Finding]:
    """options.nix: `cache` is "ignored when 9p is used"; virtiofsd/default.nix takes socket, posixAcl and extraArgs for
    virtiofs alone; `securityModel` is read by lib/runners/qemu.nix for 9p alone."""
    for index, share in enumerate(defined.definition.shares):
        keys = []
        if share.proto is ShareProto.NINE_P:
            set_here = {"cache": share.cache != "auto", "posixAcl": not share.posix_acl, "socket": bool(share.socket)}
            keys = [key for key, is_set in {**set_here, "extraArgs": bool(share.extra_args)}.items() if is_set]
        if share.security_model != "none" and not (
            share.proto is ShareProto.NINE_P and defined.hypervisor is Hypervisor.QEMU
        ):
            keys.append("securityModel")
        for key in keys:
            used = "9p on qemu" if key == "securityModel" else "virtiofs"
            yield warning(
                f"shares[{index}].{key}", f"{key} has no effect here.", f"It is for {used} alone.", f"leave {key} out"
            )


def default_socket(share: Share, host_name: str) -> str:
    """options.nix: the socket of a virtiofs share that names none."""
    return f"{host_name}-virtiofs-{share.tag}.sock"


def _of(defined: Defined, proto: ShareProto) -> list[tuple[int, Share]]:
    return [(index, share) for index, share in enumerate(defined.definition.shares) if share.proto is proto]


def _bad_in(text: str, characters: str) -> str:
    """The first of `characters`, or a control character, that stands in `text`, in words; "" where none does."""
    for char in text:
        if not char.isprintable():
            return "a line feed" if char == "\n" else f"the character {char.encode('unicode_escape').decode()}"
        if char in characters:
            return {",": "a comma", ":": "a colon", "\\": "a backslash", '"': "a quote"}.get(char, f"a {char}")
    return ""


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")

"""Definition files to be judged: one mistake, or one oddity, after the other."""

from collections.abc import Iterator
from typing import Any

import tomli_w

from mvtui.model.hypervisor import Hypervisor

Document = dict[str, Any]

SHARE: Document = {"tag": "a", "source": "/srv/a", "mountPoint": "/a"}
VIRTIOFS: Document = {**SHARE, "proto": "virtiofs"}
STORE: Document = {"tag": "store", "proto": "virtiofs", "source": "/nix/store", "mountPoint": "/nix/.ro-store"}
VOLUME: Document = {"image": "a.img", "mountPoint": "/var", "size": 512}
TAP: Document = {"type": "tap", "id": "vm-web", "mac": "02:00:00:00:00:01"}
FORWARD: Document = {"host": {"port": 2222}, "guest": {"port": 22}}
DEVICE: Document = {"bus": "pci", "path": "0000:01:00.0"}
OVERLAY = "/nix/.rw-store"

# A value of each type that TOML has, as a mistake for any other.
_VALUES: tuple[Any, ...] = ("x", "/x", 1, 0, -1, 1.5, 10.0, True, [], ["x"], [1], {}, {"x": "x"})

SHARE_VALUES: dict[str, tuple[Any, ...]] = {
    "tag": ("", " ", "a b", "a/b", "a,b", ".a", "-a", "ä", "a:b", "#a", "a\nb", "t" * 31, "t" * 32, "t" * 36, "t" * 37),
    "source": ("", " ", "\t", "srv", "~/a", "~", "/a,b", "/a:b", "/a b", "/${a}", '/a"b', "/nix/store/", "//nix/store"),
    "mountPoint": (
        "",
        "a",
        "/",
        "/a/",
        "//a",
        "/a/../b",
        "/a b",
        "/a\nb",
        "/nix/store",
        "/nix/store/x",
        "/nix/.ro-store",
    ),
    "socket": ("", "a.sock", "a,b.sock", "/run/a.sock", "s" * 107, "s" * 108),
    "securityModel": ("mapped", "mapped-file", "passthrough", "mapped-xattr"),
    "cache": ("always", "metadata", "never", "Auto"),
    "extraArgs": (["--translate-uid=map:0:1:1"], ["--translate-gid", "x"], ["--xattr"]),
}
VOLUME_VALUES: dict[str, tuple[Any, ...]] = {
    "image": (
        "",
        " ",
        "/srv/a.img",
        "a b.img",
        "a'b.img",
        "a,b.img",
        "a\nb.img",
        "-a.img",
        "~/a.img",
        "a/",
        "../a.img",
    ),
    "mountPoint": ("", "var", "/", "/var/", "/nix/store", "/nix/.ro-store", "/nix/store/x"),
    "size": (0, -1, 1, 2**31, 2**43, 2**62),
    "fsType": ("ext2", "ext3", "xfs", "btrfs", "vfat", "zfs", "", " ", "ext5"),
    "label": ("", "data", "d" * 16, "d" * 17, "a b", "a'b", "nix-store", "ä"),
    "serial": ("", "s1", "s" * 20, "s" * 21, "a,b"),
    "imageType": ("qcow2", "vhd", "vhdx", "vmdk"),
    "mkfsExtraArgs": (["-q"], ["-E", "x y"]),
}
TOP_VALUES: dict[str, tuple[Any, ...]] = {
    "mem": (16, 31, 32, 2048, 2**40),
    "vcpu": (1, 4),
    "hypervisor": (*map(str, Hypervisor), "vfkit", "xen"),
    "writableStoreOverlay": (
        "",
        "rw",
        OVERLAY,
        "/nix/.rw-store/",
        "/nix/store",
        "/nix/store/rw",
        "/nix/.ro-store",
        "/a,b",
    ),
    "storeOnDisk": (True, False),
    "socket": ("", "a.sock", "s" * 107, "s" * 108),
    "vsock": ({"cid": 0}, {"cid": 2}, {"cid": 3}, {"cid": 2**32}, {"cid": -1}, {"cid": "3"}, {"ssh": {"enable": True}}),
    "hotplugMem": (512,),
    "hotpluggedMem": (0, 256),
    "initialBalloonMem": (128,),
    "balloon": (True,),
    "user": ("web",),
    "credentialFiles": ({"KEY": "/run/key"}, {"KEY": "run/key"}),
    "virtiofsd": (
        {"threadPoolSize": 4},
        {"threadPoolSize": "4"},
        {"threadPoolSize": -1},
        {"inodeFileHandles": "always"},
        {"group": "web"},
        {"extraArgs": [1]},
        {"extra": 1},
    ),
    "qemu": (
        {"machine": "q35"},
        {"machineOpts": {"accel": "tcg"}},
        {"machineOpts": {"accel": 1}},
        {"pcieRootPorts": [{}]},
    ),
    "cloud-hypervisor": ({"platformOEMStrings": ["oem_strings=[a]"]}, {"platformOEMStrings": ["a"]}),
    "firecracker": (
        {"driveIoEngine": "Sync"},
        {"driveIoEngine": "sync"},
        {"extraConfig": {"a": {"b": [1]}}},
        {"cpu": {}},
    ),
    "crosvm": ({"pivotRoot": "/var/empty"}, {"pivotRoot": 1}),
    "kvmtool": ({"extraArgs": []},),
    "graphics": ({"enable": True}, {"backend": "sdl"}, {"vulkan": "venus"}),
    "guest": ({"enable": True}, {"enable": 1}),
    "optimize": ({"enable": False}, {"enabled": False}),
    "machineId": ("a67472e5-570e-5c8a-b18c-ae3c77701050",),
    "kernelParams": (["quiet"], "quiet"),
    "preStart": ("true", ["true"]),
    "kernel": ("linux", "/nix/store/00000000000000000000000000000000-linux"),
    "initrdPath": ("/boot/initrd", "initrd"),
    "storeDiskType": ("squashfs", "erofs", "ext4"),
    "balloonMem": (0, 64),
    "binScripts": ({"x": "true"}, {"x": 1}),
}
_REQUIRED = {"shares": (SHARE, ("tag", "source", "mountPoint")), "volumes": (VOLUME, ("image", "mountPoint", "size"))}
FLAGS = {"shares": ("readOnly", "posixAcl"), "volumes": ("autoCreate", "readOnly", "direct")}


def by_hand() -> Iterator[Document]:
    """One mistake, or one oddity, in each."""
    yield {}
    yield from _options()
    yield from _combinations()
    yield from _interfaces()
    for hypervisor in map(str, Hypervisor):
        yield from _on_hypervisor(hypervisor)
    yield from ({"memory": 1}, {"Mem": 1}, {"share": []}, {"qemu": {"arg": 1}}, {"_type": "x"}, {"imports": []})


def texts() -> Iterator[str]:
    """What is no TOML, or TOML that Nix and Python might read differently."""
    yield "mem = 1\nmem = 2\n"
    yield "mem = \n"
    yield 'preStart = "\\e"\n'
    yield "qemu = { machine = 'q35', }\n"
    yield "[[shares]\n"
    yield "mem = 1 2\n"
    yield "vsock = { cid = 3 }\nvsock.ssh.enable = true\n"
    yield "user = 1979-05-27\n"
    yield "mem = 1979-05-27T07:32:00Z\n"
    yield "[firecracker.extraConfig]\nat = 07:32:00\n"
    yield "\ufeffmem = 512\r\n# x\r\n"
    yield "mem = 0x200\nvcpu = 1_0\n"
    yield '"mem" = 512\n\'vcpu\' = 2\nqemu."machine" = "q35"\n'
    yield "preStart = '''\na\n'''\nuser = '${x}'\n"
    yield 'shares = [ { tag = "a", source = "/a", mountPoint = "/a" } ]\n'
    yield '[[volumes]]\nimage = "a"\nsize = 1\nmountPoint = "/a"\nwritableStoreOverlay = "/a"\n'
    yield '[[volumes]]\nimage = "a"\nsize = 1\nmountPoint = "/a"\n[[shares]]\ntag = "a"\nsize = 1\n'
    yield "mem = inf\n"
    yield "mem = 9223372036854775808\n"
    yield 'user = "a\\u0000b"\n'


def as_text(document: Document) -> str:
    """As TOML."""
    return tomli_w.dumps(document)


def _options() -> Iterator[Document]:
    for key, base, values in (("shares", SHARE, SHARE_VALUES), ("volumes", VOLUME, VOLUME_VALUES)):
        for option in (*values, "proto", *FLAGS[key]):
            if option == "proto" and key == "volumes":
                continue
            for value in values.get(option, ()):
                yield {key: [{**base, option: value}]}
                if key == "shares":
                    yield {key: [{**VIRTIOFS, option: value}]}
            for value in _VALUES[::2] if option in FLAGS[key] else _VALUES[2::3]:
                yield {key: [base, {**base, "tag" if key == "shares" else "image": "b", option: value}]}
        for option in _REQUIRED[key][1]:
            yield {key: [{name: value for name, value in base.items() if name != option}]}
        for option in ("readonly", "Tag", "x", "writableStoreOverlay", "_module", "imports", "config"):
            yield {key: [{**base, option: True}]}
        for value in _VALUES:
            yield {key: value}
    for option, some in TOP_VALUES.items():
        for value in (*some, *_VALUES[2::4]):
            yield {option: value}


def _combinations() -> Iterator[Document]:
    other_share, other_volume = {**SHARE, "tag": "b"}, {**VOLUME, "image": "b.img"}
    yield {"shares": [SHARE, {**SHARE, "mountPoint": "/b"}]}
    yield {"shares": [VIRTIOFS, {**VIRTIOFS, "mountPoint": "/b"}]}
    yield {"shares": [SHARE, other_share]}
    yield {"shares": [SHARE, {**other_share, "mountPoint": "//a"}]}
    yield {"shares": [{**VIRTIOFS, "socket": "x"}, {**VIRTIOFS, "tag": "b", "mountPoint": "/b", "socket": "x"}]}
    yield {"shares": [{**VIRTIOFS, "socket": "web-virtiofs-b.sock"}, {**VIRTIOFS, "tag": "b", "mountPoint": "/b"}]}
    yield {"shares": [{**SHARE, "socket": "x"}, {**other_share, "mountPoint": "/b", "socket": "x"}]}
    yield {"volumes": [VOLUME, {**VOLUME, "mountPoint": "/b"}]}
    yield {"volumes": [VOLUME, {**VOLUME, "mountPoint": "/b", "image": "./a.img"}]}
    yield {"volumes": [VOLUME, other_volume]}
    yield {"volumes": [{**VOLUME, "label": "x"}, {**other_volume, "mountPoint": "/b", "label": "x"}]}
    yield {"shares": [{**SHARE, "mountPoint": "/var"}], "volumes": [VOLUME]}
    yield {"volumes": [{**VOLUME, "autoCreate": False, "fsType": "zfs"}]}
    yield {"volumes": [{**VOLUME, "autoCreate": False, "fsType": ""}]}
    yield {"volumes": [{**VOLUME, "autoCreate": False, "label": "x", "mkfsExtraArgs": ["-q"]}]}
    yield {"volumes": [{**VOLUME, "autoCreate": False, "fsType": "zfs"}, {**other_volume, "mountPoint": "/b"}]}
    yield {"volumes": [{"image": "a.img", "mountPoint": "/var", "autoCreate": False}]}
    for count in (25, 26, 27):
        volumes = [{"image": f"{number}.img", "size": 1} for number in range(count)]
        yield {"volumes": volumes}
        yield {"volumes": volumes, "shares": [STORE]}
    for words in (["--translate-uid=x"], ["--translate-gid=x"]):
        yield {"shares": [{**VIRTIOFS, "extraArgs": words, "posixAcl": False}]}
        yield {"shares": [VIRTIOFS], "virtiofsd": {"extraArgs": words}}
        yield {"shares": [{**VIRTIOFS, "posixAcl": False}], "virtiofsd": {"extraArgs": words}}
    overlay_volume = {**VOLUME, "mountPoint": OVERLAY}
    yield {"writableStoreOverlay": OVERLAY, "volumes": [overlay_volume], "shares": [STORE]}
    yield {"writableStoreOverlay": OVERLAY, "volumes": [{**overlay_volume, "readOnly": True}]}
    yield {"writableStoreOverlay": OVERLAY, "volumes": [{**overlay_volume, "fsType": "vfat"}]}
    yield {"writableStoreOverlay": f"{OVERLAY}/", "volumes": [overlay_volume]}
    for share in (SHARE, VIRTIOFS, {**VIRTIOFS, "readOnly": True}, {**VIRTIOFS, "posixAcl": False}):
        yield {"writableStoreOverlay": OVERLAY, "shares": [{**share, "mountPoint": OVERLAY}]}
    for mount_point in ("/nix/store", "/nix/.ro-store", "/nix/store/x", OVERLAY):
        for store in (STORE, SHARE):
            yield {"shares": [{**store, "mountPoint": mount_point}]}
            yield {"writableStoreOverlay": OVERLAY, "shares": [{**store, "mountPoint": mount_point}]}
        yield {"writableStoreOverlay": OVERLAY, "volumes": [{**VOLUME, "mountPoint": mount_point}]}
        yield {"volumes": [{**VOLUME, "mountPoint": mount_point}], "shares": [STORE]}
    yield {"storeOnDisk": True, "shares": [STORE]}
    yield {"storeOnDisk": False, "shares": [STORE]}
    yield {"hotplugMem": 512, "hypervisor": "qemu", "qemu": {"machine": "q35"}}


def _interfaces() -> Iterator[Document]:
    for option, value in (
        ("id", "sixteen-letters-"), ("id", "fifteen-letters"), ("id", "ä" * 8), ("type", "vhost"), ("bridge", "br0"),
        ("mac", 1), ("tap", {"vhost": True}), ("tap", {"vhost": 1}), ("macvtap", {"mode": "x"}), ("name", "x"),
    ):  # fmt: skip
        yield {"interfaces": [{**TAP, option: value}]}
    for option in ("id", "type", "mac"):
        yield {"interfaces": [{name: value for name, value in TAP.items() if name != option}]}
    yield {"interfaces": [TAP, TAP]}
    yield {"interfaces": [{**TAP, "type": "bridge"}]}
    yield {"interfaces": [{**TAP, "type": "bridge", "bridge": "br0"}]}
    for macvtap in ({}, {"link": "eth0"}, {"mode": "bridge"}, {"link": "eth0", "mode": "bridge"}):
        yield {"interfaces": [{**TAP, "type": "macvtap", "macvtap": macvtap}]}
    user = {**TAP, "type": "user"}
    yield {"forwardPorts": [FORWARD]}
    yield {"forwardPorts": [FORWARD], "interfaces": [TAP]}
    yield {"forwardPorts": [FORWARD], "interfaces": [user]}
    yield {"forwardPorts": [FORWARD], "interfaces": [user], "hypervisor": "kvmtool"}
    forwards: tuple[Document, ...] = (
        {"host": {"port": 65536}}, {"from": "x"}, {"proto": "sctp"}, {"guest": {}}, {"guest": {"port": -1}}
    )  # fmt: skip
    for change in forwards:
        yield {"forwardPorts": [{**FORWARD, **change}], "interfaces": [user]}
    devices: tuple[Document, ...] = (
        {"bus": "isa"}, {"path": 1}, {"qemu": {"id": "x"}}, {"qemu": {"bus": 1}}, {"qemu": {"x": 1}}
    )  # fmt: skip
    for change in devices:
        yield {"devices": [{**DEVICE, **change}]}


def _on_hypervisor(hypervisor: str) -> Iterator[Document]:
    own: Document = {"hypervisor": hypervisor}
    yield {**own, "volumes": [VOLUME]}
    for share in (SHARE, VIRTIOFS, STORE):
        yield {**own, "shares": [share]}
        yield {**own, "shares": [{**share, "readOnly": True}]}
        yield {**own, "shares": [{**share, "source": "/a,b:c"}]}
    for option, value in (("serial", "s1"), ("direct", True), ("readOnly", True), ("imageType", "qcow2")):
        yield {**own, "volumes": [{**VOLUME, "autoCreate": False, option: value}]}
    yield {**own, "volumes": [{**VOLUME, "image": "a,b.img"}]}
    for kind in ("user", "tap", "macvtap", "bridge"):
        interface = {**TAP, "type": kind, "macvtap": {"link": "eth0", "mode": "bridge"}}
        yield {**own, "interfaces": [{**interface, "bridge": "br0"} if kind == "bridge" else interface]}
    for option in ("hotplugMem", "hotpluggedMem", "initialBalloonMem", "balloon", "user", "credentialFiles"):
        yield {**own, option: TOP_VALUES[option][-1]}
        if option == "hotpluggedMem":
            yield {**own, option: 0}
    for bus in ("pci", "usb"):
        yield {**own, "devices": [{**DEVICE, "bus": bus}]}
    yield {**own, "cloud-hypervisor": {"platformOEMStrings": ["oem_strings=[a]"]}}
    yield {**own, "vsock": {"cid": 3, "ssh": {"enable": True}}}

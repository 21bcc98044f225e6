"""The arguments of each hypervisor, as microvm.nix writes them, read back into a Definition.

One reader per hypervisor: it takes the words after the program (and after `run`, where there is such a word) and never
raises. What these words can't tell stays None. The syntax of every option is that of the hypervisor's own manual.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

ReadFile = Callable[[str], str | None]
Options = Mapping[str, list[str]]

_SIZE = re.compile(r"(\d{1,15})([KMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DRIVE = re.compile(r"vd([a-z])")
# Where a disk's options don't tell the store disk from a volume, its name in the store does.
_STORE_DISK = re.compile(r"/.*[/-]microvm-store-disk\.\w+", re.DOTALL)
_TRUE = frozenset(("on", "true", "yes", "1"))


def options_of(words: Iterable[str]) -> dict[str, list[str]]:
    """Every option's values in order: `--name=value`, `--name value…`, `-name value`, once or repeated."""
    found: dict[str, list[str]] = {}
    values: list[str] | None = None
    for word in words:
        if word[:1] == "-":
            name, equals, value = word.partition("=") if word[1:2] == "-" else (word, "", "")
            values = found.setdefault(name, [])
            if equals:
                values.append(value)
        elif values is not None:
            values.append(word)
    return found


def read_qemu(options: Options) -> Definition:
    """QEMU and stratovirt, which took over its options: -drive, -chardev and -fsdev, joined by the -device that uses
    them."""
    fields = [_fields(value, escaped_commas=True) for value in options.get("-device", ())]
    drives = [_fields(value, escaped_commas=True)[1] for value in options.get("-drive", ())]
    serials = {values.get("drive"): values.get("serial") for _, values in fields if "drive" in values}
    cids = (values.get("guest-cid") for driver, values in fields if driver.startswith("vhost-vsock"))
    volumes = [
        Volume(
            image=drive.get("file", ""),
            letter=drive["id"][2],
            read_only=(drive.get("read-only") or drive.get("readonly", "off")) in _TRUE,
            direct=drive.get("cache") == "none" or drive.get("direct", "off") in _TRUE,
            serial=serials.get(drive["id"]),
            image_type=drive.get("format"),
        )
        for drive in drives
        if _DRIVE.fullmatch(drive.get("id", ""))
    ]
    monitor = _first(options, "-qmp")
    return Definition(
        host_name=_fields(_first(options, "-name") or "")[0] or None,
        mem=_mib(_positional(_first(options, "-m"), "size"), bare="M"),
        vcpu=_integer(_positional(_first(options, "-smp"), "cpus")),
        vsock_cid=_integer(next(cids, None)),
        socket=monitor[5:].split(",", 1)[0] if monitor is not None and monitor.startswith("unix:") else None,
        shares=tuple(_qemu_shares(options, fields)),
        volumes=tuple(volumes),
        store_on_disk=any(drive.get("id") == "store" for drive in drives),
    )


def _qemu_shares(options: Options, devices: Iterable[tuple[str, Mapping[str, str]]]) -> Iterable[Share]:
    def by_id(option: str) -> dict[str | None, Mapping[str, str]]:
        backends = (_fields(value, escaped_commas=True)[1] for value in options.get(option, ()))
        return {backend.get("id"): backend for backend in backends}

    sockets, directories = by_id("-chardev"), by_id("-fsdev")
    for driver, values in devices:
        if driver.startswith("vhost-user-fs"):
            socket = sockets.get(values.get("chardev"), {}).get("path")
            yield Share(tag=values.get("tag"), proto=ShareProto.VIRTIOFS, socket=socket)
        elif driver.startswith("virtio-9p"):
            directory = directories.get(values.get("fsdev"), {})
            yield Share(
                tag=values.get("mount_tag"),
                proto=ShareProto.NINE_P,
                source=directory.get("path"),
                read_only=directory.get("readonly", "off") in _TRUE,
                security_model=directory.get("security_model"),
            )


def read_cloud_hypervisor(options: Options) -> Definition:
    """cloud-hypervisor: many values after one --disk and --fs (clap), or the switch repeated (versions 30 to 35)."""
    disks = [_fields(value)[1] for value in options.get("--disk", ())]
    memory = _fields(_first(options, "--memory") or "")[1]
    store = [disk for disk in disks if _is_cloud_store(disk)]
    volumes = [
        Volume(
            image=disk.get("path", ""),
            read_only=disk.get("readonly", "off") in _TRUE,
            direct=disk.get("direct", "off") in _TRUE,
            serial=disk.get("serial"),
            image_type=disk.get("image_type"),
        )
        for disk in disks
        if not _is_cloud_store(disk)
    ]
    return Definition(
        # With hot-plugged memory microvm.nix writes that size in the place of `mem`.
        mem=_mib(memory.get("size")) if "hotplug_size" not in memory else None,
        vcpu=_integer(_positional(_first(options, "--cpus"), "boot")),
        vsock_cid=_integer(_fields(_first(options, "--vsock") or "")[1].get("cid")),
        socket=_positional(_first(options, "--api-socket"), "path"),
        shares=tuple(_virtiofs(_fields(value)[1]) for value in options.get("--fs", ())),
        volumes=_lettered(volumes, offset=len(store)),
        store_on_disk=bool(store),
    )


def _is_cloud_store(disk: Mapping[str, str]) -> bool:
    return "direct" not in disk and disk.get("readonly") == "on"


def read_firecracker(options: Options, read_file: ReadFile) -> Definition:
    """firecracker: everything stands in the JSON of --config-file; without it, only the socket is known."""
    socket = _first(options, "--api-sock")
    config = _json_object(read_file(path) if (path := _first(options, "--config-file")) else None)
    machine, vsock, drives = config.get("machine-config"), config.get("vsock"), config.get("drives")
    if not isinstance(drives, list):
        return Definition(socket=socket)
    paths = [
        (drive, path)
        for drive in drives
        if isinstance(drive, dict) and isinstance(path := drive.get("path_on_host"), str)
    ]
    store = [path for drive, path in paths if drive.get("drive_id") == "store"]
    volumes = [
        Volume(image=path, read_only=flag if isinstance(flag := drive.get("is_read_only"), bool) else None)
        for drive, path in paths
        if drive.get("drive_id") != "store"
    ]
    return Definition(
        mem=_member(machine, "mem_size_mib"),
        vcpu=_member(machine, "vcpu_count"),
        vsock_cid=_member(vsock, "guest_cid"),
        socket=socket,
        volumes=_lettered(volumes, offset=len(store)),
        store_on_disk=bool(store),
    )


def read_crosvm(options: Options) -> Definition:
    """crosvm run: a virtiofs share's tag is known to its virtiofsd alone."""
    volumes = []
    for value in options.get("--block", ()):
        image, block = _fields(value)
        direct, read_only = block.get("o_direct", "false") in _TRUE, block.get("ro", "false") in _TRUE
        path = image or block.get("path", "")
        volumes.append(Volume(image=path, read_only=read_only, direct=direct, serial=block.get("id")))
    users = (_fields(value) for value in options.get("--vhost-user", ()))
    shares = [_virtiofs(fields) for kind, fields in users if (kind or fields.get("type")) == "fs"]
    for value in options.get("--shared-dir", ()):
        source, tag, *rest = (*value.split(":"), "")
        if "type=p9" in rest:
            shares.append(Share(tag=tag, proto=ShareProto.NINE_P, source=source, read_only=False))
    return Definition(
        mem=_mib(_positional(_first(options, "-m"), "size"), bare="M"),
        vcpu=_integer(_positional(_first(options, "-c"), "num-cores")),
        vsock_cid=_integer(_positional(_first(options, "--vsock"), "cid")),
        socket=_first(options, "-s"),
        shares=tuple(shares),
        volumes=_lettered(volumes, offset=len(options.get("-r", ())[:1])),
        store_on_disk="-r" in options,
    )


def read_kvmtool(options: Options) -> Definition:
    """lkvm run."""
    disks = [value.split(",") for value in options.get("-d", ())]
    store = disks[:1] if disks and "ro" in disks[0][1:] and _STORE_DISK.fullmatch(disks[0][0]) else []
    volumes = [
        Volume(image=image, read_only="ro" in flags, direct="direct" in flags) for image, *flags in disks[len(store) :]
    ]
    shares = []
    for value in options.get("--9p", ()):
        source, _, tag = value.partition(",")
        shares.append(Share(tag=tag, proto=ShareProto.NINE_P, source=source, read_only=False))
    return Definition(
        host_name=_first(options, "--name"),
        mem=_mib(_first(options, "-m"), bare="M"),
        vcpu=_integer(_first(options, "-c")),
        vsock_cid=_integer(_first(options, "--vsock")),
        shares=tuple(shares),
        volumes=_lettered(volumes, offset=len(store)),
        store_on_disk=bool(store),
    )


def read_alioth(options: Options) -> Definition:
    """alioth run."""
    disks = [_fields(value)[1] for value in options.get("--blk", ())]
    store = disks[:1] if disks and _STORE_DISK.fullmatch(disks[0].get("path", "")) else []
    volumes = [
        Volume(image=disk.get("path", ""), read_only=disk.get("readOnly", "false") in _TRUE)
        for disk in disks[len(store) :]
    ]
    shares = (_fields(value) for value in options.get("--fs", ()))
    return Definition(
        mem=_mib(_fields(_first(options, "--memory") or "")[1].get("size")),
        vcpu=_integer(_first(options, "--num-cpu")),
        vsock_cid=_integer(_fields(_first(options, "--vsock") or "")[1].get("cid")),
        shares=tuple(_virtiofs(fields) for kind, fields in shares if kind == "vu"),
        volumes=_lettered(volumes, offset=len(store)),
        store_on_disk=bool(store),
    )


READERS: Mapping[Hypervisor, Callable[[Options], Definition]] = {
    Hypervisor.QEMU: read_qemu,
    Hypervisor.CLOUD_HYPERVISOR: read_cloud_hypervisor,
    Hypervisor.CROSVM: read_crosvm,
    Hypervisor.KVMTOOL: read_kvmtool,
    Hypervisor.STRATOVIRT: read_qemu,
    Hypervisor.ALIOTH: read_alioth,
}


def _virtiofs(fields: Mapping[str, str]) -> Share:
    return Share(tag=fields.get("tag"), proto=ShareProto.VIRTIOFS, socket=fields.get("socket"))


def _lettered(volumes: Sequence[Volume], *, offset: int) -> tuple[Volume, ...]:
    """Guests name disks in their order, the store disk first; the 27th gets no letter."""
    letters = _LETTERS[offset:]
    return tuple(volume._replace(letter=letters[n : n + 1] or None) for n, volume in enumerate(volumes))


def _first(options: Options, name: str) -> str | None:
    return next(iter(options.get(name, ())), None)


# Most values are the same in every microVM of a host.
@lru_cache(maxsize=4096)
def _fields(value: str, *, escaped_commas: bool = False) -> tuple[str, Mapping[str, str]]:
    """`word,key=value,key=value`: the word, "" where there is none, and the values. QEMU writes a comma as two."""
    parts = value.replace(",,", "\0").split(",") if escaped_commas and ",," in value else value.split(",")
    word = ""
    fields = {}
    for index, part in enumerate(parts):
        key, equals, content = part.replace("\0", ",").partition("=")
        if equals:
            fields[key] = content
        elif index == 0:
            word = key
    return word, fields


def _positional(value: str | None, key: str) -> str | None:
    """The value's first word, which may also be written as `key=word`."""
    if value is None:
        return None
    word, fields = _fields(value)
    return word or fields.get(key)


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 15 else None


def _mib(text: str | None, *, bare: str = "") -> int | None:
    """A size in MiB; one without a unit is in `bare` units (bytes where that is empty)."""
    match = _SIZE.fullmatch(text) if text is not None else None
    if match is None:
        return None
    unit = _UNITS.get((match[2] or bare).upper(), 1)
    return int(match[1]) * unit >> 20


def _json_object(text: str | None) -> dict[str, object]:
    import json  # noqa: PLC0415 - firecracker alone needs it

    try:
        parsed = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _member(value: object, key: str) -> int | None:
    member = value.get(key) if isinstance(value, dict) else None
    # json reads numbers of 4300 digits, which can be neither added to nor written any more.
    return member if isinstance(member, int) and not isinstance(member, bool) and 0 <= member < 1 << 48 else None

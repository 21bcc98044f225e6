"""A definition file's tables as a Definition: microvm.nix's option names, its defaults for what is left out. Pure.

Nothing here imports pydantic: `mvtui list` reads the definitions of a whole host. What is looked at here is what must
hold to make a Definition; every type and rule is checked where a file is validated.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from mvtui.model.definition import HOST_STORE, Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor

T = TypeVar("T")

Table = Mapping[str, object]

# What microvm.nix's documentation calls the image of a writable store overlay.
OVERLAY_IMAGE = "nix-store-overlay.img"
# Options of which a file says nothing where it does not name them: a module may set them beside it.
_TOLD_BY_A_KEY = ("shares", "volumes", "writableStoreOverlay", "storeOnDisk")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class WrongTypeError(Exception):
    """A value is not what its option takes. `subject` is its place (`shares[1].tag`), `expected` what may stand
    there."""

    def __init__(self, subject: str, expected: str) -> None:
        super().__init__(f"{subject}: expected {expected}")
        self.subject = subject
        self.expected = expected


def definition_of(document: Table) -> Definition:
    """The definition that Nix makes of `document`, as far as the file alone tells it: what a share or a volume leaves
    out has microvm.nix's default, but a share's `socket`, which has the host name in it. Of the other options those
    are None that do not stand there; `untold` names the lists that do not, which is not the same as an empty one.
    Raises WrongTypeError."""
    top = _Reader(document)
    shares = tuple(_share(each) for each in top.tables("shares"))
    on_disk = top.flag("storeOnDisk", all(share.source != HOST_STORE for share in shares))
    letters = LETTERS[1:] if on_disk else LETTERS
    volumes = [_volume(each) for each in top.tables("volumes")]
    hypervisor = top.text("hypervisor")
    vsock = top.table("vsock")
    return Definition(
        hypervisor=_member(Hypervisor, hypervisor, "hypervisor") if hypervisor is not None else None,
        mem=top.number("mem"),
        vcpu=top.number("vcpu"),
        vsock_cid=vsock.number("cid"),
        socket=top.text("socket"),
        shares=shares,
        volumes=tuple(volume._replace(letter=letters[n : n + 1] or None) for n, volume in enumerate(volumes)),
        writable_store_overlay=top.text("writableStoreOverlay"),
        store_on_disk=on_disk,
        fstab_read=True,
        untold=frozenset(each for each in _TOLD_BY_A_KEY if each not in document),
    )


class _Reader(NamedTuple):
    """One table, and the place that it stands at: "" for the whole document."""

    values: Table
    place: str = ""

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def get(self, key: str, kind: type[T], expected: str) -> T | None:
        value = self.values.get(key)
        if value is None:
            return None
        # To Python, true is an integer.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise WrongTypeError(self.at(key), expected)
        return value

    def text(self, key: str) -> str | None:
        return self.get(key, str, "a string")

    def text_or(self, key: str, default: str) -> str:
        value = self.text(key)
        return default if value is None else value

    def needed(self, key: str) -> str:
        value = self.text(key)
        if value is None:
            raise WrongTypeError(self.at(key), "a string; it must be there")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, bool, "true or false")
        return default if value is None else value

    def number(self, key: str) -> int | None:
        return self.get(key, int, "an integer")

    def texts(self, key: str) -> tuple[str, ...]:
        found: list[str] = []
        for index, value in enumerate(self.get(key, list, "a list of strings") or ()):
            if not isinstance(value, str):
                raise WrongTypeError(f"{self.at(key)}[{index}]", "a string")
            found.append(value)
        return tuple(found)

    def table(self, key: str) -> "_Reader":
        return _Reader(self.get(key, dict, f"a table: [{key}]") or {}, self.at(key))

    def tables(self, key: str) -> list["_Reader"]:
        found: list[_Reader] = []
        for index, value in enumerate(self.get(key, list, f"tables: [[{key}]]") or ()):
            if not isinstance(value, dict):
                raise WrongTypeError(f"{self.at(key)}[{index}]", f"a table: [[{key}]]")
            found.append(_Reader(value, f"{self.at(key)}[{index}]"))
        return found


def _member(kind: type[T], value: str, place: str) -> T:
    try:
        return kind(value)  # type: ignore[call-arg]
    except ValueError:
        names = ", ".join(str(each) for each in kind)  # type: ignore[attr-defined]
        raise WrongTypeError(place, f"one of {names}") from None


def _share(own: _Reader) -> Share:
    return Share(
        tag=own.needed("tag"),
        proto=_member(ShareProto, own.text_or("proto", ShareProto.NINE_P), own.at("proto")),
        source=own.needed("source"),
        mount_point=own.needed("mountPoint"),
        socket=own.text("socket"),
        read_only=own.flag("readOnly", False),
        security_model=own.text_or("securityModel", "none"),
        cache=own.text_or("cache", "auto"),
        posix_acl=own.flag("posixAcl", True),
        extra_args=own.texts("extraArgs"),
    )


def _volume(own: _Reader) -> Volume:
    return Volume(
        image=own.needed("image"),
        mount_point=own.text("mountPoint"),
        size=own.number("size"),
        fs_type=own.text_or("fsType", "ext4"),
        label=own.text("label"),
        auto_create=own.flag("autoCreate", True),
        mkfs_extra_args=own.texts("mkfsExtraArgs"),
        read_only=own.flag("readOnly", False),
        direct=own.flag("direct", False),
        serial=own.text("serial"),
        image_type=own.text_or("imageType", "raw"),
    )

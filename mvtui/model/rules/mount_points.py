"""Rules of what is mounted where in the guest, shares and volumes alike."""

from collections.abc import Iterator
from typing import NamedTuple

from mvtui.model.definition import HOST_STORE
from mvtui.model.finding import Finding
from mvtui.model.rules.finding import Defined, error, warning
from mvtui.model.rules.paths import is_inside, normal, same_path

# mounts.nix: where the store disk is mounted below an overlay.
RO_STORE = "/nix/.ro-store"


class Mounted(NamedTuple):
    """A share or a volume with a mount point: its place in the document, and whether it is a share."""

    place: str
    path: str
    share: bool
    source: str | None = None


def mounted(defined: Defined) -> list[Mounted]:
    """All that has a mount point, volumes first: the order in which mounts.nix mounts."""
    volumes = [
        Mounted(f"volumes[{index}]", volume.mount_point, False)
        for index, volume in enumerate(defined.definition.volumes)
        if volume.mount_point is not None
    ]
    return volumes + [
        Mounted(f"shares[{index}]", share.mount_point, True, share.source)
        for index, share in enumerate(defined.definition.shares)
        if share.mount_point is not None
    ]


def same_mount_point(defined: Defined) -> Iterator[Finding]:
    """mounts.nix makes one attribute of each: of two shares, or two volumes, the last wins and nobody says so; a share
    and a volume are conflicting definitions. Two spellings of one path are two mounts, the later one over the other."""
    first: dict[str, Mounted] = {}
    for each in mounted(defined):
        other = first.setdefault(normal(each.path), each)
        if other is not each:
            yield error(
                f"{each.place}.mountPoint",
                f"{other.place} is mounted at {normal(each.path)} too.",
                "The guest would see one of the two.",
                "give each a mount point of its own",
            )


def mount_point_spelling(defined: Defined) -> Iterator[Finding]:
    """nixpkgs, tasks/filesystems.nix: "non-empty without trailing slash"; fstab(5) has one line for each, in which
    nixpkgs escapes spaces and tabs alone; systemd mounts no path with `..` in it (path_is_normalized)."""
    for each in mounted(defined):
        place, path = f"{each.place}.mountPoint", each.path
        if path.endswith("/") and path != "/":
            yield error(
                place, f'"{path}" ends with a slash, which NixOS refuses.', "", f'write "{normal(path) or "/"}"'
            )
        elif ".." in path.split("/"):
            yield error(
                place, f'"{path}" has .. in it, which systemd does not mount.', "", "write the path that it leads to"
            )
        elif any(char in "\n\r\\" or not (char.isprintable() or char == "\t") for char in path):
            yield error(place, "The path has a character in it that breaks the guest's fstab.", "", "use another name")
        elif path != normal(path):
            yield warning(place, f'"{path}" is a long way to write {normal(path)}.', "", f'write "{normal(path)}"')


def taken_by_the_store(defined: Defined) -> Iterator[Finding]:
    """mounts.nix mounts /nix/store itself, and /nix/.ro-store below an overlay with a store disk; another mount there
    is a conflicting definition. A share of the host's store may be mounted at /nix/store where there is no overlay."""
    definition = defined.definition
    overlay = definition.writable_store_overlay
    for each in mounted(defined):
        place = f"{each.place}.mountPoint"
        if same_path(each.path, HOST_STORE):
            if definition.store_on_disk or overlay is not None or each.source != HOST_STORE:
                why = "The overlay is mounted there." if overlay is not None else "The guest's store is mounted there."
                yield error(
                    place,
                    f"{HOST_STORE} is taken.",
                    why,
                    f'mountPoint = "{RO_STORE}"' if each.share else "another mount point",
                )
        elif is_inside(each.path, HOST_STORE):
            yield error(
                place,
                f"{each.path} lies in the guest's store.",
                "Nothing is writable there to mount on.",
                "another mount point",
            )
        elif definition.store_on_disk and overlay is not None and same_path(each.path, RO_STORE):
            yield error(
                place,
                f"{RO_STORE} is taken.",
                "The store disk is mounted there, below the overlay.",
                "another mount point",
            )

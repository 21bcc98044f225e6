"""What the host knows of the fields of a definition: of a share's source, of a volume's image. Pure."""

from typing import NamedTuple

from mvtui.model.facts import SourceKind
from mvtui.model.microvm import ImageFacts

FileId = tuple[int, int]
"""Device and inode, behind all links: what tells a file, however its path is spelled."""


class Barred(NamedTuple):
    """What a user may not do: `path` is where, `what` in words (`enter`, `read`, `write`)."""

    path: str
    what: str


class SourceLook(NamedTuple):
    """What stands at a share's source, `path`. `kind` None: that can't be told, and `problem` says why.
    `barred_reading` and `barred_writing`: what keeps the microVM's user from it, None where nothing does. `has_acls`,
    `has_xattrs`: whether the file system that it lies on has POSIX ACLs, and extended attributes of users (None: not to
    be told); `fs_type` and `fs_source` are of its mount, where it lacks one of them."""

    path: str
    kind: SourceKind | None = None
    problem: str = ""
    barred_reading: Barred | None = None
    barred_writing: Barred | None = None
    has_acls: bool | None = None
    has_xattrs: bool | None = None
    fs_type: str = ""
    fs_source: str = ""


class Space(NamedTuple):
    """The file system that something new would be on: its device, and bytes as df(1) says what others than root have
    free of them."""

    device: int
    free: int
    total: int


class ImageLook(NamedTuple):
    """What stands at a volume's image, `path`. `kind`, `problem` as with SourceLook. `missing_directory` is the first
    directory on the way that is not there. `barred_reading`, `barred_writing`: what keeps the microVM's user from it,
    or, where it is not there, from making it. `facts` is None where there is no content to look at, or it was not to be
    opened: a link of another's is on the way. `space` is where a new one would be."""

    path: str
    kind: SourceKind | None = None
    problem: str = ""
    missing_directory: str = ""
    barred_reading: Barred | None = None
    barred_writing: Barred | None = None
    file_id: FileId | None = None
    facts: ImageFacts | None = None
    space: Space | None = None


class OtherImage(NamedTuple):
    """A volume of another microVM, at one stage: its image as an absolute path, and the file that is there, None where
    none is."""

    microvm: str
    stage: str
    path: str
    read_only: bool
    file_id: FileId | None = None

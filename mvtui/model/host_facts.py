"""What a look at the host itself finds, apart from its microVMs: it is taken for the check of the whole host. Pure."""

from typing import NamedTuple

from mvtui.model.rights import Account


class Device(NamedTuple):
    """A character device. `usable`: the microVMs' user may read and write it; None where that can't be told. `mode` has
    the permission bits, `owner` is `root:kvm`."""

    path: str
    exists: bool
    usable: bool | None = None
    mode: int | None = None
    owner: str = ""


class Space(NamedTuple):
    """The file system that `path` lies on: bytes and inodes, what anybody but root may still use. `total` 0: it can't
    be told (or, of inodes, the file system has no limit)."""

    path: str
    total: int
    free: int
    inodes: int = 0
    inodes_free: int = 0

    @property
    def percent(self) -> float:
        """How full it is, by what is scarcer."""
        parts = [(self.total, self.free), (self.inodes, self.inodes_free)]
        return max((100.0 * (total - free) / total for total, free in parts if total), default=0.0)


class Terminal(NamedTuple):
    """`term` is TERM, "" where there is no terminal; `colours` in words."""

    term: str
    utf8: bool
    colours: str


class HostFacts(NamedTuple):
    """`account` is whom the microVMs' processes are, None where that can't be told. `files_open` and `files_most` are
    file handles of the whole host. `journal`: what keeps us from reading it, "" where nothing does, None where there is
    none. `polkit`: whether it may be asked for rights, None where root needs none."""

    uid: int
    account: Account | None
    kvm: Device
    tun: Device
    vsock: Device
    net: Device
    spaces: tuple[Space, ...] = ()
    files_open: int | None = None
    files_most: int | None = None
    journal: str | None = None
    polkit: bool | None = None
    terminal: Terminal | None = None

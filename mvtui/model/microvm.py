"""One microVM with all that is known of it, and a host's microVMs at one instant."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from mvtui.model.definition import Definition, Runner, Share, Volume
from mvtui.model.facts import Holder, SourceFacts
from mvtui.model.finding import Finding
from mvtui.model.overlay import Armed, KeptOverlay
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitKind, UnitStatus

if TYPE_CHECKING:
    from mvtui.model.closer import CloserFacts
    from mvtui.model.drift import FieldDrift
    from mvtui.model.guest import GuestStatus


class StateDirEntry(NamedTuple):
    """What stands in the state directory under one name.

    `current`, `booted`, `toplevel` are the links' targets as written, None where absent or unreadable; `dangling` are
    the names of those whose target does not exist. `flake` is the file's text, one line. `owner` is (uid, gid).
    `problems` are sentences: what could not be read, and why.
    """

    name: str
    path: str
    current: str | None = None
    booted: str | None = None
    toplevel: str | None = None
    flake: str | None = None
    dangling: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None
    problems: tuple[str, ...] = ()

    @property
    def fully_declarative(self) -> bool:
        """True where the microVM is updated with its host (`microvm -u` refuses it)."""
        return self.toplevel is not None

    @property
    def stale(self) -> bool:
        """True where the package that runs is not the one that the next start runs."""
        return self.booted is not None and self.current is not None and self.booted != self.current


class StrayEntry(NamedTuple):
    """An entry of the state directory that is no microVM: its name, and what it is instead (`a file`)."""

    name: str
    what: str


# How the problem of an image ends that is not there.
MISSING = "does not exist"


class ImageFacts(NamedTuple):
    """A volume's image on the host. Sizes in bytes; `fs_type`, `label`, `fs_size`, `fs_room`, `fs_used` come from its
    superblock, None where not told: `fs_room` is what files can take of `fs_size`, and `fs_used` what they do, as df(1)
    counts it (it lags behind what a guest that has it mounted has not written yet). `blank`:
    there are no bytes where a file system has its superblock. `made` (UTC) is when its file system was, else the file,
    where that is known. `disk_size` and `disk_free` are of the host's file system that it lies on (what anybody but
    root may still write, as df(1) says). `identity` (device, inode) is the same for every name of one file.
    `problem`: why it could not be read; the rest is then None or 0."""

    path: str
    size: int = 0
    allocated: int = 0
    fs_type: str | None = None
    label: str | None = None
    fs_size: int | None = None
    fs_room: int | None = None
    fs_used: int | None = None
    problem: str | None = None
    blank: bool = False
    made: datetime | None = None
    disk_size: int | None = None
    disk_free: int | None = None
    identity: tuple[int, int] | None = None

    @property
    def missing(self) -> bool:
        """Nothing has its name."""
        return self.problem is not None and self.problem.endswith(MISSING)

    @property
    def fill_percent(self) -> float | None:
        """How full its file system is; None where that can't be told."""
        if not self.fs_room or self.fs_used is None:
            return None
        return min(100.0, 100.0 * self.fs_used / self.fs_room)


class ShareHealth(StrEnum):
    """`up`: served; `down`: it should be served and is not; `off`: the microVM does not run; `unknown`."""

    UP = "up"
    DOWN = "down"
    OFF = "off"
    UNKNOWN = "unknown"


class ShareStatus(NamedTuple):
    """One share and what serves it. `daemons` are its virtiofsd processes, parent first; empty for 9p.
    `socket_exists` and `connected` are None where they do not apply or can't be told. `source` is what stands at its
    source, None where that was not looked at yet. `since` (UTC) is when it went down, None where it is not down and
    where nobody knows."""

    share: Share
    health: ShareHealth
    why: str = ""
    daemons: tuple[ProcessSample, ...] = ()
    socket_exists: bool | None = None
    connected: bool | None = None
    source: SourceFacts | None = None
    since: datetime | None = None

    @property
    def source_exists(self) -> bool | None:
        """Whether something stands at its source; None where that is not known (yet)."""
        return self.source.exists if self.source is not None else None


class VolumeStatus(NamedTuple):
    """One volume and its image; `image` is None where it has not been looked at. `overlay`: it holds the writable
    store overlay.

    `holders` are who was found to hold the image. `()` is nobody, and it is only said where every process of the host
    was looked at; None is "not known": not looked at since the hypervisor started, or nobody was found among those
    that may be seen. `holders_complete` false: there may be more than those (never so with `()`). `twins` are the other
    microVMs with a volume on the same file, as far as their images were looked at. `gone`: nothing has its name since
    its hypervisor, which has it open, was started."""

    volume: Volume
    image: ImageFacts | None = None
    overlay: bool = False
    holders: tuple[Holder, ...] | None = None
    holders_complete: bool = False
    twins: tuple[str, ...] = ()
    gone: bool = False

    def foreign_holders(self, microvm: str) -> tuple[Holder, ...]:
        """Those that are no process of `microvm`: another one's, nobody's, the host's own, or one that can't be
        seen."""
        return tuple(holder for holder in self.holders or () if holder.microvm != microvm)


class MicroVM(NamedTuple):
    """One microVM. `built` is the runner behind `current`, `booted` the definition of what runs now (from the live
    command lines, completed by the runner behind `booted`), None while nothing runs. `findings` are worst first.
    `autostart`: None where not known. `armed`: when its overlay is reset by itself, None: never. `kept` is what resets
    have set aside, the newest first, as far as that was looked at. `defined` is what the definition file `document` (a
    path) says: None where there is none, it is wrong, or it was not looked at yet. `drift`: where the stages differ.
    `closer`: None where nobody looked so close yet. `guest` is what its hypervisor and its console tell, None while
    nothing runs, and where nobody has asked yet."""

    name: str
    path: str
    state: State
    entry: StateDirEntry | None = None
    built: Runner | None = None
    booted: Definition | None = None
    units: tuple[UnitStatus, ...] = ()
    processes: tuple[ProcessSample, ...] = ()
    hypervisor: ProcessSample | None = None
    shares: tuple[ShareStatus, ...] = ()
    volumes: tuple[VolumeStatus, ...] = ()
    findings: tuple[Finding, ...] = ()
    autostart: bool | None = None
    armed: Armed | None = None
    kept: tuple[KeptOverlay, ...] = ()
    document: str | None = None
    defined: Definition | None = None
    drift: tuple[FieldDrift, ...] = ()
    closer: CloserFacts | None = None
    guest: GuestStatus | None = None

    @property
    def definition(self) -> Definition | None:
        """What it has: as booted while it runs, else as built."""
        if self.booted is not None:
            return self.booted
        return self.built.definition if self.built is not None else None

    @property
    def overlay(self) -> VolumeStatus | None:
        """The volume that holds the writable store overlay."""
        return next((volume for volume in self.volumes if volume.overlay), None)

    @property
    def is_hidden(self) -> bool:
        """Whether it runs, and this user sees no hypervisor of it: it is another's (without systemd, or hidepid)."""
        return self.hypervisor is None and self.state.word in (StateWord.RUNNING, StateWord.DEGRADED)

    @property
    def has_none(self) -> str:
        """Why no hypervisor of it is known, after its name; "" where one is."""
        if self.hypervisor is not None:
            return ""
        return "runs, but its hypervisor can't be seen" if self.is_hidden else "does not run"

    @property
    def note(self) -> str:
        """The worst finding's note, for the list."""
        return self.findings[0].note if self.findings else ""

    def unit(self, kind: UnitKind) -> UnitStatus | None:
        """Its unit of that template, None where systemd has not loaded one."""
        return next((unit for unit in self.units if unit.kind is kind), None)


class Snapshot(NamedTuple):
    """Every microVM of a host at one instant, sorted by name. There is no clock in it: an unchanged host gives an
    equal snapshot. `manager` is `systemd` or `direct`. `findings` concern the host as a whole (no D-Bus, a state
    directory that can't be read). `units_stale_since` (UTC) is when the manager last answered, None while it does."""

    host: str
    state_dir: str
    manager: str
    microvms: tuple[MicroVM, ...] = ()
    strays: tuple[StrayEntry, ...] = ()
    findings: tuple[Finding, ...] = ()
    units_stale_since: datetime | None = None

    def find(self, name: str) -> MicroVM | None:
        """The microVM of that name."""
        return next((microvm for microvm in self.microvms if microvm.name == name), None)

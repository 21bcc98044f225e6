"""The host of the pictures: the list as people have it in mind, every state, and names that would do harm."""

from datetime import UTC, datetime, timedelta

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.facts import SourceFacts
from mvtui.model.finding import Finding, Severity
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import (
    ImageFacts,
    MicroVM,
    ShareHealth,
    ShareStatus,
    Snapshot,
    StateDirEntry,
    StrayEntry,
    VolumeStatus,
)
from mvtui.model.process import ProcessSample
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitKind, UnitStatus, unit_name

NOW = datetime(2025, 11, 23, 12, 4, 30, tzinfo=UTC)
STATE_DIR = "/var/lib/microvms"
MIB = 2**20
GIB = 2**30


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def process(name: str, *, cpu: float | None, memory: int, started: datetime, pid: int = 4121) -> ProcessSample:
    return ProcessSample(
        pid=pid,
        ppid=1,
        microvm=name,
        unit=unit_name(UnitKind.HYPERVISOR, name),
        argv=("cloud-hypervisor",),
        exe="/nix/store/cloud-hypervisor/bin/cloud-hypervisor",
        uid=990,
        started=started,
        cpu_seconds=1.0,
        cpu_percent=cpu,
        rss=memory,
        threads=4,
    )


def shares(name: str, *health: ShareHealth) -> tuple[ShareStatus, ...]:
    tags = ("ro-store", "home", "data")
    return tuple(
        ShareStatus(Share(tag, ShareProto.VIRTIOFS, f"/srv/{name}-{tag}", f"/{tag}"), one)
        for tag, one in zip(tags, health, strict=False)
    )


def overlay(used: int, size: int) -> tuple[VolumeStatus, ...]:
    volume = Volume("nix-rw.img", mount_point="/nix/.rw-store", size=size // MIB)
    facts = ImageFacts(
        "nix-rw.img", size=size, allocated=used, fs_type="ext4", fs_size=size, fs_room=size, fs_used=used
    )
    return (VolumeStatus(volume, facts, overlay=True),)


def microvm(
    name: str,
    word: StateWord = StateWord.STOPPED,
    *,
    since: datetime | None = None,
    why: str | None = None,
    cpu: float | None = None,
    memory: int | None = None,
    mem: int = 1024,
    state: State | None = None,
    shared: tuple[ShareStatus, ...] = (),
    volumes: tuple[VolumeStatus, ...] = (),
    findings: tuple[Finding, ...] = (),
) -> MicroVM:
    """One microVM; it has a hypervisor where `memory` is given."""
    hypervisor = process(name, cpu=cpu, memory=memory, started=since or ago(hours=12)) if memory is not None else None
    active = {True: "active", False: "inactive"}[word.is_up]
    unit = UnitStatus(
        unit_name(UnitKind.HYPERVISOR, name), UnitKind.HYPERVISOR, name, "loaded", active, "running", since=since
    )
    return MicroVM(
        name=name,
        path=f"{STATE_DIR}/{name}",
        state=state or State(word, since, why if why is not None else f"{unit.name} is {active}."),
        entry=StateDirEntry(name, f"{STATE_DIR}/{name}", current="/nix/store/runner"),
        booted=Definition(Hypervisor.CLOUD_HYPERVISOR, mem=mem),
        units=(unit,),
        processes=(hypervisor,) if hypervisor is not None else (),
        hypervisor=hypervisor,
        shares=shared,
        volumes=volumes,
        findings=findings,
    )


UP, DOWN, OFF = ShareHealth.UP, ShareHealth.DOWN, ShareHealth.OFF

DB = microvm(
    "db",
    StateWord.RUNNING,
    since=ago(hours=12),
    cpu=14.7,
    memory=int(1.8 * GIB),
    mem=2048,
    shared=shares("db", UP, UP),
    findings=(
        Finding(
            Severity.INFO,
            "booted",
            "≠ restart",
            "What runs is older than what is built.",
            "booted is /nix/store/1abc-microvm-cloud-hypervisor-db, current is /nix/store/2def.",
            "mvtui restart db",
        ),
    ),
)
GIT = microvm(
    "git",
    StateWord.DEGRADED,
    since=ago(hours=11, minutes=13),
    why='Share "home" is down: /srv/git-home does not exist.',
    cpu=0.4,
    memory=300 * MIB,
    shared=shares("git", UP, DOWN),
    volumes=overlay(300 * MIB, 2 * GIB),
    findings=(
        Finding(
            Severity.ERROR,
            "share home",
            "fsd home",
            'Share "home" is down.',
            "/srv/git-home does not exist. The guest's /home hangs.",
            "mkdir -p /srv/git-home, then mvtui restart git",
        ),
    ),
)
# As GIT, once its sources were looked at.
LACKING = GIT._replace(
    shares=tuple(
        one._replace(source=SourceFacts(one.share.source or "", exists=one.health is UP)) for one in GIT.shares
    )
)
MAIL = microvm(
    "mail",
    shared=shares("mail", DOWN),
    volumes=overlay(100 * MIB, GIB),
    state=State(
        StateWord.LOOPING, ago(seconds=4), "microvm-virtiofsd@mail.service ends with exit 1.", "exit 1", restarts=12
    ),
    findings=(Finding(Severity.ERROR, "share home", "fsd home", 'Share "home" is down.', "It ends with exit 1."),),
)
LAB = microvm(
    "lab",
    since=ago(days=9),
    why="Stopped by a person.",
    volumes=overlay(984 * MIB, GIB),
    findings=(
        Finding(
            Severity.WARNING,
            "volume nix-rw.img",
            "ov full",
            "The writable store overlay is 96% full.",
            "Builds in it fail soon.",
        ),
    ),
)
WEB = microvm("web", StateWord.RUNNING, since=ago(days=3), cpu=3.1, memory=512 * MIB, shared=shares("web", UP, UP))
CI = microvm("ci", StateWord.RUNNING, since=ago(minutes=42), cpu=388.2, memory=7 * GIB, mem=8192)
PROXY = microvm("proxy", StateWord.RUNNING, since=ago(days=120), cpu=0.0, memory=64 * MIB, mem=256)


def snapshot(*microvms: MicroVM, findings: tuple[Finding, ...] = (), strays: tuple[StrayEntry, ...] = ()) -> Snapshot:
    ordered = tuple(sorted(microvms, key=lambda one: one.name))
    return Snapshot("hv01", STATE_DIR, "systemd", ordered, strays, findings)


PRODUCT = snapshot(CI, DB, GIT, LAB, MAIL, PROXY, WEB)

STARTING = microvm("alpha", state=State(StateWord.STARTING, ago(seconds=12), "Waits for microvm-virtiofsd@alpha."))
STOPPING = microvm(
    "beta",
    StateWord.STOPPING,
    memory=GIB,
    state=State(StateWord.STOPPING, ago(seconds=50), "The guest shuts down.", deadline=NOW + timedelta(seconds=40)),
)
FAILED = microvm(
    "epsilon",
    state=State(StateWord.FAILED, ago(minutes=3), "microvm@epsilon.service failed: dependency.", "dependency"),
)
OOM = microvm("eta", state=State(StateWord.FAILED, ago(minutes=9), "microvm@eta.service failed: oom.", "oom"))
EXIT = microvm("theta", state=State(StateWord.FAILED, ago(hours=9), "microvm@theta failed: exit 127.", "exit 127"))
ORPHAN = microvm(
    "zeta", state=State(StateWord.ORPHAN, None, "A hypervisor runs, its state directory is gone.")
)._replace(entry=None)
UNKNOWN = microvm("iota", state=State(StateWord.UNKNOWN, None, "Its units can't be asked."))
STATES = snapshot(DB, STARTING, STOPPING, GIT, MAIL, FAILED, OOM, EXIT, LAB, ORPHAN, UNKNOWN)

HOSTILE = snapshot(
    microvm("[/red]", StateWord.RUNNING, since=ago(hours=1), cpu=1.0, memory=MIB, why="[@click=app.quit]x[/]"),
    microvm("\x1b[31mred\x1b]0;owned\x07", StateWord.RUNNING, since=ago(hours=2), cpu=2.0, memory=MIB),
    microvm("two\nlines", since=ago(hours=3)),
    microvm("仮想マシン一号機", StateWord.RUNNING, since=ago(hours=4), cpu=99.9, memory=GIB),
    microvm("데이터베이스", StateWord.DEGRADED, since=ago(hours=5), cpu=12.3, memory=GIB),
    microvm("a-name-that-has-more-characters-than-any-column", since=ago(hours=6)),
    microvm("bytes-\udcff\udc80", since=ago(hours=7)),
    microvm("\u202eltr", since=ago(hours=8)),
    strays=(StrayEntry("lost+found", "of the file system (fsck)"), StrayEntry("no\x1b[2Jtes", "a file")),
)
EMPTY = snapshot()
UNREADABLE = snapshot(
    findings=(
        Finding(
            Severity.ERROR,
            "state directory",
            "no directory",
            "/var/lib/microvms can't be read: permission denied.",
            "It is read by root and group kvm; mvtui runs as uid 1000.",
            "run mvtui as root, or in group kvm",
        ),
    )
)
NO_BUS = PRODUCT._replace(
    findings=(
        Finding(
            Severity.ERROR, "systemd", "no units", "systemd does not answer on D-Bus.", "", "systemctl status dbus"
        ),
    ),
    units_stale_since=ago(minutes=3),
)

"""What is wrong, worst first, and what mends it."""

from typing import Any

import pytest

from mvtui.model.closer import CloserFacts, LastWords
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.facts import SourceFacts, SourceKind
from mvtui.model.field_facts import Barred, SourceLook
from mvtui.model.finding import Finding, Severity
from mvtui.model.microvm import ImageFacts, MicroVM, ShareHealth, ShareStatus, StateDirEntry, VolumeStatus
from mvtui.model.state import State, StateWord
from mvtui.model.unit import UnitStatus
from mvtui.operations.checks import check
from mvtui.operations.checks.check import Seen
from mvtui.operations.health import hidden_finding
from tests.fakes import EPOCH, process, unit

ENTRY = StateDirEntry("web", "/var/lib/microvms/web", current="/nix/store/b", booted="/nix/store/a")
HOME = Share("home", ShareProto.VIRTIOFS, source="/srv/home", socket="web-home.sock")
GONE = SourceFacts("/srv/home", exists=False)
RUNNING = State(StateWord.RUNNING, None, "runs")
STOPPED = State(StateWord.STOPPED, None, "stopped")
WEB = MicroVM("web", "/var/lib/microvms/web", RUNNING, ENTRY._replace(booted=ENTRY.current))


def found(microvm: MicroVM = WEB, manager: str = "systemd", **changes: Any) -> tuple[Finding, ...]:
    return check(Seen(microvm._replace(**changes), manager))


def notes(microvm: MicroVM = WEB, manager: str = "systemd", **changes: Any) -> list[str]:
    return [finding.note for finding in found(microvm, manager, **changes)]


def test_nothing_wrong() -> None:
    assert found() == ()


def test_share_down_is_worst() -> None:
    seen = Seen(WEB._replace(shares=(ShareStatus(HOME, ShareHealth.DOWN, "its virtiofsd has ended."),)))
    late = Finding(Severity.INFO, "booted", "≠ restart", "What runs differs from what is built.")
    assert [one.note for one in check(seen, [late])] == ["fsd home", "≠ restart"]


def test_source_missing_is_said_before_a_start_and_names_the_fix() -> None:
    (finding,) = found(state=STOPPED, shares=(ShareStatus(HOME, ShareHealth.OFF, source=GONE),))
    assert (finding.note, finding.fix) == ("no source", "mkdir -p /srv/home")
    assert finding.why == "The next start waits for it and fails."


@pytest.mark.parametrize("health", [ShareHealth.OFF, ShareHealth.DOWN])
def test_nobody_makes_what_was_in_the_store(health: ShareHealth) -> None:
    status = ShareStatus(HOME._replace(source="/nix/store/gone-files"), health, source=GONE)
    word = StateWord.STOPPED if health is ShareHealth.OFF else StateWord.DEGRADED
    (finding,) = found(state=State(word, None, ""), shares=(status,))
    assert finding.fix.startswith("share another directory, and rebuild")


@pytest.mark.parametrize(
    ("word", "runs", "why"),
    [
        (StateWord.STARTING, False, "Its start waits for it and fails."),
        (StateWord.RUNNING, True, "The guest keeps the directory that was there; the next start fails."),
    ],
)
def test_source_missing_says_what_follows(word: StateWord, runs: bool, why: str) -> None:
    hypervisor = process(1, "web", "qemu") if runs else None
    status = ShareStatus(HOME, ShareHealth.UP, source=GONE)
    (finding,) = found(state=State(word, None, ""), shares=(status,), hypervisor=hypervisor)
    assert finding.why == why


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (StateWord.FAILED, "Nothing starts it again by itself."),
        (StateWord.LOOPING, "It is started again each time."),
        (StateWord.DEGRADED, "Its guest may not do what it should."),
    ],
)
def test_a_wrong_state_says_what_follows_until_it_is_known_what_it_said(word: StateWord, why: str) -> None:
    (finding,) = found(state=State(word, None, "It is so."))
    assert (finding.what, finding.why) == ("It is so.", why)


@pytest.mark.parametrize(
    ("runs", "why"), [(True, "was removed or unmounted while it ran"), (False, "removed, or was never made")]
)
def test_an_orphan_says_what_became_of_its_directory(runs: bool, why: str) -> None:
    hypervisor = process(1, "web", "qemu") if runs else None
    (finding,) = found(state=State(StateWord.ORPHAN, None, "It is."), entry=None, hypervisor=hypervisor)
    assert why in finding.why


UNIT = unit("microvm@web.service")
FAILED = unit("microvm@web.service", "failed", "failed")
OFF = unit("microvm@web.service", "inactive", "dead")


@pytest.mark.parametrize(
    ("manager", "units", "runs", "fix"),
    [
        ("systemd", (UNIT,), True, "bring back /var/lib/microvms/web, or systemctl stop microvm@web"),
        ("systemd", (UNIT,), False, "bring back /var/lib/microvms/web, or systemctl stop microvm@web"),
        ("systemd", (FAILED,), False, "systemctl reset-failed microvm@web.service"),
        ("systemd", (OFF,), False, "take it out of microvm.autostart"),
        ("direct", (UNIT,), True, "bring back /var/lib/microvms/web, or mvtui stop web"),
        ("direct", (), True, "bring back /var/lib/microvms/web, or kill 1"),
    ],
)
def test_an_orphan_says_what_mends_it(manager: str, units: tuple[UnitStatus, ...], runs: bool, fix: str) -> None:
    orphan, hypervisor = State(StateWord.ORPHAN, None, "It is."), process(1, "web", "qemu") if runs else None
    (finding,) = found(WEB, manager, state=orphan, entry=None, hypervisor=hypervisor, units=units, autostart=True)
    assert finding.fix == fix


def test_autostart_wants_what_is_stopped() -> None:
    assert notes(state=STOPPED, autostart=True) == ["autostart"]
    assert notes(state=STOPPED, autostart=False) == []
    assert notes(state=RUNNING, autostart=True) == []


def test_autostart_says_whether_it_ever_ran() -> None:
    (never,) = found(state=STOPPED, autostart=True)
    assert never.why == "As far as is known, nobody has started it since the host booted."
    (ended,) = found(state=STOPPED._replace(since=EPOCH), autostart=True)
    assert ended.why == "It ended, or was stopped, and nobody has started it again."


def test_dangling_current_names_the_command_that_mends_it() -> None:
    entry = ENTRY._replace(booted=None, dangling=("current",))
    (finding,) = found(state=STOPPED, entry=entry)
    assert finding.fix == "rebuild it: microvm -u web"
    (finding,) = found(state=STOPPED, entry=entry._replace(toplevel="/nix/store/t"))
    assert finding.fix == "rebuild it: nixos-rebuild switch"


def test_a_name_that_no_unit_can_have() -> None:
    assert notes(name="db[prod]") == ["bad name"]
    assert notes(WEB._replace(name="db[prod]"), "direct") == []


def test_full_overlay() -> None:
    volume = Volume("nix-store-overlay.img", mount_point="/nix/.rw-store")
    full = ImageFacts("/x", size=100, allocated=98, fs_type="ext4", fs_size=100, fs_room=100, fs_used=96)
    assert notes(volumes=(VolumeStatus(volume, full, overlay=True),)) == ["ov full"]
    assert notes(volumes=(VolumeStatus(volume, full),)) == ["vol full"]
    assert notes(volumes=(VolumeStatus(volume, full._replace(fs_used=50), overlay=True),)) == []


def test_what_is_not_known_is_not_full() -> None:
    assert ImageFacts("/x", size=100, allocated=100).fill_percent is None
    assert notes(volumes=(VolumeStatus(Volume("a.img"), None),)) == []


def test_shares_that_nothing_will_serve() -> None:
    runner = Runner("/nix/store/b", Definition(shares=(HOME,)))
    assert notes(state=STOPPED, built=runner) == ["no virtiofsd"]
    assert notes(state=STOPPED, built=runner._replace(has_virtiofsd_run=True)) == []


def test_what_could_not_be_read_is_shown() -> None:
    entry = ENTRY._replace(booted=None, problems=("flake: permission denied",))
    runner = Runner("/nix/store/b", None, problems=("bin/microvm-run is empty",))
    what = [finding.what for finding in found(state=STOPPED, entry=entry, built=runner)]
    assert what == ["flake: permission denied.", "bin/microvm-run is empty."]


def test_what_only_root_can_see_names_the_right_that_is_missing() -> None:
    up = State(StateWord.RUNNING, None, "It runs.")
    share = Share("home", ShareProto.VIRTIOFS)
    hidden = MicroVM("web", "/web", up, shares=(ShareStatus(share, ShareHealth.UNKNOWN),))
    served = MicroVM("db", "/db", up, shares=(ShareStatus(share, ShareHealth.UP),))
    finding = hidden_finding((hidden, served), 1000)
    assert finding is not None
    assert (finding.severity, finding.what) == (
        Severity.INFO,
        "Of 1 microVM can't be told whether all shares are served.",
    )
    assert "uid 1000" in finding.why
    assert "root" in finding.fix
    assert hidden_finding((served,), 1000) is None
    assert hidden_finding((hidden, served), 0) is None


def test_a_fix_is_a_command_to_copy() -> None:
    assert [one.fix for one in found(state=STOPPED, autostart=True)] == [
        "mvtui start web, or see why it ended: mvtui logs web"
    ]
    for manager in ("systemd", "direct"):
        (finding,) = found(manager=manager, state=STOPPED._replace(word=StateWord.FAILED))
        assert finding.fix == "mvtui logs web"


def test_a_source_of_9p_is_the_microvms_own() -> None:
    share = Share("docs", ShareProto.NINE_P, "/srv/my docs", "/docs")
    status = ShareStatus(share, ShareHealth.OFF, source=SourceFacts("/srv/my docs", False))
    (finding,) = found(state=STOPPED, shares=(status,), entry=StateDirEntry("web", WEB.path, owner=(993, 302)))
    assert finding.fix == "install -d -o 993 -g 302 '/srv/my docs'"


DAEMONS = "microvm-virtiofsd@web.service"
SAID = LastWords(DAEMONS, "[2026-08-01T12:00:01Z ERROR virtiofsd] /srv/home does not exist")


def test_what_virtiofsd_puts_before_its_words_does_not_hide_them() -> None:
    """At 80 columns its time and name alone would fill what is left of the why-line."""
    closer = CloserFacts(gave_up=("home",), last_words=(LastWords(UNIT.name, "home: of an earlier run"), SAID))
    (gave_up,) = found(state=State(StateWord.FAILED, None, "failed"), closer=closer)
    assert (gave_up.why, gave_up.fix) == ("/srv/home does not exist", "mend what it says, then mvtui start web")


TAP = "microvm-tap-interfaces@web.service"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (f"{UNIT.name} failed: exit 1.", 'It said last: "bye".'),
        ("Its hypervisor ends again and again.", 'It said last: "bye".'),
        (f"{DAEMONS} can't start (exit 1).", 'It said last: "/srv/home does not exist".'),
        (f"{TAP} can't start (exit 1).", "Nothing starts it again by itself."),
    ],
)
def test_what_was_said_last_is_the_word_of_who_failed(why: str, said: str) -> None:
    """What the hypervisor said at its last end is no reason why its interfaces can't be made."""
    units = (unit(TAP), unit(DAEMONS), UNIT)
    closer = CloserFacts(last_words=(LastWords(UNIT.name, "bye"), SAID))
    (finding,) = found(state=State(StateWord.FAILED, None, why), units=units, closer=closer)
    assert finding.why == said


@pytest.mark.parametrize("root_serves", [True, False])
def test_what_the_user_may_not_write_matters_where_a_virtiofsd_would_be_that_user(root_serves: bool) -> None:
    """None lives: who would start one tells, with systemd and without."""
    look = SourceLook("/srv/home", SourceKind.DIRECTORY, barred_writing=Barred("/srv/home", "write"))
    share = HOME._replace(read_only=False)
    seen = Seen(
        WEB._replace(shares=(ShareStatus(share, ShareHealth.OFF),), closer=CloserFacts(sources=(("home", look),))),
        "direct",
        root_serves=root_serves,
    )
    assert [one.note for one in check(seen)] == []  # it runs, and whose its virtiofsd are is not to be seen
    stopped = seen._replace(microvm=seen.microvm._replace(state=STOPPED))
    assert [one.note for one in check(stopped)] == ([] if root_serves else ["no access"])

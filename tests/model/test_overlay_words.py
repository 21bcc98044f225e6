"""A reset in words: what stands on each line, and that nothing of the host acts on the terminal."""

from datetime import timedelta

import pytest

from mvtui.model.definition import Volume
from mvtui.model.overlay import (
    Armed,
    Check,
    KeptOverlay,
    NewImage,
    OverlayFacts,
    OverlayKind,
    OverlayTarget,
    ResetPlan,
    ToldBy,
)
from mvtui.model.overlay_words import (
    TITLE_WIDTH,
    Role,
    Told,
    armed_words,
    facts_words,
    kept_words,
    may_reset,
    new_words,
    told_kept,
    told_plan,
)
from tests.fakes import EPOCH

PATH = "/vms/web/nix-rw.img"
NOW = EPOCH + timedelta(days=9)
VOLUME = OverlayTarget(OverlayKind.VOLUME, PATH, Volume("nix-rw.img"), told_by=ToldBy.BUILT)
SHARE = OverlayTarget(OverlayKind.SHARE, "/srv/rw", tag="rw", told_by=ToldBy.DEFINED)
FACTS = OverlayFacts(PATH, (1, 2), size=2 << 30, allocated=300 << 20, fs_type="ext4", label="nix-rw", made=EPOCH)
NEW = NewImage(2 << 30, "ext4", "nix-rw", ("-m", "0"), 994, 0o644)
PLAN = ResetPlan(
    "web",
    VOLUME,
    FACTS,
    NEW,
    checks=(
        Check("its units are inactive", True),
        Check("no process has it open", False, "qemu (pid 7) has it open", "mvtui stop web"),
        Check("it is a file", False, "it is a fifo"),
    ),
    steps=("make a new image",),
    lost=("what the guest built",),
    stays=("every other volume",),
    aside=("the old image",),
)


def test_a_plan() -> None:
    assert told_plan(PLAN, NOW) == (
        Told("Image", PATH, Role.STRONG),
        Told("", "300M allocated of 2.0G, 9d old, ext4, label nix-rw"),
        Told("", "it is the overlay as built, by the guest's fstab"),
        Told("New", "2.0G, ext4, label nix-rw, mkfs.ext4 with -m 0"),
        Told("Lost", "what the guest built"),
        Told("Stays", "every other volume"),
        Told("Set aside", "the old image"),
        Told("Steps", "1 make a new image"),
        Told("Checks", "its units are inactive", Role.OK),
        Told("", "no process has it open: qemu (pid 7) has it open (mvtui stop web)", Role.BAD),
        Told("", "it is a file: it is a fifo", Role.BAD),
    )
    assert all(len(told.title) <= TITLE_WIDTH for told in told_plan(PLAN, NOW))
    assert not any(told.title == "Steps" for told in told_plan(PLAN, NOW, steps=False))


def test_a_plan_of_nothing() -> None:
    plan = ResetPlan("web", OverlayTarget(OverlayKind.TMPFS), nothing="it is in the guest's memory")
    assert told_plan(plan, NOW) == (Told("Overlay", "nothing to reset: it is in the guest's memory", Role.BAD),)


def test_a_plan_of_a_share() -> None:
    first, second, third = told_plan(ResetPlan("web", SHARE, FACTS), NOW)
    assert first == Told("Share", "rw: /srv/rw", Role.STRONG)
    assert (second.text, third.text) == (
        "its directories store and work, 9d old",
        "it is the overlay by its definition file",
    )


def test_steps_are_numbered_in_one_column() -> None:
    lines = [told.text for told in told_plan(PLAN._replace(steps=("a",) * 10), NOW) if told.text.endswith(" a")]
    assert lines == [f"{number:>2} a" for number in range(1, 11)]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (OverlayFacts(PATH), "does not exist"),
        (OverlayFacts(PATH, problem="it is a\nfifo"), "it is a\\nfifo"),
        (OverlayFacts(PATH, (1, 2)), "0B allocated of 0B, no file system"),
        (FACTS._replace(label=None), "300M allocated of 2.0G, 9d old, ext4, no label"),
        (FACTS._replace(label="\x1b[31m"), "300M allocated of 2.0G, 9d old, ext4, label \\x1b[31m"),
    ],
)
def test_facts(facts: OverlayFacts, words: str) -> None:
    assert facts_words(facts, VOLUME, NOW) == words


def test_a_new_image_without_label_and_arguments() -> None:
    assert new_words(NEW._replace(label=None, mkfs_extra_args=())) == "2.0G, ext4, no label"


def test_kept() -> None:
    kept = KeptOverlay("x.img", "/vms/\x1b/x.img", EPOCH, 2 << 30, 300 << 20)
    assert kept_words(kept, NOW) == "300M of 2.0G, set aside 9d ago"
    assert kept_words(KeptOverlay("x", "/srv/x", EPOCH), NOW) == "set aside 9d ago"
    assert told_kept((kept, kept), NOW) == (
        Told("Kept", "/vms/\\x1b/x.img: 300M of 2.0G, set aside 9d ago"),
        Told("", "/vms/\\x1b/x.img: 300M of 2.0G, set aside 9d ago"),
    )
    assert told_kept((), NOW) == ()


def test_nothing_of_the_host_acts_on_the_terminal() -> None:
    bad = "\x1b]0;x\x07\n"
    plan = PLAN._replace(
        target=OverlayTarget(OverlayKind.SHARE, bad, tag=bad, told_by=ToldBy.CHOSEN),
        facts=FACTS._replace(label=bad, fs_type=bad),
        new=NEW._replace(label=bad, mkfs_extra_args=(bad,)),
        checks=(Check(bad, False, bad, bad),),
        steps=(bad,),
        lost=(bad,),
        stays=(bad,),
        aside=(bad,),
    )
    told = [*told_plan(plan, NOW), *told_plan(plan._replace(nothing=bad), NOW)]
    assert all(line.text.isprintable() for line in told)
    assert may_reset([bad], bad).isprintable()


def test_the_question() -> None:
    assert may_reset(["web"], "hv01") == "reset the overlay of web on hv01?"
    assert may_reset(["a", "b", "c"], "hv01") == "reset the overlays of a, b and c on hv01?"


def test_marks_have_ascii_twins() -> None:
    assert [role.mark(ascii_only=False) for role in Role] == ["", "", "ok", "×"]
    assert all(role.mark(ascii_only=True).isascii() for role in Role)


def test_armed() -> None:
    assert len({armed_words(armed) for armed in Armed}) == 2

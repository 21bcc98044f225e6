"""Lines of a guest's console: what systemd, mount, getty and the kernel write, and what a guest could write instead."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mvtui.model.console import MAX_SIGNS, Logged, read_console
from mvtui.model.guest import Console, GuestStage, GuestStatus, SignKind

AT = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
KERNEL = "[    0.000000] Linux version 6.12.40 (nixbld@localhost) (gcc 14.3.0) #1-NixOS SMP"
EMERGENCY = 'You are in emergency mode. After logging in, type "journalctl -xb" to view'


def read(*lines: str, console: Console = Console()) -> Console:  # noqa: B008 (it is frozen)
    return read_console(console, [Logged(AT + timedelta(seconds=n), line) for n, line in enumerate(lines)])


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        (KERNEL, GuestStage.BOOTING),
        ("<<< NixOS Stage 1 >>>", GuestStage.BOOTING),
        ("Welcome to \x1b[1mNixOS 26.05 (Yarara)\x1b[0m!", GuestStage.BOOTING),
        ("[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mJournal Service\x1b[0m.\r", GuestStage.BOOTING),
        ("[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mMulti-User System\x1b[0m.\r", GuestStage.UP),
        ("[  OK  ] Reached target multi-user.target - Multi-User System.", GuestStage.UP),
        ("[    4.2] systemd[1]: Reached target Multi-User System.", GuestStage.UP),
        ("<<< Welcome to NixOS 26.05.20260801.abcdef (x86_64) - ttyS0 >>>", GuestStage.UP),
        ("web login: ", GuestStage.UP),
        ("web login: root (automatic login)", GuestStage.UP),
        (EMERGENCY, GuestStage.EMERGENCY),
        ('You are in rescue mode. After logging in, type "journalctl -xb" to view', GuestStage.EMERGENCY),
        ("[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mEmergency Mode\x1b[0m.", GuestStage.EMERGENCY),
        ("[  OK  ] Started emergency.service - Emergency Shell.", GuestStage.EMERGENCY),
        ("An error occurred in stage 1 of the boot process, which must mount the", GuestStage.EMERGENCY),
        ("Cannot open access to console, the root account is locked.", GuestStage.EMERGENCY),
        ("[    1.9] Kernel panic - not syncing: VFS: Unable to mount root fs", GuestStage.PANIC),
        ("[    1.9] [   T1] Kernel panic - not syncing: Attempted to kill init!", GuestStage.PANIC),
        ("", GuestStage.UNKNOWN),
        ("a program says: You are in emergency mode", GuestStage.UNKNOWN),
        ("nginx: web login: failed", GuestStage.UNKNOWN),
        ("mke2fs 1.47.0 (5-Feb-2023)", GuestStage.UNKNOWN),
    ],
)
def test_how_far_it_has_come(line: str, stage: GuestStage) -> None:
    console = read(line)
    assert console.stage is stage
    assert console.since == (None if stage is GuestStage.UNKNOWN else AT)


@pytest.mark.parametrize(
    ("line", "kind", "subject"),
    [
        (
            "[\x1b[0;1;31m TIME \x1b[0m] Timed out waiting for device \x1b[0;1;39m/dev/disk/by-label/home\x1b[0m.",
            SignKind.DEVICE,
            "/dev/disk/by-label/home",
        ),
        ("[ TIME ] Timed out waiting for device dev-vdb.device - /dev/vdb.", SignKind.DEVICE, "/dev/vdb"),
        ("[\x1b[0;1;31mFAILED\x1b[0m] Failed to mount \x1b[0;1;39m/home\x1b[0m.\r", SignKind.MOUNT, "/home"),
        ("[FAILED] Failed to mount home.mount - /home.", SignKind.MOUNT, "/home"),
        ("[FAILED] Failed to mount sysroot-home.mount - /sysroot/home.", SignKind.MOUNT, "/home"),
        ("[\x1b[0;1;38;5;185mDEPEND\x1b[0m] Dependency failed for \x1b[0;1;39m/home\x1b[0m.", SignKind.MOUNT, "/home"),
        (
            "mount: mounting /dev/vda on /mnt-root/nix/.rw-store failed: Invalid argument",
            SignKind.MOUNT,
            "/nix/.rw-store",
        ),
        ("mount: /home: can't find LABEL=home.", SignKind.MOUNT, "/home"),
        ("[    2.1] overlayfs: upper fs missing required features.", SignKind.OVERLAY, ""),
        ("[    2.1] overlayfs: failed to resolve '/sysroot/nix/.rw-store/store': -2", SignKind.OVERLAY, ""),
        ("[    2.1] overlayfs: upperdir is in-use as upperdir/workdir of another mount", SignKind.OVERLAY, ""),
        ("[   99.1] I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x800", SignKind.DISK, "vda"),
        ("[   99.1] Buffer I/O error on dev vdb, logical block 0, lost async page write", SignKind.DISK, "vdb"),
        ("[   99.1] EXT4-fs error (device vda): ext4_find_entry:1463: inode #2: comm ls", SignKind.DISK, "vda"),
        ("[    2.1] EXT4-fs (vda): VFS: Can't find ext4 filesystem", SignKind.DISK, "vda"),
        ("[    2.1] XFS (vdb): Metadata corruption detected at xfs_agf_read_verify", SignKind.DISK, "vdb"),
        ("[    2.1] BTRFS error (device vdc): bdev /dev/vdc errs: wr 1", SignKind.DISK, "vdc"),
    ],
)
def test_what_it_complains_of(line: str, kind: SignKind, subject: str) -> None:
    (sign,) = read(line).signs
    assert (sign.kind, sign.subject, sign.at) == (kind, subject, AT)
    assert "\x1b" not in sign.text
    assert not sign.text.startswith("[")


@pytest.mark.parametrize(
    "line",
    [
        "[    2.1] overlayfs: null uuid detected in lower fs '/', falling back to xino=off,index=off,nfs_export=off.",
        "[    2.1] overlayfs: upper fs does not support tmpfile, falling back to index=off and metacopy=off.",
        "[    2.1] EXT4-fs (vda): mounted filesystem with ordered data mode. Quota mode: none.",
        "[DEPEND] Dependency failed for Local File Systems.",
        "[FAILED] Failed to start nginx.service - Nginx Web Server.",
        "[  OK  ] Mounted home.mount - /home.",
        "backup: Failed to mount /backup",
    ],
)
def test_what_is_no_complaint(line: str) -> None:
    assert read(line).signs == ()


def test_a_job_that_is_waited_for_overwrites_its_line() -> None:
    waits = "".join(
        f"[\x1b[0;31m*\x1b[0m     ] A start job is running for /dev/vdb ({n}s / 1min 30s)\r\x1b[K" for n in range(270)
    )
    line = f"{waits}[\x1b[0;1;31m TIME \x1b[0m] Timed out waiting for device \x1b[0;1;39m/dev/vdb\x1b[0m."
    assert len(line) > 16_000
    assert [sign.subject for sign in read(line).signs] == ["/dev/vdb"]


def test_the_cause_of_an_emergency() -> None:
    console = read(
        KERNEL,
        "[ TIME ] Timed out waiting for device /dev/disk/by-label/home.",
        "[DEPEND] Dependency failed for /home.",
        "[DEPEND] Dependency failed for Local File Systems.",
        EMERGENCY,
    )
    status = GuestStatus(console=console)
    cause = "/home is not mounted: Timed out waiting for device /dev/disk/by-label/home."
    assert status.cause == cause
    assert status.against() == (f"The guest is in emergency mode: {cause}", AT + timedelta(seconds=4))


def test_an_emergency_without_a_word() -> None:
    told = GuestStatus(console=read(EMERGENCY)).against()
    assert told == ("The guest is in emergency mode; its console does not say why.", AT)


def test_who_goes_on_from_an_emergency_is_up_and_its_complaints_stay() -> None:
    console = read(KERNEL, "[FAILED] Failed to mount /home.", EMERGENCY, "[  OK  ] Reached target Multi-User System.")
    assert console.stage is GuestStage.UP
    assert [sign.subject for sign in console.signs] == ["/home"]
    assert GuestStatus(console=console).against() is None


def test_a_guest_that_boots_anew_begins_anew() -> None:
    console = read(KERNEL, "[FAILED] Failed to mount /home.", EMERGENCY, KERNEL)
    assert (console.stage, console.signs, console.since) == (GuestStage.BOOTING, (), AT + timedelta(seconds=3))


def test_what_comes_later_is_read_on() -> None:
    first = read(KERNEL, "[FAILED] Failed to mount /home.")
    assert read(EMERGENCY, console=first) == read(KERNEL, "[FAILED] Failed to mount /home.", EMERGENCY)._replace(
        since=AT
    )


def test_a_line_is_text_and_no_more_than_that() -> None:
    nasty = "[FAILED] Failed to mount /[red]\x1b]0;title\x07\x9b2J\u202e" + "y" * 4000
    (sign,) = read(nasty).signs
    assert sign.text.isprintable()
    assert len(sign.text) <= 200
    assert sign.subject.isprintable()
    assert sign.subject.startswith("/[red]")
    assert len(sign.subject) <= 120


def test_as_many_complaints_as_it_likes() -> None:
    console = read(*(f"[FAILED] Failed to mount /m{n}." for n in range(1000)))
    assert len(console.signs) == MAX_SIGNS
    assert console.signs[0].subject == "/m0"


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("x" + EMERGENCY.ljust(4096), GuestStage.EMERGENCY),
        (EMERGENCY.ljust(4097), GuestStage.UNKNOWN),
        ("x" * 5000 + "\r" + EMERGENCY, GuestStage.EMERGENCY),
    ],
    ids=["as long as it may be", "one longer", "begun anew"],
)
def test_of_a_long_line_only_the_end_counts(line: str, stage: GuestStage) -> None:
    assert read(line).stage is stage


# What a regular expression could take long for.
HARD = [
    "x" * 1_000_000,
    "[" * 1_000_000,
    "\r" * 1_000_000,
    "\x1b[" * 500_000,
    "\x1b]" * 500_000,
    "[ OK ] " * 150_000,
    "[    1.000000] " * 70_000,
    "Failed to mount /" + "." * 1_000_000,
    "mount: /" * 120_000,
    "EXT4-fs (vda): " + "errror " * 140_000,
    "a" * 64 + ".-" * 400_000 + " login",
    "overlayfs: " + "falling " * 120_000,
]


@pytest.mark.parametrize("line", HARD, ids=lambda line: repr(line[:12]))
def test_a_line_of_a_megabyte_takes_no_time(line: str) -> None:
    began = time.process_time()
    read(line)
    assert time.process_time() - began < 0.1


@given(st.lists(st.text(max_size=200), max_size=20))
def test_whatever_it_writes(lines: list[str]) -> None:
    console = read(*lines)
    assert console.text.isprintable()
    assert all(sign.text.isprintable() and sign.subject.isprintable() for sign in console.signs)

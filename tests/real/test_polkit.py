"""The polkit rule of the NixOS module, before the real systemd and the real polkit."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.host import RealHost, sample, wait_until
from tests.real.nested import CHECKOUT
from tests.real.packages import program

RULE = CHECKOUT / "mvtui/nix/manage-microvms.rules"
POLKITD = "/usr/lib/polkit-1/polkitd"
NAME = "asked"
UNITS = (f"microvm@{NAME}.service", f"microvm-virtiofsd@{NAME}.service")


@pytest.fixture(scope="module")
def people(host: RealHost) -> Iterator[RealHost]:
    """dana is of the group that the rule is for, erik is not; polkit runs."""
    program("pkcheck", "polkitd")
    nested = host.nested
    # They reach Python and mvtui wherever those are.
    for path in {*Path(sys.base_prefix).parents, *CHECKOUT.parents}:
        nested.run("chmod", "o+x", str(path), check=False)
    nested.run("groupadd", "operators")
    nested.run("useradd", "--groups", "operators", "dana")
    nested.run("useradd", "erik")
    nested.path("/etc/polkit-1/rules.d/50-mvtui.rules").write_text(RULE.read_text().replace("@group@", "operators"))
    nested.run("systemd-run", "--unit=test-polkit", POLKITD, "--no-debug")
    wait_until(
        lambda: "org.freedesktop.PolicyKit1" in nested.run("busctl", "list", "--acquired").stdout,
        "polkit did not start",
    )
    host.add(sample(NAME))
    yield host
    host.end(NAME)
    nested.run("systemctl", "stop", "test-polkit")
    nested.path("/etc/polkit-1/rules.d/50-mvtui.rules").unlink()
    for name in ("dana", "erik"):
        nested.run("userdel", name)
    nested.run("groupdel", "operators")


def asks(host: RealHost, user: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run it as that user, who is not asked for a password."""
    return host.nested.run(
        "setpriv", "--reuid", user, "--regid", user, "--init-groups", *argv, check=False, timeout=120
    )


def test_the_group_starts_restarts_kills_and_stops_a_microvm(people: RealHost) -> None:
    for verb in ("start", "restart", "kill", "stop"):
        for unit in UNITS:
            done = asks(people, "dana", "systemctl", "--no-ask-password", verb, unit)
            assert (done.returncode, done.stderr) == (0, ""), verb
    assert people.property(UNITS[0], "ActiveState") == "inactive"


def test_mvtui_does_it_for_the_group_and_says_why_not_to_others(people: RealHost) -> None:
    for verb in ("start", "restart", "kill", "start", "stop"):
        done = asks(people, "dana", sys.executable, "-m", "mvtui", verb, NAME)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)
    refused = asks(people, "erik", sys.executable, "-m", "mvtui", "start", NAME)
    assert refused.returncode == 77
    assert "polkit" in refused.stderr


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("erik", ["systemctl", "start", UNITS[0]]),
        ("dana", ["systemctl", "start", "dbus.service"]),
        ("dana", ["systemctl", "stop", "test-polkit.service"]),
        ("dana", ["systemctl", "start", f"microvm-tap-interfaces@{NAME}.service"]),
        ("dana", ["systemctl", "set-property", UNITS[0], "CPUQuota=1%"]),
        ("dana", ["systemctl", "clean", UNITS[0]]),
        ("dana", ["systemctl", "enable", UNITS[0]]),
        ("dana", ["systemctl", "daemon-reload"]),
        ("dana", ["systemd-run", "touch", "/root/mark"]),
        ("dana", ["systemd-run", f"--unit={UNITS[0]}", "touch", "/root/mark"]),
        ("dana", ["systemd-run", "--unit=microvm@another.service", "touch", "/root/mark"]),
        ("dana", ["systemd-run", "--unit=microvm-virtiofsd@another.service", "touch", "/root/mark"]),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else value,
)
def test_nothing_else_is_allowed(people: RealHost, user: str, words: list[str]) -> None:
    done = asks(people, user, words[0], "--no-ask-password", *words[1:])
    assert done.returncode != 0
    assert not people.nested.path("/root/mark").exists()


@pytest.mark.parametrize("unit", ["microvm@another.service", "microvm-virtiofsd@another.service"])
def test_a_transient_unit_has_no_name_that_a_template_has(people: RealHost, unit: str) -> None:
    """Newer systemd asks polkit for the start of a transient unit as for that of any: where the template is there, not
    even root makes one of such a name, so that no member of the group can choose what it runs."""
    done = people.nested.run("systemd-run", f"--unit={unit}", "true", check=False)
    assert done.returncode != 0
    assert "already loaded or has a fragment file" in done.stderr

"""Armed for longer than until the host boots again: under a systemd that reads /etc/systemd/system, here a folder of
the tests' own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.host import RealHost, required_host
from tests.real.overlays import on_volume
from tests.real.test_armed import BUILT, armed_words, drop_in, resets, unit

PERSISTENT = "/etc/systemd/system"
# Beside what every host of the tests keeps: the units that last, and mvtui's records.
LASTING = {PERSISTENT: "lasting-units", "/var/lib/mvtui": "records"}
USED = {"built", "from-guest"}


@pytest.fixture(scope="module")
def lasting_host() -> Iterator[RealHost]:
    yield from required_host(LASTING)


def lasting_drop_in(host: RealHost, name: str) -> Path:
    return host.nested.path(f"{PERSISTENT}/{unit(name)}.d/50-mvtui-reset.conf")


def enabled(host: RealHost, name: str) -> None:
    """It starts with the host (microvm.autostart)."""
    wants = host.nested.path(f"{PERSISTENT}/microvms.target.wants")
    wants.mkdir()
    (wants / unit(name)).symlink_to("/etc/systemd/system.test/microvm@.service")


def test_it_outlives_a_boot_of_the_host(lasting_host: RealHost) -> None:
    """Armed while it runs; then systemd restarts it, and starts it by itself with the host; then it is disarmed."""
    host = lasting_host
    name = host.add(on_volume("lasting"))
    enabled(host, name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    host.in_guest(name, BUILT)
    armed = host.mvtui("arm", name, "--always", "--persistent")
    assert "also after a boot of the host" in armed.stdout
    assert lasting_drop_in(host, name).is_file()
    assert not drop_in(host, name)
    assert str(Path(PERSISTENT, f"{unit(name)}.d", "50-mvtui-reset.conf")) in host.property(unit(name), "DropInPaths")

    host.systemctl("daemon-reload")
    assert host.boots(name) == 1, "to arm it and to read the units again stops nothing"
    host.systemctl("restart", unit(name))
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()

    host.in_guest(name, BUILT)
    host.nested.boot_again()
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == set()
    assert list(armed_words(host, name)) == ["armed"]
    assert len(resets(host, name)) == 2

    host.mvtui("arm", name, "--off")
    assert not lasting_drop_in(host, name).parent.exists()
    assert host.property(unit(name), "ExecStartPre") == ""
    host.in_guest(name, BUILT)
    host.nested.boot_again()
    host.wait_for_boot(name, 4)
    assert host.overlay_at_boot(name) == USED
    assert (armed_words(host, name), len(resets(host, name))) == ({}, 2)


def test_what_lasts_takes_the_place_of_what_does_not(lasting_host: RealHost) -> None:
    """And the other way round: one drop-in, and one reset in each start."""
    host = lasting_host
    name = host.add(on_volume("either"))
    for words, lasting in (([], False), (["--persistent"], True), ([], False)):
        host.mvtui("arm", name, "--once", *words)
        assert (lasting_drop_in(host, name).exists(), drop_in(host, name)) == (lasting, not lasting)
        assert host.property(unit(name), "ExecStartPre").count("--if-armed") == 1
    host.mvtui("arm", name, "--off")

"""MicroVMs that can't start, each in the way that systemd really shows it."""

import pytest

from mvtui.model.definition import Definition, Share, ShareProto
from tests.real.host import Json, RealHost, sample


def hypervisor_unit(shown: Json) -> Json:
    found: Json = next(unit for unit in shown["units"] if unit["name"].startswith("microvm@"))
    return found


def test_virtiofs_source_missing(host: RealHost, ending: list[str]) -> None:
    """Its daemon dies four times, its unit hangs until its time is over; then the dependency has failed."""
    name = host.add(sample("lost"))
    ending.append(name)
    host.nested.run("rmdir", "/srv/lost/home")
    host.drop_in(f"microvm-virtiofsd@{name}.service", "[Service]\nTimeoutStartSec=14s\n")
    host.systemctl("start", "--no-block", f"microvm@{name}.service")
    shown = host.until(name, lambda shown: hypervisor_unit(shown)["job"] is not None)
    assert shown["state"] == "starting", shown
    assert '"home"' in shown["why"]
    assert "/srv/lost/home does not exist" in shown["why"]

    shown = host.until(name, lambda shown: shown["state"] in ("failed", "looping"))
    # supervisord looks after its children once a second: one that has failed within it may count as running first.
    # Then the unit gets ready, and the hypervisor fails at the socket that is not there.
    if shown["state"] == "failed":
        assert shown["detail"] == "dependency"
        assert hypervisor_unit(shown)["activeState"] == "inactive"
    assert "/srv/lost/home does not exist" in shown["why"]

    host.nested.run("mkdir", "/srv/lost/home")
    assert host.mvtui("start", name, timeout=60).returncode == 0
    host.wait_for_boot(name)
    assert host.shown(name)["state"] == "running"


@pytest.mark.parametrize(
    ("name", "extra_args", "said"),
    [("no-docs", (), "/srv/no-docs/docs does not exist"), ("bad-argv", ("--no-such-option",), "exit 1")],
)
def test_a_hypervisor_that_ends_at_once_loops(
    host: RealHost, ending: list[str], name: str, extra_args: tuple[str, ...], said: str
) -> None:
    whole = sample(name)
    only_9p = tuple(share for share in whole.shares if share.proto is ShareProto.NINE_P)
    host.add(whole._replace(shares=only_9p), extra_args=extra_args)
    ending.append(name)
    if name == "no-docs":
        host.nested.run("rmdir", "/srv/no-docs/docs")
    host.systemctl("start", "--no-block", f"microvm@{name}.service")
    shown = host.until(name, lambda shown: shown["state"] == "looping")
    assert shown["restarts"] == hypervisor_unit(shown)["nRestarts"] >= 1
    assert said in shown["why"]
    again = host.until(name, lambda again: (again["restarts"] or 0) > shown["restarts"])
    assert again["state"] == "looping"


def test_no_current(host: RealHost, ending: list[str]) -> None:
    """As a first build that failed leaves it. The job of its start is done, and nothing has started."""
    name = host.add(sample("bare"))
    ending.append(name)
    host.nested.run("rm", "/var/lib/microvms/bare/current")
    host.nested.path("/var/lib/microvms/bare/flake").write_text("git+file:///etc/nixos\n")
    started = host.mvtui("start", name, check=False)
    assert started.returncode == 1, started
    assert "current/bin/microvm-run" in started.stderr
    said = "\n".join(host.nested.journal("-u", f"microvm@{name}.service"))
    assert "was skipped because of" in said
    shown = host.shown(name)
    assert shown["state"] == "stopped", shown
    assert "current" in shown["why"]


def test_current_is_dangling(host: RealHost, ending: list[str]) -> None:
    """As garbage collection leaves it."""
    name = host.add(Definition(host_name="collected", shares=(Share("docs", ShareProto.NINE_P, "/srv/collected"),)))
    ending.append(name)
    directory = "/var/lib/microvms/collected"
    host.nested.run("ln", "-sfT", "/nix/store/22222222222222222222222222222222-gone", f"{directory}/current")
    assert host.mvtui("start", name, check=False).returncode == 1
    assert host.shown(name)["state"] == "orphan"

"""Starting, stopping, and what happens to a microVM that runs."""

import json

import pytest

from tests.real.host import Json, RealHost, sample


def unit(shown: Json, kind: str) -> Json:
    found: Json = next(unit for unit in shown["units"] if unit["name"].startswith(f"{kind}@"))
    return found


def home(shown: Json) -> Json:
    found: Json = next(share for share in shown["shares"] if share["tag"] == "home")
    return found


def pids_of(share: Json) -> set[int]:
    return {daemon["pid"] for daemon in share["daemons"]}


@pytest.fixture
def running(host: RealHost, ending: list[str], request: pytest.FixtureRequest) -> str:
    """A microVM with the test's name, started by mvtui, its guest ready."""
    name = host.add(sample(request.node.name.removeprefix("test_").replace("_", "-")[:20]))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    return name


def test_stop_waits_for_all_units(host: RealHost, running: str) -> None:
    stopped = host.mvtui("stop", running)
    units = [f"{kind}@{running}.service" for kind in ("microvm", "microvm-virtiofsd", "microvm-set-booted")]
    assert host.systemctl("is-active", *units, check=False).split() == ["inactive"] * 3, stopped
    directory = host.nested.path(f"/var/lib/microvms/{running}")
    left = {path.name for path in directory.iterdir()}
    assert "booted" not in left
    assert f"{running}.sock" not in left
    assert f"{running}-virtiofs-home.sock" in left
    assert "MVTUI-GUEST ctrl-alt-del" in host.nested.journal("-u", units[0])
    shown = host.shown(running)
    assert shown["state"] == "stopped", shown
    assert [share["health"] for share in shown["shares"]] == ["off"] * 3


def test_restart_boots_again(host: RealHost, running: str) -> None:
    before = host.property(f"microvm@{running}.service", "MainPID")
    host.mvtui("restart", running)
    assert host.property(f"microvm@{running}.service", "MainPID") not in (before, "0")
    host.wait_for_boot(running, 2)
    assert host.shown(running)["state"] == "running"


def test_kill_ends_it_at_once(host: RealHost, running: str) -> None:
    killed = json.loads(host.mvtui("kill", running, "--json").stdout)["results"][0]
    assert killed["ok"], killed
    assert killed["seconds"] < 15
    assert "MVTUI-GUEST ctrl-alt-del" not in host.nested.journal("-u", f"microvm@{running}.service")
    assert host.property(f"microvm@{running}.service", "MainPID") == "0"
    assert host.shown(running)["state"] in ("stopped", "failed")


def test_power_off_within(host: RealHost, running: str) -> None:
    """systemd starts it again: 5 s of auto-restart, then inactive with a queued job, then active."""
    host.power_off_from_within(running)
    host.until(running, lambda shown: unit(shown, "microvm")["activeState"] != "active")
    seen = host.looks_until(running, lambda shown: unit(shown, "microvm")["activeState"] == "active")
    between = [(shown["state"], unit(shown, "microvm")["activeState"], unit(shown, "microvm")["job"]) for shown in seen]
    assert any(active == "inactive" and job is not None for _, active, job in between), between
    assert {state for state, active, _ in between if active != "active"} == {"starting"}, between
    host.wait_for_boot(running, 2)
    shown = host.shown(running)
    assert (shown["state"], unit(shown, "microvm")["nRestarts"]) == ("running", 1)


def test_dead_virtiofsd(host: RealHost, running: str) -> None:
    """Its unit stays active whatever happens to it: that is supervisord."""

    first = pids_of(home(host.shown(running)))
    host.kill(*first)
    # Killed, it is started again, and then waits for a hypervisor that is never going to connect.
    shown = host.until(running, lambda shown: bool(pids_of(home(shown)) - first))
    assert shown["state"] == "degraded"
    assert (home(shown)["health"], home(shown)["connected"]) == ("down", False)
    assert '"home"' in shown["why"]
    assert shown["note"] == "fsd home"
    assert [share["health"] for share in shown["shares"]] == ["up", "down", "up"]
    assert unit(shown, "microvm-virtiofsd")["activeState"] == "active"

    # One whose client leaves ends with exit code 0, and then it is not started again.
    socket = f"UNIX-CONNECT:/var/lib/microvms/{running}/{running}-virtiofs-home.sock"
    host.nested.run("socat", "-u", "/dev/null", socket)
    shown = host.until(running, lambda shown: home(shown)["daemons"] == [])
    assert shown["state"] == "degraded"
    assert home(shown)["health"] == "down"
    assert unit(shown, "microvm-virtiofsd")["activeState"] == "active"

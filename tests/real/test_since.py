"""Since when: told by a look that comes after it happened, from what the real journal has."""

import json
import time
from datetime import datetime

from tests.real.host import DIRECT_STATE_DIR, Json, RealHost, sample, wait_until

DIRECT = ("--manager", "direct", "--state-dir", DIRECT_STATE_DIR)
SECONDS = 5.0


def kill_daemons(host: RealHost, shown: Json, tag: str) -> float:
    """End a share's virtiofsd; when that was."""
    pids = [daemon["pid"] for share in shown["shares"] if share["tag"] == tag for daemon in share["daemons"]]
    at = time.time()
    host.kill(*pids)
    wait_until(lambda: not any(host.nested.path(f"/proc/{pid}").exists() for pid in pids), "it did not end")
    return at


def seconds_between(at: float, since: str | None) -> float:
    """A `since` has whole seconds."""
    assert since is not None
    return datetime.fromisoformat(since).timestamp() - int(at)


def show(host: RealHost, *words: str) -> Json:
    shown: Json = json.loads(host.mvtui(*words, "--json").stdout)
    return shown


def test_a_look_that_comes_later_dates_a_dead_share_and_a_stop(host: RealHost, ending: list[str]) -> None:
    name, never = host.add(sample("late")), host.add(sample("never"))
    ending.append(name)
    host.mvtui("start", name)
    host.wait_for_boot(name)
    first = kill_daemons(host, host.shown(name), "home")
    for shown in (show(host, "show", name), host.shown(name)):
        assert shown["state"] == "degraded", shown
        assert 0 <= seconds_between(first, shown["since"]) <= SECONDS, shown["since"]
        since = {share["tag"]: share["since"] for share in shown["shares"]}
        assert since == {"ro-store": None, "home": shown["since"], "docs": None}

    # supervisord starts another one, to which the hypervisor does not connect: its end does not count.
    another = host.until(name, lambda shown: shown["shares"][1]["daemons"] != [] and time.time() > first + 2)
    kill_daemons(host, another, "home")
    unit = f"microvm-virtiofsd@{name}.service"
    wait_until(lambda: "\n".join(host.nested.journal("-u", unit)).count("exited: virtiofsd-home") == 2, "no word of it")
    assert show(host, "show", name)["since"] == since["home"]

    at = time.time()
    host.mvtui("stop", name)
    assert f"microvm@{name}.service" not in host.systemctl("list-units", "--all", "--plain", "--no-legend", "microvm@*")
    stopped = show(host, "show", name)
    assert (stopped["state"], stopped["units"]) == ("stopped", []), stopped
    assert 0 <= seconds_between(at, stopped["since"]) <= SECONDS + time.time() - at
    assert host.shown(never)["since"] is None, "it never ran"

    # What that run left in the journal is not this one's.
    host.mvtui("start", name)
    host.wait_for_boot(name, 2)
    again = kill_daemons(host, host.shown(name), "home")
    assert 0 <= seconds_between(again, show(host, "show", name)["since"]) <= SECONDS


def test_a_keeper_dates_a_dead_share(host: RealHost) -> None:
    name = host.add(sample("kept"), state_dir=DIRECT_STATE_DIR)
    host.mvtui(*DIRECT, "start", name)
    try:
        host.wait_for_boot(name)
        at = kill_daemons(host, show(host, *DIRECT, "show", name), "home")
        wait_until(lambda: show(host, *DIRECT, "show", name)["state"] == "degraded", "it is not seen")
        shown = show(host, *DIRECT, "show", name)
        assert 0 <= seconds_between(at, shown["since"]) <= SECONDS, shown
    finally:
        host.mvtui(*DIRECT, "kill", name, check=False)

"""What mvtui check finds on the real stack: nothing on a healthy host, the cause where something breaks."""

import json
import time

from mvtui.model.definition import ShareProto
from tests.real.host import Json, RealHost, sample
from tests.real.test_since import kill_daemons

SOON_SECONDS = 3.0


def check(host: RealHost, name: str) -> tuple[int, list[Json]]:
    """The exit code, and the findings of one microVM."""
    done = host.mvtui("check", name, "--json", check=False)
    (checked,) = json.loads(done.stdout)["microvms"]
    return done.returncode, checked["findings"]


def test_a_healthy_microvm_and_one_whose_daemon_is_killed(host: RealHost, ending: list[str]) -> None:
    name = host.add(sample("checked"))
    ending.append(name)
    assert check(host, name)[0] == 0
    host.mvtui("start", name)
    host.wait_for_boot(name)
    code, findings = check(host, name)
    assert code == 0, findings
    killed = kill_daemons(host, host.shown(name), "home")
    code, findings = check(host, name)
    assert time.time() - killed < SOON_SECONDS
    assert (code, findings[0]["note"]) == (2, "fsd home")
    assert findings[0]["fix"].startswith(f"mvtui restart {name}")


def test_a_hypervisor_that_ends_at_every_start_says_why(host: RealHost, ending: list[str]) -> None:
    whole = sample("wrong-argv")
    only_9p = tuple(share for share in whole.shares if share.proto is ShareProto.NINE_P)
    name = host.add(whole._replace(shares=only_9p), extra_args=("--no-such-option",))
    ending.append(name)
    host.systemctl("start", "--no-block", f"microvm@{name}.service")
    host.until(name, lambda shown: shown["state"] == "looping")
    code, findings = check(host, name)
    assert code == 2
    assert "no-such-option" in findings[0]["why"], findings

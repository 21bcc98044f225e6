"""`mvtui list --watch` under a real systemd: a line for each change, soon after it."""

import json
import time

from mvtui.model.unit import UnitKind, unit_name
from tests.real.host import Json, RealHost, sample
from tests.real.test_since import kill_daemons

SOON_SECONDS = 3.0


def test_a_start_a_daemon_that_is_killed_and_a_restart(host: RealHost, ending: list[str]) -> None:
    name = host.add(sample("watched"))
    ending.append(name)
    words = ("-m", "mvtui", "list", "--watch", "--json", name)
    with host.nested.python_running(*words) as watching:
        output = watching.stdout
        assert output is not None

        def until(kind: str, state: str | None = None) -> list[Json]:
            """The objects up to that one."""
            found: list[Json] = []
            while not found or (found[-1]["kind"], found[-1]["state"] if state else None) != (kind, state):
                found.append(json.loads(output.readline()))
            return found

        (first,) = until("list")
        assert [one["state"] for one in first["microvms"]] == ["stopped"]
        host.mvtui("start", name)
        told = until("state", "running")
        jobs = {one["unit"] for one in told if one["kind"] == "job"}
        assert jobs <= {unit_name(kind, name) for kind in UnitKind}  # most last too briefly to be seen each time
        until("guest")
        killed = kill_daemons(host, host.shown(name), "home")
        degraded = until("state", "degraded")[-1]
        assert time.time() - killed < SOON_SECONDS
        assert (degraded["microvm"], degraded["was"]) == (name, "running")
        assert until("finding")[-1]["finding"]["note"] == "fsd home"
        host.mvtui("restart", name)
        assert until("mended")[-1]["finding"]["note"] == "fsd home"
        output.close()  # nobody reads any more
        assert watching.wait(30) == 141

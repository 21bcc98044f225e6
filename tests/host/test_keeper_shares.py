"""When a keeper takes the shares of its microVM to be served."""

import asyncio
import os
import socket

from mvtui.model.unit import UnitKind, UnitVerb
from tests.host.direct_host import (
    HOME,
    OWNER,
    QUICK,
    DirectHost,
    failed_start,
    log,
    serves,
    unit_until,
)

START, STOP, KILL = UnitVerb.START, UnitVerb.STOP, UnitVerb.KILL


async def test_waits_until_every_share_is_served(host: DirectHost) -> None:
    gate = host.folder / "gate"
    waits = f"while [ ! -e {gate} ]; do sleep 0.01; done; exec ./late"
    directory = host.add(scripts={"virtiofsd-run": waits}, shares={"a": ("/", "a.sock"), "b": ("/", "b.sock")})
    (directory / "late").write_text(serves("a.sock", "b.sock"))
    (directory / "late").chmod(0o755)
    start = asyncio.create_task(host.run(START))
    unit = await unit_until(host, UnitKind.VIRTIOFSD, "it waits", "start")
    assert (unit.active_state, unit.settled) == ("activating", False)
    waiting = await host.unit()
    assert waiting is not None
    assert (waiting.active_state, waiting.sub_state) == ("inactive", "dead")
    assert waiting.job is not None
    assert (waiting.job.kind, waiting.settled) == ("start", False)
    gate.touch()
    assert (await start).ok


async def test_sockets_of_an_earlier_run_do_not_count(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": "echo I do nothing; sleep 1000"}, shares=HOME)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(directory / "home.sock"))
        left_behind.listen()
        result = await host.run(START, timings=QUICK._replace(virtiofsd_start=1.5))
    assert result.result == "dependency"
    assert result.words == "web: failed: its shares were not served within 1.5 s: I do nothing"
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert (unit.active_state, unit.result) == ("failed", "timeout")
    hypervisor = await host.unit()
    assert hypervisor is not None
    assert (hypervisor.active_state, hypervisor.settled) == ("inactive", True), "as systemd leaves it"
    assert host.working() == []


async def test_a_socket_without_a_listener_does_not_count(host: DirectHost) -> None:
    bound = serves("home.sock").replace("listener.listen()", "")
    directory = host.add(scripts={"virtiofsd-run": bound}, shares=HOME)
    result = await host.run(START, timings=QUICK._replace(virtiofsd_start=1.5))
    assert (directory / "home.sock").is_socket()
    assert result.result == "dependency"
    assert result.words.startswith("web: failed: its shares were not served within 1.5 s: ")


async def test_a_socket_whose_name_is_a_line_of_the_table_that_makes_no_sense(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(f"\0{host.folder}\nff a b no-number c d e f")
        assert (await host.run(START)).ok


async def test_absolute_socket(host: DirectHost) -> None:
    path = str(host.folder / "away.sock")
    host.add(scripts={"virtiofsd-run": serves(path)}, shares={"home": ("/", path)})
    assert (await host.run(START)).ok


async def test_missing_source(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": "echo no such file >&2; exit 1"}, shares={"home": ("/srv/none", "home.sock")})
    result = await failed_start(host)
    assert result.result == "dependency"
    assert result.words == "web: failed: virtiofsd of share home: source /srv/none does not exist"
    assert log(host).endswith("mvtui: not started: virtiofsd of share home: source /srv/none does not exist\n")
    unit = await host.unit(UnitKind.VIRTIOFSD)
    assert unit is not None
    assert (unit.active_state, unit.result, unit.exec_status) == ("failed", "exit-code", 1)


async def test_virtiofsd_run_that_ends(host: DirectHost) -> None:
    host.add(scripts={"virtiofsd-run": r"printf 'Error: \e[31mno rights\e[0m\n\n'; exit 2"}, shares=HOME)
    result = await failed_start(host)
    assert result.words == "web: failed: virtiofsd-run: exit 2: Error:  [31mno rights [0m"


async def test_supervisord_that_gives_up(host: DirectHost) -> None:
    says = "INFO gave up: virtiofsd-home entered FATAL state, too many start retries too quickly"
    host.add(scripts={"virtiofsd-run": f"echo '{says}'; sleep 1000"}, shares=HOME)
    result = await failed_start(host)
    assert result.words == f"web: failed: virtiofsd of share home does not start: {says}"


async def test_what_an_earlier_supervisord_said_does_not_count(host: DirectHost) -> None:
    directory = host.add(scripts={"virtiofsd-run": serves("home.sock")}, shares=HOME)
    (directory / "virtiofsd.log").write_text("gave up: virtiofsd-home entered FATAL state\n")
    if os.geteuid() == 0:
        os.chown(directory / "virtiofsd.log", *OWNER)
    assert (await host.run(START)).ok

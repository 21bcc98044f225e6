"""Armed resets under the real systemd: whoever starts the microVM, and whatever stands against the reset."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.host import DIRECT_STATE_DIR, SEES_ALL, STATE_DIR, Json, RealHost, wait_until
from tests.real.overlays import IMAGE, on_share, on_volume

RUNTIME = "/run/systemd/system"
DIRECT = ("--manager", "direct", "--state-dir", DIRECT_STATE_DIR)
BUILT = "echo built >/nix/store/built; sync"


def unit(name: str) -> str:
    return f"microvm@{name}.service"


def drop_in(host: RealHost, name: str) -> bool:
    return host.nested.path(f"{RUNTIME}/{unit(name)}.d/50-mvtui-reset.conf").exists()


def armed_words(host: RealHost, name: str) -> dict[str, Json]:
    """What `mvtui show` finds about what is armed, by its note."""
    shown = json.loads(host.mvtui("show", name, "--json").stdout)
    return {finding["note"]: finding for finding in shown["findings"] if finding["subject"] == "arming"}


def resets(host: RealHost, name: str) -> list[str]:
    """What came of each reset, from mvtui's history."""
    lines = host.nested.path("/var/lib/mvtui/history.jsonl").read_text().splitlines()
    changes = [json.loads(line) for line in lines]
    return [change["result"] for change in changes if change["microvm"] == name and "reset" in change["action"]]


def holding(host: RealHost, name: str, state_dir: str = STATE_DIR) -> Path:
    """Where what is set aside and what is to be freed of an overlay are, out here."""
    return host.nested.path(f"{state_dir}/{name}/.mvtui/overlay/{IMAGE}")


def set_aside(host: RealHost, name: str, state_dir: str = STATE_DIR) -> int:
    return len(list(holding(host, name, state_dir).glob("2*.img")))


def rubbish(host: RealHost, name: str, state_dir: str = STATE_DIR) -> list[str]:
    return [path.name for path in holding(host, name, state_dir).glob("freeing.*")]


def leave_much_to_free(host: RealHost, name: str, state_dir: str = STATE_DIR) -> None:
    """What takes seconds to free, as if the process that freed it had been killed."""
    make = (
        "import os, sys; os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3])); os.mkdir(sys.argv[1]); "
        "[os.close(os.open(f'{sys.argv[1]}/{number}', os.O_CREAT | os.O_WRONLY)) for number in range(100_000)]"
    )
    owner = holding(host, name, state_dir).stat()
    folder = f"{state_dir}/{name}/.mvtui/overlay/{IMAGE}/freeing.much"
    host.nested.python("-c", make, folder, str(owner.st_gid), str(owner.st_uid))


@contextlib.contextmanager
def held(host: RealHost, name: str) -> Iterator[int]:
    """While a process of the host, whose pid inside this is, has the image open."""
    script = "import os, signal, sys; file = open(sys.argv[1]); print(os.getpid(), flush=True); signal.pause()"
    with host.nested.python_running("-c", script, f"{STATE_DIR}/{name}/{IMAGE}") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            yield pid
        finally:
            host.kill(pid)


@pytest.fixture
def name(host: RealHost, ending: list[str], request: pytest.FixtureRequest) -> Iterator[str]:
    """A microVM whose guest has written into its overlay, stopped."""
    made = host.add(on_volume(request.node.name.removeprefix("test_").replace("_", "-")[:20].strip("-")))
    ending.append(made)
    host.mvtui("start", made)
    host.wait_for_boot(made)
    host.in_guest(made, BUILT)
    host.mvtui("stop", made)
    yield made
    host.mvtui("arm", made, "--off", check=False)


def test_reboots_from_within(host: RealHost, name: str) -> None:
    """systemd starts it again by itself (Restart=always), each time with an empty overlay."""
    host.systemctl("start", unit(name))
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    host.mvtui("arm", name, "--always")
    assert list(armed_words(host, name)) == ["armed"]
    for boots in (3, 4):
        host.in_guest(name, BUILT)
        host.power_off_from_within(name)
        host.wait_for_boot(name, boots)
        assert host.overlay_at_boot(name) == set()
    assert [words.startswith(f"{name}: the overlay is reset") for words in resets(host, name)] == [True, True]
    assert f"{name}: the overlay is reset" in "\n".join(host.nested.journal("-u", unit(name)))

    host.mvtui("arm", name, "--off")
    assert armed_words(host, name) == {}
    assert not drop_in(host, name)
    host.in_guest(name, BUILT)
    host.power_off_from_within(name)
    host.wait_for_boot(name, 5)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}


def test_what_is_older_is_freed_though_the_microvm_stops(host: RealHost, name: str) -> None:
    """By a unit of its own: what an ExecStartPre= leaves running is the microVM's, and ends with it."""
    free = f"mvtui-free-{name}.service"
    host.mvtui("arm", name, "--always")
    host.systemctl("start", unit(name))
    host.wait_for_boot(name, 2)
    host.in_guest(name, BUILT)
    host.mvtui("stop", name)
    leave_much_to_free(host, name)
    host.systemctl("start", unit(name))
    assert host.property(free, "LoadState") == "loaded", "it is at work"
    host.end(name)
    wait_until(lambda: not rubbish(host, name), "it is not freed", 60)
    wait_until(lambda: host.property(free, "LoadState") == "not-found", "its unit stays")
    assert set_aside(host, name) == 1
    assert "left-over" not in "\n".join(host.nested.journal("-u", unit(name)))
    assert "what was set aside before the newest is freed" in "\n".join(host.nested.journal("-u", free))


def test_what_is_not_armed_says_nothing(host: RealHost, name: str) -> None:
    done = host.mvtui("reset", "--if-armed", name)
    assert (done.stdout, done.stderr) == ("", "")


def test_once_by_systemctl(host: RealHost, name: str) -> None:
    host.mvtui("arm", name, "--once")
    assert drop_in(host, name)
    host.systemctl("start", unit(name))
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()
    assert set_aside(host, name) == 1
    assert armed_words(host, name) == {}
    host.in_guest(name, BUILT)
    host.systemctl("restart", unit(name))
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    assert len(resets(host, name)) == 1


def test_refused_it_starts_all_the_same(host: RealHost, name: str) -> None:
    host.mvtui("arm", name, "--once")
    with held(host, name) as pid:
        host.systemctl("start", unit(name))
        host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    found = armed_words(host, name)
    assert list(found) == ["not reset", "armed"]
    assert f"pid {pid}" in found["not reset"]["why"], found
    assert found["not reset"]["since"] is not None
    host.systemctl("restart", unit(name))
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == set()
    assert armed_words(host, name) == {}


def test_strict_it_does_not_start(host: RealHost, name: str) -> None:
    host.mvtui("arm", name, "--once", "--strict")
    with held(host, name):
        assert host.nested.run("systemctl", "start", unit(name), check=False).returncode != 0
        assert host.property(unit(name), "MainPID") == "0"
        assert host.boots(name) == 1
        assert list(armed_words(host, name)) == ["not reset", "armed"]
    # Restart=always tries again, and then nothing stands against it.
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()
    assert armed_words(host, name) == {}


def test_a_microvm_that_loops_keeps_what_was_set_aside(host: RealHost, name: str) -> None:
    """Each of its starts runs the armed reset, but the blank overlay that no guest has used stays as it is."""
    host.mvtui("arm", name, "--always")
    docs = f"/srv/{name}/docs"
    host.nested.run("mv", docs, f"{docs}-away")
    host.systemctl("start", unit(name))
    wait_until(lambda: int(host.property(unit(name), "NRestarts")) >= 2, "it does not loop")
    host.nested.run("mv", f"{docs}-away", docs)
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()
    assert set_aside(host, name) == 1
    assert len(resets(host, name)) == 1
    host.mvtui("stop", name)
    host.mvtui("restore", name)
    host.mvtui("arm", name, "--off")
    host.mvtui("start", name)
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == {"built", "from-guest"}


def test_the_hosts_own_configuration(host: RealHost, name: str) -> None:
    """As on NixOS; and a drop-in beside it, from before: one reset in each start."""
    host.mvtui("arm", name, "--always")
    assert drop_in(host, name)
    program = f"{sys.executable} -P -m mvtui"
    host.drop_in(unit(name), f"[Service]\nExecStartPre=-+{program} reset --if-armed -- %i\n")
    host.systemctl("start", unit(name))
    host.wait_for_boot(name, 2)
    assert host.overlay_at_boot(name) == set()
    assert len(resets(host, name)) == 1
    assert "had its turn within this start" in "\n".join(host.nested.journal("-u", unit(name)))

    host.mvtui("arm", name, "--off")
    armed = json.loads(host.mvtui("arm", name, "--always", "--json").stdout)["resets"][0]
    assert "the host's own configuration runs it" in armed["hint"]
    assert not drop_in(host, name)
    assert list(armed_words(host, name)) == ["armed"]
    host.in_guest(name, BUILT)
    host.power_off_from_within(name)
    host.wait_for_boot(name, 3)
    assert host.overlay_at_boot(name) == set()
    assert len(resets(host, name)) == 2


def test_after_a_boot_of_the_host(host: RealHost, name: str) -> None:
    host.mvtui("arm", name, "--always")
    host.nested.run("rm", "-r", f"{RUNTIME}/{unit(name)}.d")
    host.systemctl("daemon-reload")
    found = armed_words(host, name)
    assert list(found) == ["arm again", "armed"]
    assert "went with the last boot" in found["arm again"]["why"]
    host.mvtui("arm", name, "--always")
    assert list(armed_words(host, name)) == ["armed"]


def test_a_bus_that_hangs(host: RealHost, name: str) -> None:
    """systemctl goes its own way (/run/systemd/private), as systemd does when it restarts a microVM."""
    host.mvtui("arm", name, "--once")
    daemon = int(host.property("dbus.service", "MainPID"))
    host.nested.run("sh", "-c", f"kill -STOP {daemon}")
    try:
        host.systemctl("start", "--no-block", unit(name))
        host.wait_for_boot(name, 2)
    finally:
        host.nested.run("sh", "-c", f"kill -CONT {daemon}")
    assert host.overlay_at_boot(name) == {"built", "from-guest"}
    found = armed_words(host, name)
    assert "not answer" in found["not reset"]["why"], found


@pytest.mark.parametrize("name", ["dash-ed.and_so:on", "at@sign"])
def test_what_systemd_reads(host: RealHost, ending: list[str], name: str) -> None:
    """The instance as the directory is named, whatever systemd-escape would make of it."""
    ending.append(host.add(on_volume(name)))
    host.mvtui("arm", name, "--always")
    commands = host.property(unit(name), "ExecStartPre")
    assert f"-- {name} ;" in commands, commands
    assert f"--state-dir {STATE_DIR} " in commands, commands
    assert unit(name) in host.property(unit(name), "DropInPaths")
    host.mvtui("arm", name, "--off")
    assert host.property(unit(name), "ExecStartPre") == ""


def test_a_place_that_systemd_does_not_read(host: RealHost, ending: list[str]) -> None:
    """This systemd has a unit path of its own, without /etc/systemd/system."""
    name = host.add(on_volume("unread"))
    ending.append(name)
    refused = host.mvtui("arm", name, "--always", "--persistent", check=False)
    assert refused.returncode == 1, refused
    assert f"systemd does not run what is in /etc/systemd/system/{unit(name)}.d/" in refused.stderr
    assert not host.nested.path(f"/etc/systemd/system/{unit(name)}.d").exists()
    assert armed_words(host, name) == {}


def test_an_overlay_on_a_share(host: RealHost, ending: list[str]) -> None:
    """Its virtiofsd runs already when the armed reset has its turn. Directories know no lease: the command must see
    every process, and takes the processes inside for all there are."""
    name = host.add(on_share("armed-share"))
    ending.append(name)
    host.nested.run("chown", "root:root", f"/srv/{name}/overlay")  # as what virtiofsd makes in it
    host.mvtui("start", name)
    host.wait_for_boot(name)
    program = host.nested.path("/usr/local/bin/mvtui-that-sees-all")
    program.write_text(f"#!{sys.executable} -P\n{SEES_ALL}\n")
    program.chmod(0o755)
    host.drop_in(unit(name), "[Service]\nExecStartPre=-+/usr/local/bin/mvtui-that-sees-all reset --if-armed -- %i\n")
    host.mvtui("arm", name, "--always")
    for boots in (2, 3):
        host.in_guest(name, BUILT)
        if boots == 2:
            host.power_off_from_within(name)
        else:
            host.systemctl("restart", unit(name))
        host.wait_for_boot(name, boots)
        assert host.overlay_at_boot(name) == set(), armed_words(host, name)
    host.mvtui("arm", name, "--off")


def test_without_systemd(host: RealHost) -> None:
    name = host.add(on_volume("armed-alone"), state_dir=DIRECT_STATE_DIR)
    host.mvtui(*DIRECT, "start", name)
    try:
        host.wait_for_boot(name)
        host.mvtui(*DIRECT, "arm", name, "--once")
        for boots, held_at_boot in ((2, set()), (3, {"built", "from-guest"})):
            host.in_guest(name, BUILT)
            host.power_off_from_within(name)
            host.wait_for_boot(name, boots)
            assert host.overlay_at_boot(name) == held_at_boot
    finally:
        host.mvtui(*DIRECT, "kill", name, check=False)


def test_what_is_older_is_freed_without_systemd(host: RealHost) -> None:
    """Its keeper kills what has run away from the microVM, and not what frees."""
    name = host.add(on_volume("freed-alone"), state_dir=DIRECT_STATE_DIR)
    try:
        for boots in (1, 2):
            host.mvtui(*DIRECT, "start", name)
            host.wait_for_boot(name, boots)
            host.in_guest(name, BUILT)
            host.mvtui(*DIRECT, "stop", name)
            host.mvtui(*DIRECT, "arm", name, "--always")
        leave_much_to_free(host, name, DIRECT_STATE_DIR)
        host.mvtui(*DIRECT, "start", name)
    finally:
        host.mvtui(*DIRECT, "kill", name, check=False)
    wait_until(lambda: not rubbish(host, name, DIRECT_STATE_DIR), "it is not freed", 60)
    assert set_aside(host, name, DIRECT_STATE_DIR) == 1

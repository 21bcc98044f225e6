"""A reset behind the real sudo, as the panel of a person without root's rights runs it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.host import STATE_DIR, RealHost
from tests.real.nested import CHECKOUT
from tests.real.overlays import IMAGE, stopped
from tests.real.packages import program

# As that user, on a terminal of its own, which answers each request for a password with the next word.
ON_A_TERMINAL = """
import asyncio, contextlib, json, os, pty, sys
from mvtui.operations.hosts import open_host
from mvtui.operations.lifecycle import sudo_argv
from mvtui.ui import sudo
name, *passwords = sys.argv[1:]

@contextlib.contextmanager
def suspended():
    print("lent", flush=True)
    yield

child, terminal = pty.fork()
if child == 0:
    argv = sudo_argv(open_host(manager="systemd"), "reset", name, "--yes")
    print(json.dumps(asyncio.run(sudo.run(argv, suspended))), flush=True)
    os._exit(0)
said = b""
with contextlib.suppress(OSError):
    while more := os.read(terminal, 4096):
        said += more
        if b"assword" in more:
            os.write(terminal, passwords.pop(0).encode() + b"\\n")
sys.stdout.write(said.decode())
"""


@pytest.fixture(scope="module", autouse=True)
def people(host: RealHost) -> Iterator[None]:
    """alice gives a password, bob need not, carol may not. They reach Python and mvtui wherever those are."""
    program("sudo", "sudo")
    for path in {*Path(sys.base_prefix).parents, *CHECKOUT.parents}:
        host.nested.run("chmod", "o+x", str(path), check=False)
    lines = "alice ALL=(ALL) ALL\nbob ALL=(ALL) NOPASSWD: ALL\n"
    host.nested.run("sh", "-c", "umask 0337; mkdir -p -m 0755 /etc/sudoers.d; cat >/etc/sudoers.d/people", stdin=lines)
    for name in ("alice", "bob", "carol"):
        host.nested.run("useradd", name)
    host.nested.run("chpasswd", stdin="alice:secret\ncarol:secret\n")
    yield
    for name in ("alice", "bob", "carol"):
        host.nested.run("userdel", name)


def resets(host: RealHost, user: str, name: str, *passwords: str) -> tuple[list[str], bool, str]:
    """What stood on the terminal while it was lent, and what the panel then says."""
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
    ran = host.nested.run(*as_user, sys.executable, "-P", "-c", ON_A_TERMINAL, name, *passwords, timeout=60)
    *shown, end = ran.stdout.splitlines()
    # Where sudo failed, the terminal is mended first; that ends with its cursor.
    ok, words = json.loads(end.rpartition("\x1b[?25h")[2])
    return shown, ok, words


def is_reset(host: RealHost, name: str) -> bool:
    return host.nested.path(f"{STATE_DIR}/{name}/.mvtui/overlay/{IMAGE}").exists()


def test_without_a_password(host: RealHost) -> None:
    name = stopped(host, "for-bob")
    shown, ok, words = resets(host, "bob", name)
    assert (shown, ok) == ([], True)
    assert words.startswith(f"{name}: the overlay is reset, ")
    assert words.endswith(f"are set aside  mvtui restore {name} brings it back")
    assert is_reset(host, name)
    assert host.nested.path(f"{STATE_DIR}/{name}/{IMAGE}").stat().st_uid != 0
    history = host.nested.path("/var/lib/mvtui/history.jsonl").read_text().splitlines()
    assert [json.loads(line)["user"] for line in history if json.loads(line)["microvm"] == name] == ["bob"]


def test_with_a_password_at_the_second_try(host: RealHost) -> None:
    name = stopped(host, "for-alice")
    shown, ok, words = resets(host, "alice", name, "wrong", "secret")
    assert shown[0] == "lent"
    assert "Sorry, try again." in shown
    assert (ok, words.partition(", ")[0]) == (True, f"{name}: the overlay is reset")
    assert is_reset(host, name)


def test_one_who_may_not(host: RealHost) -> None:
    name = stopped(host, "for-carol")
    _, ok, words = resets(host, "carol", name, "secret")
    assert (ok, "carol is not in the sudoers file" in words) == (False, True)
    assert not is_reset(host, name)

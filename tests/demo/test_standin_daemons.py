"""The stand-ins of virtiofsd and supervisord do what is seen of these from outside."""

import contextlib
import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from tests.demo.demo_folder import until
from tests.demo.standin_process import connect, run, said


def virtiofsd(tmp_path: Path, *more: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    arguments = [
        "--socket-path=s.sock",
        f"--shared-dir={tmp_path}",
        "--thread-pool-size",
        "2",
        "--posix-acl",
        "--xattr",
    ]
    return run("virtiofsd", *arguments, "--cache=auto", "--inode-file-handles=prefer", *more, cwd=tmp_path)


def test_virtiofsd_serves_one_hypervisor_and_ends(tmp_path: Path) -> None:
    with virtiofsd(tmp_path) as daemon:
        with socket.socket(socket.AF_UNIX) as hypervisor, open(os.devnull) as null:
            connect(hypervisor, tmp_path / "s.sock")
            # As QEMU asks: features, protocol features, and messages that bring descriptors and want no answer.
            assert handshake(hypervisor, 1) == 1 << 32 | 1 << 30
            assert handshake(hypervisor, 15) == 0
            socket.send_fds(hypervisor, [struct.pack("<3IQ", 13, 1, 8, 0)], [null.fileno()])
            assert handshake(hypervisor, 1) == 1 << 32 | 1 << 30
        assert "Client disconnected" in said(daemon)
    assert daemon.returncode == 0
    assert not (tmp_path / "s.sock").exists()


def handshake(hypervisor: socket.socket, request: int) -> int:
    hypervisor.sendall(struct.pack("<3I", request, 1, 0))
    answered, flags, size, value = struct.unpack("<3IQ", hypervisor.recv(20, socket.MSG_WAITALL))
    assert (answered, flags, size) == (request, 5, 8)
    return int(value)


def test_virtiofsd_locks_its_pid_file(tmp_path: Path) -> None:
    with virtiofsd(tmp_path) as first:
        until((tmp_path / "s.sock").exists, "no socket")
        assert (tmp_path / "s.sock.pid").read_text() == f"{first.pid}\n"
        with virtiofsd(tmp_path) as second:
            assert "Error creating pid file 's.sock.pid'" in said(second)
        assert second.returncode == 1


def test_virtiofsd_is_two_processes_as_root_and_one_otherwise(tmp_path: Path) -> None:
    with virtiofsd(tmp_path) as daemon:
        assert daemon.stdout is not None
        assert "Waiting for vhost-user socket connection" in daemon.stdout.readline()
        children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
        assert len(children) == (1 if os.geteuid() == 0 else 0)
        daemon.kill()
        daemon.wait()
        until(lambda: all(ended(int(pid)) for pid in children), "the child outlives its parent")


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--shared-dir=/does/not/exist"], "/does/not/exist does not exist"),
        (["--socket-group=no-such-group"], "Couldn't resolve the group name"),
        (["--socket-path=none/s.sock"], "Error creating pid file 'none/s.sock.pid'"),
    ],
)
def test_virtiofsd_says_why_it_does_not_start(tmp_path: Path, arguments: list[str], why: str) -> None:
    with virtiofsd(tmp_path, *arguments) as daemon:
        assert why in said(daemon)
    assert daemon.returncode == 1


def supervisord(tmp_path: Path, **programs: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    text = "[supervisord]\nnodaemon=true\n[eventlistener:notify]\ncommand=/does/not/exist\n"
    text += "".join(f"[program:{name}]\ncommand={command}\n" for name, command in programs.items())
    (tmp_path / "supervisord.conf").write_text(text)
    arguments = ["--configuration", str(tmp_path / "supervisord.conf"), "--logfile", "/dev/null", "--pidfile", "x"]
    return run("supervisord", *arguments, cwd=tmp_path)


def lines_until(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if wanted in line:
            return text
    raise AssertionError(f"never said {wanted!r}: {text}")


def test_supervisord_ends_its_programs(tmp_path: Path) -> None:
    with supervisord(tmp_path, a="sleep 1000", b="sleep 1000") as daemon:
        lines_until(daemon, "success: a entered RUNNING state")
        daemon.terminate()
        text = said(daemon)
    assert "stopped: a" in text
    assert "stopped: b" in text
    assert daemon.returncode == 0


def test_supervisord_leaves_alone_what_ended_as_expected_and_restarts_the_rest(tmp_path: Path) -> None:
    with supervisord(tmp_path, fine="sleep 1.2", bad="sh -c 'sleep 1.2; exit 3'") as daemon:
        text = lines_until(daemon, "exited: bad (exit status 3; not expected)")
        text += lines_until(daemon, "spawned: 'bad'")
        if "exited: fine" not in text:
            text += lines_until(daemon, "exited: fine")
        daemon.terminate()
        text += said(daemon)
    assert "exited: fine (exit status 0; expected)" in text
    assert text.count("spawned: 'fine'") == 1


def test_supervisord_gives_up(tmp_path: Path) -> None:
    with supervisord(tmp_path, bad="sh -c 'echo tried; exit 1'") as daemon:
        text = lines_until(daemon, "gave up: bad entered FATAL state, too many start retries too quickly")
        assert text.count("tried\n") == 4
        daemon.terminate()
        assert daemon.wait(20) == 0


def test_supervisord_without_a_configuration(tmp_path: Path) -> None:
    with run("supervisord", "--configuration", "none.conf", cwd=tmp_path) as daemon:
        assert "none.conf" in said(daemon)
    assert daemon.returncode == 2

"""The runner packages that mvtui builds: their layout, and scripts that bash and supervisord can run."""

import configparser
import os
import socket
import subprocess
from pathlib import Path

import pytest

from mvtui.demo.runner_tools import Tools
from mvtui.demo.runners import build_runner, with_defaults
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import build, sample

EVERY = pytest.mark.parametrize("hypervisor", Hypervisor)


@EVERY
def test_the_layout_is_that_of_microvm_nix(hypervisor: Hypervisor, tmp_path: Path) -> None:
    runner = build(sample(hypervisor), tmp_path / "runner")

    scripts = {"microvm-run"}
    if hypervisor not in (Hypervisor.KVMTOOL, Hypervisor.STRATOVIRT, Hypervisor.ALIOTH):
        scripts.add("microvm-shutdown")
    virtiofs = hypervisor not in (Hypervisor.KVMTOOL, Hypervisor.FIRECRACKER)
    assert set(os.listdir(runner / "bin")) == scripts | ({"virtiofsd-run"} if virtiofs else set())
    for script in (runner / "bin").iterdir():
        assert script.is_symlink()
        assert os.access(script, os.X_OK)
    facts = runner / "share/microvm"
    assert (facts / "hypervisor").read_text() == f"{hypervisor}\n"
    assert (facts / "vsock-cid").read_text() == "7\n"
    assert (facts / "system").is_symlink() == virtiofs
    if virtiofs:
        assert (facts / "system/etc/fstab").is_file()
        assert sorted(os.listdir(facts / "virtiofs")) == ["data", "home", "ro-store"]
        assert (facts / "virtiofs/home/source").read_text() == "/srv/it's mine\n"
        assert (facts / "virtiofs/home/socket").read_text() == "web-1-virtiofs-home.sock\n"


@EVERY
def test_bash_reads_every_script(hypervisor: Hypervisor, tmp_path: Path) -> None:
    runner = build(sample(hypervisor), tmp_path / "runner")
    scripts = [*(runner / "bin").iterdir(), *tmp_path.glob("runner-virtiofsd-*[!f]")]

    assert len(scripts) > 0
    for script in scripts:
        checked = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def program(path: Path, text: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_microvm_run_makes_volumes_once_and_becomes_the_hypervisor(tmp_path: Path) -> None:
    tools_dir, state = tmp_path / "tools", tmp_path / "state"
    tools_dir.mkdir()
    state.mkdir()
    hypervisor = program(tools_dir / "qemu-system-x86_64", 'printf "%s\\n" "$@" > arguments')
    program(tools_dir / "mkfs.ext4", 'printf "%s\\n" "$@" >> made')
    path = ("/usr/bin", "/bin", str(tools_dir))
    spec = Definition(
        host_name="a",
        shares=(Share("docs", ShareProto.NINE_P, "/srv/it's here", "/docs"),),
        volumes=(
            Volume("a b.img", size=3, label="my label", mkfs_extra_args=("-O", "^x y")),
            Volume("b", auto_create=False),
        ),
    )
    runner = build_runner(
        spec, tmp_path / "runner", Tools(hypervisor=hypervisor, mkfs_path=path, extra_args=("-end", "a 'b'"))
    )

    for _ in range(2):
        subprocess.run([runner / "bin/microvm-run"], cwd=state, check=True, env={"PATH": "/usr/bin:/bin"})

    assert (state / "a b.img").stat().st_size == 3 << 20
    assert (state / "made").read_text().split("\n") == ["-L", "my label", "-O", "^x y", "a b.img", ""]
    arguments = (state / "arguments").read_text().split("\n")
    assert arguments[:2] == ["-name", "a"]
    assert arguments[-3:] == ["-end", "a 'b'", ""]
    assert "local,id=fs0,path=/srv/it's here,security_model=none,readonly=false" in arguments
    assert not (state / "b").exists()


def test_a_virtiofsd_wrapper_passes_what_the_share_says(tmp_path: Path) -> None:
    virtiofsd = program(tmp_path / "virtiofsd", 'printf "%s\\n" "$@" > arguments')
    share = Share("home", ShareProto.VIRTIOFS, "/srv/it's", "/home", socket="a b.sock", read_only=True, cache="never")
    tools = Tools(hypervisor="crosvm", virtiofsd=virtiofsd, socket_group=None, virtiofsd_args=("--announce",))
    build_runner(Definition(hypervisor=Hypervisor.CROSVM, shares=(share,)), tmp_path / "runner", tools)

    subprocess.run([tmp_path / "runner-virtiofsd-home"], cwd=tmp_path, check=True)

    arguments = [a for a in (tmp_path / "arguments").read_text().split("\n") if a not in ("--rlimit-nofile", "1048576")]
    assert arguments[0:2] == ["--socket-path=a b.sock", "--shared-dir=/srv/it's"]
    assert arguments[4:] == [
        "--posix-acl",
        "--xattr",
        "--cache=never",
        "--inode-file-handles=prefer",
        "--tag=home",
        "--readonly",
        "--announce",
        "",
    ]


def test_virtiofsd_run_gives_supervisord_a_program_for_each_share(tmp_path: Path) -> None:
    supervisord = program(tmp_path / "supervisord", 'printf "%s\\n" "$@" > arguments')
    tools = Tools(hypervisor="q", supervisord=supervisord, supervisord_user=None)
    runner = build_runner(sample(Hypervisor.QEMU), tmp_path / "runner", tools)

    subprocess.run([runner / "bin/virtiofsd-run", "--more"], cwd=tmp_path, check=True)

    _, config, more, _ = (tmp_path / "arguments").read_text().split("\n")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    assert more == "--more"
    assert parser.sections() == [
        "eventlistener:notify",
        "program:virtiofsd-data",
        "program:virtiofsd-home",
        "program:virtiofsd-ro-store",
        "supervisord",
    ]
    assert dict(parser["supervisord"]) == {"nodaemon": "true"}
    for name in parser.sections()[:4]:
        assert os.access(parser[name]["command"], os.X_OK)


def test_the_event_handler_reports_when_all_processes_run(tmp_path: Path) -> None:
    build_runner(sample(Hypervisor.QEMU), tmp_path / "runner", Tools(hypervisor="q"))
    address = str(tmp_path / "n")
    event = "eventname:PROCESS_STATE_{} len:4\nbody"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(address)
        notified.setblocking(False)
        for events, told in (
            (["RUNNING"] * 3, []),
            (["RUNNING"] * 4, [b"READY=1"]),
            (["RUNNING"] * 3 + ["EXITED"], []),
        ):
            subprocess.run(
                [tmp_path / "runner-event-handler"],
                input="".join(event.format(name) for name in events),
                env={"NOTIFY_SOCKET": address},
                text=True,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            received = []
            while True:
                try:
                    received.append(notified.recv(100))
                except BlockingIOError:
                    break
            assert received == told


def test_a_shutdown_without_a_socket_has_nothing_to_do(tmp_path: Path) -> None:
    runner = build(Definition(), tmp_path / "runner")

    subprocess.run([runner / "bin/microvm-shutdown"], cwd=tmp_path, check=True)


def test_without_a_control_socket_there_is_no_shutdown(tmp_path: Path) -> None:
    runner = build(Definition(socket=""), tmp_path / "runner")

    assert os.listdir(runner / "bin") == ["microvm-run"]


def test_tcg_is_asked_for_as_microvm_nix_does(tmp_path: Path) -> None:
    tools = Tools(hypervisor="qemu-system-x86_64", cpu="max", machine_opts={"accel": "tcg"}, kernel_params=("quiet",))
    text = (build_runner(Definition(host_name="a"), tmp_path / "r", tools) / "bin/microvm-run").read_text()

    assert "-enable-kvm" not in text
    assert "-cpu max" in text
    assert "'microvm,accel=tcg,acpi=on,mem-merge=on,pcie=off,pic=off,pit=off,rtc=on,usb=off'" in text
    assert f"panic=-1 quiet init={tmp_path}/r-system/init'" in text


def test_links_are_written_for_the_store_that_the_scripts_will_see(tmp_path: Path) -> None:
    runner = build(sample(Hypervisor.QEMU), tmp_path / "1-runner", store="/nix/store")

    assert os.readlink(runner / "bin/microvm-run") == "/nix/store/1-runner-microvm-run"
    assert os.readlink(runner / "share/microvm/system") == "/nix/store/1-runner-system"
    assert str(tmp_path) not in (tmp_path / "1-runner-virtiofsd-run").read_text()


def test_defaults_are_those_of_microvm_nix() -> None:
    definition = with_defaults(
        Definition(shares=(Share("t", ShareProto.VIRTIOFS, "/nix/store"),), volumes=(Volume("i"),))
    )

    assert (definition.hypervisor, definition.mem, definition.vcpu) == (Hypervisor.QEMU, 512, 1)
    assert definition.store_on_disk is False
    assert definition.shares[0].socket == "microvm-virtiofs-t.sock"
    assert (definition.volumes[0].letter, definition.volumes[0].fs_type) == ("a", "ext4")
    assert with_defaults(definition) == definition
    assert with_defaults(definition._replace(shares=())).volumes[0].letter == "a"
    assert with_defaults(Definition(volumes=(Volume("i"),))).volumes[0].letter == "b"

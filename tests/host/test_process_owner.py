import pytest

from mvtui.host.process_owner import Owner, manager_root, microvm_of_directory, owner_by_cgroup
from mvtui.host.process_programs import is_part_of_microvm, is_virtiofsd, serves_shares

WEB = Owner("web", "microvm@web.service")


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        # version 2
        ("0::/system.slice/system-microvm.slice/microvm@web.service\n", WEB),
        ("0::/system.slice/system-microvm.slice/microvm@web.service/supervised\n", WEB),
        ("0::/another-system/system.slice/system-microvm.slice/microvm@web.service\n", None),
        # version 1, and both
        ("12:pids:/system.slice\n1:name=systemd:/system.slice/microvm@web.service\n", WEB),
        ("1:name=systemd:/system.slice/microvm@web.service\n0::/system.slice/microvm@web.service\n", WEB),
        ("1:name=systemd:/\n0::/nested.slice/microvm@web.service\n", WEB),
        ("3:cpu,cpuacct:/microvm@other.service\n0::/system.slice/microvm@web.service\n", WEB),
        # the other units
        (
            r"0::/system.slice/system-microvm\x2dvirtiofsd.slice/microvm-virtiofsd@a-b.service",
            Owner("a-b", "microvm-virtiofsd@a-b.service"),
        ),
        ("0::/system.slice/microvm-tap-interfaces@db.service", Owner("db", "microvm-tap-interfaces@db.service")),
        ("0::/system.slice/install-microvm-db.service", Owner("db", "install-microvm-db.service")),
        (
            r"0::/system.slice/microvm@db\x5bprod\x5d.service",
            Owner(r"db\x5bprod\x5d", r"microvm@db\x5bprod\x5d.service"),
        ),
        ("0::/system.slice/microvm@a:b.service", Owner("a:b", "microvm@a:b.service")),
        # systemd's escape
        ("0::/system.slice/_microvm@web.service", WEB),
        # none of them
        ("", None),
        ("0::/\n", None),
        ("garbage", None),
        ("0::/init.scope", None),
        ("0::/system.slice/microvm@.service", None),
        ("0::/system.slice/sshd.service", None),
        ("0::/system.slice/microvm@web.socket", None),
        ("4:memory:/system.slice/microvm@web.service\n", None),
        # somebody else's systemd
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/microvm@web.service", None),
        ("0::/machine.slice/machine-guest.scope/payload/system.slice/microvm@web.service", None),
    ],
)
def test_owner_by_cgroup(text: str, owner: Owner | None) -> None:
    assert owner_by_cgroup(text) == owner


def test_owner_seen_from_within_a_container() -> None:
    root = manager_root("0::/docker/0123/init.scope\n")
    assert owner_by_cgroup("0::/docker/0123/system.slice/system-microvm.slice/microvm@web.service\n", root) == WEB
    assert owner_by_cgroup("0::/system.slice/system-microvm.slice/microvm@web.service\n", root) is None


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("0::/init.scope\n", ""),
        ("0::/\n", ""),
        ("", ""),
        ("1:name=systemd:/init.scope\n0::/init.scope\n", ""),
        ("0::/lxc/web/init.scope\n", "/lxc/web"),
    ],
)
def test_manager_root(text: str, root: str) -> None:
    assert manager_root(text) == root


@pytest.mark.parametrize(
    ("directory", "microvm"),
    [
        ("/var/lib/microvms/web", "web"),
        ("/var/lib/microvms/web/sub/sub", "web"),
        ("/var/lib/microvms/db[prod]", "db[prod]"),
        ("/var/lib/microvms/a\nb", "a\nb"),
        ("/var/lib/microvms", None),
        ("/var/lib/microvms/", None),
        ("/var/lib/microvms/.cache", None),
        ("/var/lib/microvms2/web", None),
        ("/", None),
        ("", None),
    ],
)
def test_microvm_of_directory(directory: str, microvm: str | None) -> None:
    assert microvm_of_directory(directory, "/var/lib/microvms") == microvm


STORE = "/nix/store/abc"


@pytest.mark.parametrize(
    ("exe", "argv"),
    [
        (f"{STORE}-qemu/bin/qemu-system-x86_64", ["microvm@web", "-name", "web"]),
        (f"{STORE}-qemu/bin/qemu-system-x86_64", ["qemu"]),
        (f"{STORE}-qemu/bin/.qemu-system-aarch64-wrapped", ["x"]),
        (None, ["microvm@web", "-name", "web"]),
        (None, [f"{STORE}/bin/cloud-hypervisor", "--api-socket", "web.sock"]),
        (f"{STORE}/bin/firecracker", []),
        (f"{STORE}/bin/crosvm", ["crosvm", "run"]),
        (f"{STORE}/bin/lkvm", ["lkvm", "run"]),
        (f"{STORE}/bin/stratovirt", ["stratovirt"]),
        (f"{STORE}/bin/alioth", ["alioth", "run"]),
        (f"{STORE}/bin/virtiofsd", ["virtiofsd", "--socket-path=a"]),
        (f"{STORE}-python3/bin/python3.13", ["python3", f"{STORE}/bin/.supervisord-wrapped", "--configuration", "x"]),
        ("/usr/bin/python3.11", ["python3", "/tools/virtiofsd", "--socket-path=a"]),
        (f"{STORE}-bash/bin/bash", [f"{STORE}-bash/bin/bash", "/var/lib/microvms/web/current/bin/microvm-run"]),
        (f"{STORE}-bash/bin/bash", ["bash", f"{STORE}-microvm-web-microvm-run"]),
        (f"{STORE}-bash/bin/bash", ["bash", "current/bin/virtiofsd-run"]),
        ("/bin/dash", ["sh", "booted/bin/microvm-shutdown"]),
        ("/usr/bin/tclsh8.6", ["microvm@web", "-p"]),
    ],
)
def test_what_is_part_of_a_microvm(exe: str | None, argv: list[str]) -> None:
    assert is_part_of_microvm(exe, argv)


@pytest.mark.parametrize(
    ("exe", "argv"),
    [
        ("/bin/bash", ["-bash"]),
        ("/bin/bash", ["bash", "-c", "microvm-run"]),
        ("/usr/bin/vim", ["vim", "current/bin/microvm-run"]),
        ("/usr/bin/less", ["less", "virtiofsd"]),
        ("/usr/bin/tail", ["tail", "-f", "microvm@web"]),
        ("/usr/bin/python3", ["python3", "-m", "mvtui"]),
        ("/usr/bin/python3", ["python3", "/usr/bin/mvtui", "start", "web"]),
        ("/usr/bin/qemu-img", ["qemu-img", "info", "web.img"]),
        ("/usr/bin/socat", ["socat"]),
        ("", []),
        (None, []),
    ],
)
def test_what_only_stands_in_its_directory(exe: str | None, argv: list[str]) -> None:
    assert not is_part_of_microvm(exe, argv)


def test_is_virtiofsd() -> None:
    assert is_virtiofsd(f"{STORE}/bin/virtiofsd", ["virtiofsd"])
    assert is_virtiofsd("/usr/bin/python3", ["python3", "/x/virtiofsd"])
    assert not is_virtiofsd("/usr/bin/python3", ["python3", "/x/supervisord", "virtiofsd"])
    assert not is_virtiofsd(None, ["microvm@virtiofsd"])


@pytest.mark.parametrize(
    ("argv", "serves"),
    [
        (["virtiofsd", "--socket-path=a"], True),
        (["python3", f"{STORE}/bin/.supervisord-wrapped"], True),
        (["bash", f"{STORE}-microvm-web-virtiofsd-run"], True),
        (["bash", f"{STORE}-microvm-web-microvm-run"], False),
        (["less", "virtiofsd.log"], False),
        (["vim", "virtiofsd-run"], False),
        (["microvm@web"], False),
        ([""], False),
    ],
)
def test_serves_shares(argv: list[str], serves: bool) -> None:
    assert serves_shares(None, argv) is serves

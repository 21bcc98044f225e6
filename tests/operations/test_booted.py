"""What runs: the live command lines first, completed by the runner that they came from."""

import pytest

from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.operations.booted import booted_definition, daemons_of, hypervisor_of
from tests.fakes import process
from tests.operations.sample import QEMU, VIRTIOFSD, WEB

RUNNER = Definition(
    host_name="web",
    shares=(Share("ro-store", ShareProto.VIRTIOFS, mount_point="/nix/.ro-store", socket="web-virtiofs-ro-store.sock"),),
    volumes=(Volume("nix-store-overlay.img", mount_point="/nix/.rw-store", size=64, read_only=True),),
    writable_store_overlay="/nix/.rw-store",
    fstab_read=True,
)


def booted(runner: Definition | None) -> Definition:
    daemons = daemons_of([process(90, "web", *VIRTIOFSD)])
    return booted_definition(process(100, "web", *QEMU), daemons, runner, lambda path: None)


def test_without_a_runner_only_what_the_command_lines_tell() -> None:
    live = booted(None)
    assert (live.mem, live.shares[0].source, live.shares[0].mount_point) == (512, "/nix/store", None)
    assert live.fstab_read is False


def test_the_runner_fills_what_no_command_line_tells() -> None:
    live = booted(RUNNER)
    assert live.shares[0].mount_point == "/nix/.ro-store"
    assert (live.volumes[0].mount_point, live.volumes[0].size) == ("/nix/.rw-store", 64)
    assert live.writable_store_overlay == "/nix/.rw-store"
    assert live.fstab_read


def test_the_runner_never_overrides_a_command_line() -> None:
    assert booted(RUNNER).volumes[0].read_only is False


def test_a_share_that_the_runner_does_not_have_stays() -> None:
    assert [share.tag for share in booted(RUNNER).shares] == ["ro-store", "docs"]


def test_firecracker_whose_configuration_can_t_be_read_has_the_runner_s_volumes() -> None:
    argv = ("microvm@web", "--config-file", "/nix/store/firecracker-web.json", "--api-sock", "web.sock")
    live = booted_definition(process(100, "web", *argv), (), RUNNER, lambda path: None)
    assert live.volumes == RUNNER.volumes


@pytest.mark.parametrize("argv", [QEMU, ("/nix/store/x/bin/crosvm", "run", "-m", "512")])
def test_hypervisor_is_found_among_the_processes(argv: tuple[str, ...]) -> None:
    found = hypervisor_of([process(90, "web", *VIRTIOFSD), process(100, "web", *argv), process(101, "web", "bash")])
    assert found is not None
    assert found.pid == 100


def test_no_hypervisor() -> None:
    assert hypervisor_of([process(90, "web", *VIRTIOFSD), process(7, "web", "bash", "microvm-run")]) is None


def test_definition_of_the_sample_is_what_it_says() -> None:
    assert WEB.overlay_volume() == WEB.volumes[0]

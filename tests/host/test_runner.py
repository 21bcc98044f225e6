"""Runners as microvm.nix writes them, read back; and what else may stand in their place."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from mvtui.demo.runners import build_runner
from mvtui.host.runner import RunnerCache, read_runner, read_tool_directories
from mvtui.model.definition import Definition, Volume
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import HOME, OVERLAY, STORE, as_told, build, rewrite, sample, tools

EVERY = pytest.mark.parametrize("hypervisor", Hypervisor)


@EVERY
def test_a_runner_tells_what_it_was_built_from(hypervisor: Hypervisor, tmp_path: Path) -> None:
    spec = sample(hypervisor)

    runner = read_runner(str(build(spec, tmp_path / "runner")))

    assert runner.problems == ()
    assert runner.definition == as_told(spec)
    assert runner.can_shutdown == (
        hypervisor in (Hypervisor.QEMU, Hypervisor.CLOUD_HYPERVISOR, Hypervisor.FIRECRACKER, Hypervisor.CROSVM)
    )
    assert runner.has_virtiofsd_run == (hypervisor not in (Hypervisor.FIRECRACKER, Hypervisor.KVMTOOL))


@EVERY
def test_the_root_stands_before_every_path_and_every_link(hypervisor: Hypervisor, tmp_path: Path) -> None:
    (tmp_path / "nix/store").mkdir(parents=True)
    spec = sample(hypervisor)
    build(spec, tmp_path / "nix/store/1-runner", store="/nix/store")

    runner = read_runner("/nix/store/1-runner", root=tmp_path)

    assert runner.problems == ()
    assert runner.path == "/nix/store/1-runner"
    assert runner.definition == as_told(spec)
    assert runner.system in (None, "/nix/store/1-runner-system")


def test_the_overlay_is_found_in_its_volume_and_in_its_share(tmp_path: Path) -> None:
    on_volume = read_runner(str(build(sample(Hypervisor.QEMU), tmp_path / "a"))).definition
    share = HOME._replace(mount_point="/nix/.rw-store")
    on_share = read_runner(
        str(build(Definition(shares=(STORE, share), writable_store_overlay="/nix/.rw-store"), tmp_path / "b"))
    ).definition

    assert on_volume is not None
    assert on_volume.overlay_volume() == on_volume.volumes[0]
    assert on_share is not None
    assert on_share.overlay_volume() is None
    assert on_share.writable_store_overlay == on_share.shares[1].mount_point


def test_with_the_store_on_disk_letters_begin_at_b(tmp_path: Path) -> None:
    for hypervisor in Hypervisor:
        spec = Definition(hypervisor=hypervisor, volumes=(OVERLAY,))
        definition = read_runner(str(build(spec, tmp_path / hypervisor))).definition
        assert definition is not None
        assert definition.store_on_disk is True
        assert [volume.letter for volume in definition.volumes] == ["b"]


def test_the_guests_system_is_found_by_its_kernel_parameter_unless_it_is_gone(tmp_path: Path) -> None:
    for hypervisor in (Hypervisor.QEMU, Hypervisor.FIRECRACKER):
        path = build(Definition(hypervisor=hypervisor, volumes=(OVERLAY,)), tmp_path / hypervisor)
        here = read_runner(str(path))
        (tmp_path / f"{hypervisor}-system/etc/fstab").unlink()
        gone = read_runner(str(path))

        assert here.system is None
        assert gone.problems == ()
        assert here.definition is not None
        assert here.definition.fstab_read
        assert here.definition.volumes[0].mount_point == "/nix/.rw-store"
        assert gone.definition is not None
        assert not gone.definition.fstab_read
        assert gone.definition.volumes[0].mount_point is None


def test_an_older_runner_without_its_hypervisors_name(tmp_path: Path) -> None:
    for hypervisor in Hypervisor:
        path = build(sample(hypervisor), tmp_path / hypervisor)
        (path / "share/microvm/hypervisor").unlink()
        runner = read_runner(str(path))
        assert runner.problems == ()
        assert runner.definition is not None
        assert runner.definition.hypervisor is hypervisor


def test_the_host_name_comes_without_pretty_process_names_where_an_option_has_it(tmp_path: Path) -> None:
    spec = sample(Hypervisor.QEMU)
    plain = replace(tools(Hypervisor.QEMU), pretty_procnames=False)

    assert read_runner(str(build_runner(spec, tmp_path / "r", plain))).definition == as_told(spec)


def test_shares_come_from_their_list_where_the_script_is_unreadable(tmp_path: Path) -> None:
    path = build(sample(Hypervisor.QEMU), tmp_path / "runner")
    (path / "bin/microvm-run").unlink()

    runner = read_runner(str(path))

    assert runner.problems == (f"{path}/bin/microvm-run: No such file or directory",)
    assert runner.definition is not None
    assert runner.definition.hypervisor is Hypervisor.QEMU
    assert [share.tag for share in runner.definition.shares] == ["data", "home", "ro-store"]
    assert runner.definition.shares[1] == HOME._replace(
        socket="web-1-virtiofs-home.sock", read_only=False, mount_point="/ho me"
    )
    assert runner.definition.volumes == ()
    assert runner.definition.vsock_cid == 7


def test_what_only_the_wrapper_scripts_tell_is_none_without_them(tmp_path: Path) -> None:
    path = build(sample(Hypervisor.CROSVM), tmp_path / "runner")
    (tmp_path / "runner-virtiofsd-home").unlink()

    runner = read_runner(str(path))

    assert runner.problems == (f"{tmp_path}/runner-virtiofsd-home: No such file or directory",)
    assert runner.definition is not None
    home = runner.definition.shares[1]
    assert (home.tag, home.source, home.mount_point) == ("home", HOME.source, "/ho me")
    assert (home.read_only, home.cache, home.posix_acl) == (None, None, None)


def test_an_unknown_hypervisor(tmp_path: Path) -> None:
    path = build(Definition(), tmp_path / "runner")
    (path / "share/microvm/hypervisor").write_text("vfkit\n")

    runner = read_runner(str(path))

    assert runner.problems == (f"{path}/share/microvm/hypervisor names none that is known",)
    assert runner.definition is not None
    assert runner.definition.hypervisor is Hypervisor.QEMU


def test_volumes_come_from_the_script_where_the_command_is_unknown(tmp_path: Path) -> None:
    path = build(Definition(volumes=(OVERLAY,)), tmp_path / "runner")
    text = (path / "bin/microvm-run").read_text()
    rewrite(path / "bin/microvm-run", text[: text.index("\nexec ")] + "\nexec /bin/another --disk x\n")
    (path / "share/microvm/hypervisor").unlink()

    runner = read_runner(str(path))
    definition = runner.definition

    assert runner.problems == (f"{path}/bin/microvm-run starts no hypervisor that is known: /bin/another",)
    assert definition is not None
    assert definition.hypervisor is None
    assert definition.volumes == (
        Volume(
            "rw.img",
            size=512,
            fs_type="ext4",
            label="my store",
            auto_create=True,
            mkfs_extra_args=OVERLAY.mkfs_extra_args,
        ),
    )


def test_the_cache_reads_a_store_path_once_and_what_was_missing_again(tmp_path: Path) -> None:
    cache = RunnerCache(tmp_path)
    path = "/nix/store/1-runner"
    assert cache.get(path).definition is None

    (tmp_path / "nix/store").mkdir(parents=True)
    build(Definition(), tmp_path / "nix/store/1-runner", store="/nix/store")
    first = cache.get(path)
    assert first.definition is not None
    rewrite(tmp_path / "nix/store/1-runner-microvm-run", "")
    assert cache.get(path) is first


@pytest.mark.parametrize(
    "path", ["/srv/runner", "/nix/store/../../srv/runner", "/srv/store/runner", "/nix/stores/runner"]
)
def test_what_stands_outside_the_store_is_read_again_when_it_changed(path: str, tmp_path: Path) -> None:
    cache = RunnerCache(tmp_path)
    (tmp_path / "nix/store").mkdir(parents=True)
    on_disk = Path(os.path.normpath(f"{tmp_path}{path}"))
    on_disk.parent.mkdir(parents=True, exist_ok=True)
    build(Definition(mem=512), on_disk, store=str(Path(path).parent))
    first = cache.get(path)
    assert cache.get(path) is first

    script = on_disk.with_name(f"{on_disk.name}-microvm-run")
    rewrite(script, script.read_text().replace("512M", "640M"))
    written = cache.get(path)
    other = build(Definition(mem=768), on_disk.with_name("other"), store=str(Path(path).parent))
    on_disk.rename(on_disk.with_name("old"))
    other.rename(on_disk)
    replaced = cache.get(path)
    on_disk.rename(on_disk.with_name("gone"))

    found = (first.definition, written.definition, replaced.definition)
    assert [definition and definition.mem for definition in found] == [512, 640, 768]
    assert cache.get(path).definition is None


def test_a_runner_without_its_script_is_read_again_when_the_script_comes(tmp_path: Path) -> None:
    cache = RunnerCache()
    path = build(Definition(mem=512), tmp_path / "runner")
    (path / "bin/microvm-run").rename(path / "away")
    without = cache.get(str(path))
    assert without.definition is not None
    assert without.definition.mem is None
    (path / "away").rename(path / "bin/microvm-run")

    with_it = cache.get(str(path)).definition
    assert with_it is not None
    assert with_it.mem == 512


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = RunnerCache(size=2)
    paths = [str(build(Definition(host_name=name), tmp_path / name)) for name in "abc"]
    first, second = cache.get(paths[0]), cache.get(paths[1])

    assert cache.get(paths[0]) is first
    cache.get(paths[2])

    assert cache.get(paths[0]) is first
    assert cache.get(paths[1]) is not second


def test_a_runner_below_a_root_finds_its_tools_there(tmp_path: Path) -> None:
    runner = tmp_path / "nix" / "store" / "r" / "bin"
    runner.mkdir(parents=True)
    (runner / "microvm-run").write_text("PATH=$PATH:/nix/store/a/bin\n")
    assert read_tool_directories("/nix/store/r", root=tmp_path) == ("/nix/store/a/bin",)


@pytest.mark.parametrize("runner", ["/nowhere", "a\0b", "/dev/null", ""])
def test_no_runner_finds_no_tools(runner: str) -> None:
    assert read_tool_directories(runner) == ()

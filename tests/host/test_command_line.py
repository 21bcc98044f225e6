"""Command lines of hypervisors and of virtiofsd, from /proc and from scripts."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.host.command_line import join_shares, read_command_line, read_virtiofsd, which_hypervisor
from mvtui.host.shell_script import read_exec
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import OVERLAY, as_told, build, sample

VIRTIOFS = ShareProto.VIRTIOFS
EVERY = pytest.mark.parametrize("hypervisor", Hypervisor)


def no_file(_path: str) -> None:
    return None


def read(line: str, hypervisor: Hypervisor | None = None) -> Definition:
    return read_command_line(shlex.split(line), read_file=no_file, hypervisor=hypervisor)


def live_argv(runner: Path) -> tuple[str, tuple[str, ...]]:
    """(exe, argv) as the process has them that bin/microvm-run becomes."""
    line = read_exec((runner / "bin/microvm-run").read_text())
    assert line.problem is None
    return line.program, line.argv


def seen_live(definition: Definition) -> Definition:
    """What a hypervisor's own command line tells of a sample: nothing of sources, mounts and file systems."""
    told = as_told(definition)
    crosvm = told.hypervisor is Hypervisor.CROSVM
    return told._replace(
        shares=tuple(
            share._replace(mount_point=None)
            if share.proto is ShareProto.NINE_P
            else Share(None if crosvm else share.tag, VIRTIOFS, socket=share.socket)
            for share in told.shares
        ),
        volumes=tuple(
            Volume(
                volume.image,
                letter=volume.letter,
                read_only=volume.read_only,
                direct=volume.direct,
                serial=volume.serial,
                image_type=volume.image_type,
            )
            for volume in told.volumes
        ),
        writable_store_overlay=None,
        fstab_read=False,
        vsock_cid=None if told.hypervisor is Hypervisor.STRATOVIRT else told.vsock_cid,
    )


@EVERY
def test_a_live_command_line_tells_what_it_can(hypervisor: Hypervisor, tmp_path: Path) -> None:
    spec = sample(hypervisor)
    exe, argv = live_argv(build(spec, tmp_path / "runner"))

    definition = read_command_line(argv, read_file=lambda path: Path(path).read_text(), exe=exe)

    assert definition == seen_live(spec)


@EVERY
def test_the_hypervisor_is_told_without_the_right_to_see_its_executable(hypervisor: Hypervisor, tmp_path: Path) -> None:
    _, argv = live_argv(build(sample(hypervisor), tmp_path / "runner"))

    assert argv[0] == "microvm@web-1"
    assert read_command_line(argv, read_file=no_file).hypervisor is hypervisor
    if hypervisor is not Hypervisor.STRATOVIRT:
        assert which_hypervisor(argv) is hypervisor


def test_stratovirt_is_the_child_of_unbuffer(tmp_path: Path) -> None:
    spec = sample(Hypervisor.STRATOVIRT)
    unbuffer, argv = live_argv(build(spec, tmp_path / "runner"))
    as_script = ("/nix/store/t/bin/tclsh8.6", "/nix/store/e/bin/.unbuffer-wrapped", *argv[1:])

    for parent, exe in ((argv, unbuffer), (argv, None), (as_script, as_script[0]), (as_script, None)):
        assert which_hypervisor(parent, exe) is None
        assert read_command_line(parent, read_file=no_file).shares == seen_live(spec).shares
    child = argv[1:]
    assert which_hypervisor(child) is Hypervisor.STRATOVIRT
    assert read_command_line(child, read_file=no_file) == seen_live(spec)


WHICH: list[tuple[Sequence[str], str | None, Hypervisor | None]] = [
    (["microvm@a"], "/nix/store/x/bin/qemu-system-aarch64", Hypervisor.QEMU),
    (["microvm@a"], "/nix/store/x/bin/.cloud-hypervisor-wrapped (deleted)", Hypervisor.CLOUD_HYPERVISOR),
    (["/usr/bin/qemu-system-x86_64", "-name", "crosvm"], None, Hypervisor.QEMU),
    (["/usr/bin/python3", "/opt/demo/qemu-system-x86_64", "-name", "a"], "/usr/bin/python3.11", Hypervisor.QEMU),
    (["python3", "-u", "/opt/demo/firecracker"], "/usr/bin/python3.11", Hypervisor.FIRECRACKER),
    (["microvm@crosvm", "-name", "crosvm"], None, None),
    (["microvm@a", "run", "--initrd", "x"], None, Hypervisor.CROSVM),
    (["microvm@a", "run"], "/bin/lkvm", Hypervisor.KVMTOOL),
    (["/bin/crosvm", "powerbtn", "a.sock"], "/bin/crosvm", None),
    (["/bin/crosvm", "device", "gpu"], "/bin/crosvm", None),
    (["/bin/lkvm", "balloon"], None, None),
    (["ch-remote", "--api-socket", "x"], "/bin/ch-remote", None),
    (["/bin/bash", "/nix/store/x-microvm-a-microvm-run"], "/bin/bash", None),
    (["vim", "qemu-system-x86_64"], "/bin/vim", None),
    (["/usr/bin/virtiofsd", "--socket-path=a"], "/usr/bin/virtiofsd", None),
    ([], None, None),
    ([""], "", None),
]


@pytest.mark.parametrize(("argv", "exe", "expected"), WHICH)
def test_which_hypervisor(argv: Sequence[str], exe: str | None, expected: Hypervisor | None) -> None:
    assert which_hypervisor(argv, exe) is expected


def test_another_program_defines_nothing() -> None:
    assert read("/bin/sleep 5") == Definition()
    assert read("microvm@web --what") == Definition(host_name="web")


def test_the_callers_word_where_nothing_else_tells() -> None:
    assert read("microvm@web -m 64M", Hypervisor.QEMU) == Definition(
        hypervisor=Hypervisor.QEMU, host_name="web", mem=64, store_on_disk=False
    )


def test_qemu_in_other_words() -> None:
    definition = read(
        "qemu-system-x86_64 -name guest=a,process=b -m size=1G,slots=2 -smp cpus=4,cores=2 -qmp tcp:localhost:1"
        " -drive file=/a,,b.img,id=vdc,readonly=true -drive if=pflash,file=x -drive file=y,if=virtio -drive junk"
        " -device virtio-blk-pci,drive=vdc -device vhost-user-fs-pci,chardev=gone,tag=t -device virtio-9p-pci"
        " -append '-drive id=vdq,file=no' -fsdev local,id=f -device vhost-vsock-pci,guest-cid=x"
    )

    assert definition == Definition(
        hypervisor=Hypervisor.QEMU,
        mem=1024,
        vcpu=4,
        shares=(Share("t", VIRTIOFS), Share(None, ShareProto.NINE_P, read_only=False)),
        volumes=(Volume("/a,b.img", letter="c", read_only=True, direct=False),),
        store_on_disk=False,
    )


def test_cloud_hypervisor_repeats_its_switches_in_versions_30_to_35() -> None:
    many = "--disk path=/s,readonly=on path=a,direct=on path=b,direct=off --fs tag=t,socket=s tag=u,socket=v"
    repeated = (
        "--disk path=/s,readonly=on --disk path=a,direct=on --disk path=b,direct=off"
        " --fs=tag=t,socket=s --fs tag=u,socket=v"
    )

    definition = read(f"cloud-hypervisor {many}")

    assert definition == read(f"cloud-hypervisor {repeated}")
    assert definition.store_on_disk is True
    assert [(volume.image, volume.letter, volume.direct) for volume in definition.volumes] == [
        ("a", "b", True),
        ("b", "c", False),
    ]
    assert [(share.tag, share.socket) for share in definition.shares] == [("t", "s"), ("u", "v")]


def test_cloud_hypervisor_with_hotplugged_memory_does_not_tell_mem() -> None:
    assert read("cloud-hypervisor --memory size=512M,hotplug_method=virtio-mem,hotplug_size=512M").mem is None
    assert read("cloud-hypervisor --memory size=536870912").mem == 512


def test_the_store_disk_is_no_volume_and_a_read_only_first_volume_is_one(tmp_path: Path) -> None:
    volume = OVERLAY._replace(read_only=True)
    for hypervisor in Hypervisor:
        for on_disk, letter in ((True, "b"), (False, "a")):
            if hypervisor is Hypervisor.FIRECRACKER and not on_disk:
                continue  # it always has one
            spec = Definition(hypervisor=hypervisor, volumes=(volume,), store_on_disk=on_disk)
            exe, argv = live_argv(build(spec, tmp_path / f"{hypervisor}-{on_disk}"))
            definition = read_command_line(argv, read_file=lambda path: Path(path).read_text(), exe=exe)
            assert definition.store_on_disk is on_disk
            assert [(one.image, one.letter) for one in definition.volumes] == [("rw.img", letter)]


def test_the_27th_disk_has_no_letter() -> None:
    definition = read("lkvm run " + " ".join(f"-d {number}.img" for number in range(27)))

    assert [volume.letter for volume in definition.volumes] == [*"abcdefghijklmnopqrstuvwxyz", None]


def test_firecracker_without_its_configuration() -> None:
    assert read("firecracker --config-file /gone --api-sock a.sock") == Definition(
        hypervisor=Hypervisor.FIRECRACKER, socket="a.sock"
    )


def test_crosvm_and_alioth_take_other_devices_too() -> None:
    crosvm = read(
        "crosvm run --vhost-user gpu,socket=g --vhost-user fs,socket=s --shared-dir /a:t --block path=i --vsock x"
    )
    alioth = read("alioth run --fs other,socket=g --fs vu,socket=s,tag=t")

    assert [share.socket for share in crosvm.shares] == ["s"]
    assert [volume.image for volume in crosvm.volumes] == ["i"]
    assert [share.tag for share in alioth.shares] == ["t"]


OPTIONS = """
    run -m -c -d -s -r -p -o -drive -device -chardev -fsdev -qmp -name -smp --disk --fs --memory --cpus --api-socket
    --vsock --config-file --block --vhost-user --shared-dir --name --9p --blk --num-cpu --socket-path --shared-dir=
    --cache --tag
"""
VALUES = st.one_of(
    st.sampled_from(OPTIONS.split()),
    st.text(max_size=12),
    st.lists(
        st.one_of(
            st.sampled_from(["id=vda", "id=vd", "file=x", "path=/x", "size=1M", "cid=3", "type=fs", "store"]),
            st.text(max_size=5),
        ),
        max_size=4,
    ).map(",".join),
)


@EVERY
@settings(deadline=None)
@given(words=st.lists(VALUES, max_size=12), file=st.one_of(st.none(), st.text()))
def test_no_command_line_raises(hypervisor: Hypervisor, words: list[str], file: str | None) -> None:
    for argv in (words, ["run", *words], ["microvm@x", *words], ["virtiofsd", *words]):
        definition = read_command_line(argv, read_file=lambda _path: file, hypervisor=hypervisor)
        assert join_shares(definition, definition.shares) == definition
        which_hypervisor(argv)
        read_virtiofsd(argv)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["drives", "path_on_host", "is_read_only", "drive_id", "machine-config", "mem_size_mib", "vsock"]
            ),
            inner,
            max_size=4,
        ),
    ),
)


@settings(deadline=None)
@given(JSON)
def test_no_configuration_of_firecracker_raises(config: object) -> None:
    argv = ("firecracker", "--config-file", "/c")
    definition = read_command_line(argv, read_file=lambda _path: json.dumps(config))

    assert definition.hypervisor is Hypervisor.FIRECRACKER
    assert all(isinstance(volume.image, str) for volume in definition.volumes)


@pytest.mark.parametrize("claimed", ["-1", "1" * 400, "true", "1.5", '"512"'])
def test_numbers_that_no_firecracker_takes_are_none(claimed: str) -> None:
    config = f'{{"drives": [], "machine-config": {{"mem_size_mib": {claimed}, "vcpu_count": 2}}}}'
    argv = ("firecracker", "--config-file", "/nix/store/firecracker-web.json")
    definition = read_command_line(argv, read_file=lambda _: config)
    assert (definition.mem, definition.vcpu) == (None, 2)

"""Adopted and read back is what was built: for every hypervisor, and for what a definition may hold."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.documents import read_definition
from mvtui.host.ports import Host
from mvtui.host.runner import read_runner
from mvtui.model.definition import Definition, Runner, Share, ShareProto, Volume
from mvtui.model.drift import drift
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM, StateDirEntry
from mvtui.model.state import State, StateWord
from mvtui.operations import adopting
from mvtui.operations.adopting import adopt, ask_nix, nix_line
from mvtui.operations.definitions_save import ConflictError, save
from tests.fakes import FakeProcesses, FakeUnits
from tests.host.sample_definitions import DISK, DOCS, HOME, OVERLAY, PLAIN, STORE, build, sample
from tests.host.state_dirs import fresh_state_dir


@pytest.fixture
def host() -> Iterator[Host]:
    with fresh_state_dir() as state_dir:
        folder = state_dir.parent
        yield Host(
            "test",
            FakeUnits(),
            FakeProcesses(),
            state_dir,
            definitions=folder / "definitions",
            records=folder / "records",
        )


def of(runner: Runner | None, name: str = "web", flake: str | None = None) -> MicroVM:
    return MicroVM(name, f"/s/{name}", State(StateWord.STOPPED, None, ""), StateDirEntry(name, "", flake=flake), runner)


def built(definition: Definition, host: Host) -> MicroVM:
    runner = read_runner(str(build(definition, host.state_dir.parent / "runner")))
    assert runner.definition is not None
    return of(runner)


def without_defaults(share: Share, host_name: str | None) -> Share:
    """The default socket has the host name in it, which the file does not know."""
    default = f"{host_name}-virtiofs-{share.tag}.sock"
    return share._replace(socket=None) if share.socket == default else share


def assert_told(read: Share | Volume | Definition, told: Share | Volume | Definition) -> None:
    """All that is known of what is built stands in the file."""
    assert type(read) is type(told)
    for name, mine, theirs in zip(told._fields, told, read, strict=True):
        if mine is not None and name not in ("shares", "volumes"):
            assert theirs == mine, name


DEFINITIONS = {
    **{str(hypervisor): sample(hypervisor) for hypervisor in Hypervisor},
    "nothing": Definition(),
    "all on one": Definition(
        shares=(STORE, HOME, DOCS._replace(security_model="mapped-file")),
        volumes=(DISK, PLAIN, OVERLAY._replace(label=None), Volume("/q.img", size=1, image_type="raw")),
        writable_store_overlay="/nix/.rw-store",
    ),
    "the store on disk by hand": Definition(shares=(STORE,), volumes=(OVERLAY,), store_on_disk=True),
    "no store disk by hand": Definition(volumes=(OVERLAY,), store_on_disk=False),
    "an overlay on nothing": Definition(shares=(STORE,), writable_store_overlay="/nix/.rw-store"),
    "another serial": Definition(volumes=(OVERLAY._replace(serial="a b"), Volume("b.img", size=3, fs_type="btrfs"))),
}


@pytest.mark.parametrize("key", DEFINITIONS)
def test_adopted_and_read_back_is_what_was_built(key: str, host: Host) -> None:
    microvm = built(DEFINITIONS[key], host)
    assert microvm.built is not None
    told = microvm.built.definition
    assert told is not None

    adoption = adopt(host, microvm)
    save(host, adoption.document, adoption.text)

    read = read_definition(host.definitions / "web.toml")
    assert read is not None
    assert len(read.shares) == len(told.shares)
    assert len(read.volumes) == len(told.volumes)
    for share, other in zip(read.shares, told.shares, strict=True):
        assert_told(share, without_defaults(other, told.host_name))
    for volume, disk in zip(read.volumes, told.volumes, strict=True):
        assert_told(volume, disk)
        assert volume.mount_point == disk.mount_point
        assert volume.label == disk.label
    assert read.writable_store_overlay == told.writable_store_overlay
    assert read.store_on_disk == told.store_on_disk
    assert drift(read, told, told, directory=microvm.path) == ()


def test_only_what_differs_and_what_must_be_there(host: Host) -> None:
    spec = Definition(
        host_name="web",
        shares=(STORE, Share("docs", ShareProto.NINE_P, "/docs", "/docs")),
        volumes=(Volume("a.img", mount_point="/var", size=64),),
    )
    assert adopt(host, built(spec, host)).text == (
        "# What web has of its host. Nix reads it: microvm = lib.importTOML ./web.toml;\n\n"
        '[[shares]]\nproto = "virtiofs"\ntag = "ro-store"\nsource = "/nix/store"\nmountPoint = "/nix/.ro-store"\n'
        "readOnly = true\n\n"
        '[[shares]]\ntag = "docs"\nsource = "/docs"\nmountPoint = "/docs"\n\n'
        '[[volumes]]\nimage = "a.img"\nmountPoint = "/var"\nsize = 64\n'
    )


def test_nothing_is_overwritten(host: Host) -> None:
    microvm = built(sample(Hypervisor.QEMU), host)
    adoption = adopt(host, microvm)
    assert not adoption.exists
    host.definitions.mkdir()
    (host.definitions / "web.toml").write_text("mine = 1\n")
    with pytest.raises(ConflictError):
        save(host, adoption.document, adoption.text)
    assert adopt(host, microvm).exists
    (host.definitions / "web.toml").unlink()
    (host.definitions / "web.toml").symlink_to("/nowhere/at/all")
    assert adopt(host, microvm).exists


@pytest.mark.parametrize("runner", [None, Runner("/r", None)])
def test_nothing_is_built(runner: Runner | None, host: Host) -> None:
    with pytest.raises(MvtuiError, match="web has no runner that can be read") as error:
        adopt(host, of(runner))
    assert error.value.exit_code is ExitCode.REFUSED


def unknown(host: Host) -> MicroVM:
    """As with the store on disk: the guest's fstab is not on the host."""
    spec = Definition(
        hypervisor=Hypervisor.QEMU, host_name="web", shares=(HOME,), volumes=(OVERLAY,), writable_store_overlay="/rw"
    )
    path = build(spec, host.state_dir.parent / "runner")
    (host.state_dir.parent / "runner-system/etc/fstab").unlink()
    return of(read_runner(str(path)), flake="/srv/flake")


def test_what_is_built_does_not_tell_enough(host: Host) -> None:
    with pytest.raises(MvtuiError) as error:
        adopt(host, unknown(host))
    assert error.value.exit_code is ExitCode.INVALID
    assert error.value.message.endswith(
        "does not tell writableStoreOverlay, shares[0].mountPoint, volumes[0].mountPoint"
    )
    assert "--eval" in error.value.hint


async def test_nix_completes_it(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    share = HOME._replace(extra_args=("--x",), source="/another")
    evaluated = Definition(shares=(share,), volumes=(OVERLAY._replace(size=999),), writable_store_overlay="/rw")

    async def evaluate(command: tuple[str, ...]) -> Definition:
        asked.append(command)
        return evaluated

    monkeypatch.setattr(adopting, "evaluate", evaluate)
    web = unknown(host)
    adoption = adopt(host, web, evaluated=await ask_nix(host, web))

    assert asked[0][6] == '/srv/flake#nixosConfigurations."web".config.microvm'
    told = tomllib.loads(adoption.text)
    assert told["writableStoreOverlay"] == "/rw"
    # What is built is not overridden.
    assert (told["shares"][0]["mountPoint"], told["shares"][0]["source"]) == (HOME.mount_point, HOME.source)
    assert told["shares"][0]["extraArgs"] == ["--x"]
    assert (told["volumes"][0]["mountPoint"], told["volumes"][0]["size"]) == ("/nix/.rw-store", 512)


def test_a_fully_declarative_one_is_asked_of_its_host(host: Host, tmp_path: Path) -> None:
    host.root = tmp_path
    with pytest.raises(MvtuiError, match="the flake of web is not known"):
        adopting.nix_command(host, of(None))
    (tmp_path / "etc/nixos").mkdir(parents=True)
    (tmp_path / "etc/nixos/flake.nix").touch()
    assert adopting.nix_command(host, of(None))[6].startswith('/etc/nixos#nixosConfigurations."test".config')


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("web.toml", "microvm = lib.importTOML ./web.toml;"),
        ("my vm.toml", 'microvm = lib.importTOML (./. + "/my vm.toml");'),
        ('a"${b}\\.toml', 'microvm = lib.importTOML (./. + "/a\\"\\${b}\\\\.toml");'),
    ],
)
def test_the_line_of_nix(name: str, line: str) -> None:
    assert nix_line(name) == line


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "[red]", "-x", "ü", os.fsdecode(b"\xff")])
def test_names_that_act(name: str, host: Host) -> None:
    microvm = built(Definition(shares=(STORE,)), host)._replace(name=name)
    adoption = adopt(host, microvm)
    assert adoption.text.splitlines()[0].isprintable()
    save(host, adoption.document, adoption.text)
    assert tomllib.loads((host.definitions / f"{name}.toml").read_text())["shares"][0]["tag"] == "ro-store"

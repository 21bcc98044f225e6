"""mvtui's drop-in: where it is, what is in it, and that nothing else is touched."""

import errno
import os
import stat
from pathlib import Path

import pytest

from mvtui.errors import ExitCode, MvtuiError, RightsMissingError
from mvtui.host import drop_ins
from mvtui.host.ports import Host
from tests.fakes import FakeProcesses, FakeUnits

PROGRAM = ["/usr/bin/mvtui"]


def host_at(root: Path, state_dir: str = "/var/lib/microvms") -> Host:
    (root / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    (root / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
    return Host("hv01", FakeUnits(), FakeProcesses(), Path(state_dir), root=root)


def write(host: Host, name: str = "web", *, persistent: bool = False, strict: bool = False) -> Path:
    drop_ins.write(host, name, PROGRAM, persistent=persistent, strict=strict)
    return host.on_disk(drop_ins.path_of(name, persistent=persistent))


def command_of(file: Path) -> str:
    return next(line for line in file.read_text().splitlines() if line.startswith("ExecStartPre="))


def test_it_is_the_instances_alone(tmp_path: Path) -> None:
    file = write(host_at(tmp_path))
    assert file == tmp_path / "run/systemd/system/microvm@web.service.d/50-mvtui-reset.conf"
    assert "[Service]" in file.read_text().splitlines()
    words = "/usr/bin/mvtui reset --if-armed --manager systemd --state-dir /var/lib/microvms -- %i"
    assert command_of(file) == f"ExecStartPre=-+{words}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_persistent_is_below_etc(tmp_path: Path) -> None:
    file = write(host_at(tmp_path), persistent=True)
    assert file.is_relative_to(tmp_path / "etc/systemd/system")


def test_only_a_strict_one_can_keep_it_from_starting(tmp_path: Path) -> None:
    command = command_of(write(host_at(tmp_path), strict=True))
    assert command.startswith("ExecStartPre=+/usr/bin/mvtui reset --if-armed --strict ")


@pytest.mark.parametrize("name", ["my-vm", "a@b", r"a\x2db", "a.b:c_d", "-x", "9"])
def test_a_name_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    """Not as systemd-escape would have it: microvm.nix does not either."""
    file = write(host_at(tmp_path), name)
    assert file.parent.name == f"microvm@{name}.service.d"
    assert command_of(file).endswith(" -- %i")


@pytest.mark.parametrize("name", ["two words", "ä", "a\nb", "a%b", "a$b", "x" * 250, "", "[b]"])
def test_a_name_that_no_unit_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(MvtuiError, match="can't be the name of a systemd unit") as refused:
        write(host_at(tmp_path), name)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert list((tmp_path / "run/systemd/system").iterdir()) == []


def test_words_are_quoted_as_systemd_reads_them(tmp_path: Path) -> None:
    command = command_of(write(host_at(tmp_path, '/srv/a "b" 5% $HOME\\x\t')))
    assert '--state-dir "/srv/a \\x22b\\x22 5%% $$HOME\\x5cx\\x09" -- %i' in command


@pytest.mark.parametrize("program", ["/opt/a$b/mvtui", '/opt/"a"/mvtui', "/opt/a\\b/mvtui", "/opt/a\nb/mvtui"])
def test_a_program_that_systemd_would_not_take(tmp_path: Path, program: str) -> None:
    host = host_at(tmp_path)
    with pytest.raises(MvtuiError, match="can't be named in a unit file"):
        drop_ins.write(host, "web", [program], persistent=False, strict=False)


def test_a_state_directory_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="no UTF-8"):
        write(host_at(tmp_path, "/srv/\udcff"))


@pytest.mark.parametrize("program", ["/usr/bin/mvtui", "/opt/my tools/5%/mvtui", "/opt/ä/mvtui"])
def test_the_program_is_read_back(tmp_path: Path, program: str) -> None:
    host = host_at(tmp_path)
    assert drop_ins.program_of(host, "web", persistent=False) is None
    drop_ins.write(host, "web", [program, "-m", "x"], persistent=False, strict=False)
    assert drop_ins.program_of(host, "web", persistent=False) == program


def test_it_goes_with_its_directory(tmp_path: Path) -> None:
    host = host_at(tmp_path)
    file = write(host)
    assert drop_ins.has(host, "web", persistent=False)
    assert not drop_ins.has(host, "web", persistent=True)
    assert drop_ins.remove(host, "web", persistent=False)
    assert not file.parent.exists()
    assert not drop_ins.has(host, "web", persistent=False)
    assert not drop_ins.remove(host, "web", persistent=False)


def test_what_others_put_beside_it_stays(tmp_path: Path) -> None:
    host = host_at(tmp_path)
    other = write(host).with_name("override.conf")
    other.write_text("[Service]\n")
    drop_ins.remove(host, "web", persistent=False)
    assert [path.name for path in other.parent.iterdir()] == ["override.conf"]


def test_a_file_of_its_name_that_is_not_mvtuis_is_left_alone(tmp_path: Path) -> None:
    host = host_at(tmp_path)
    file = write(host)
    file.write_text("[Service]\nNice=5\n")
    assert not drop_ins.has(host, "web", persistent=False)
    assert not drop_ins.remove(host, "web", persistent=False)
    with pytest.raises(MvtuiError, match="is not mvtui's"):
        write(host)
    assert file.read_text() == "[Service]\nNice=5\n"


def test_no_link_is_followed(tmp_path: Path) -> None:
    host = host_at(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    kept = tmp_path / "elsewhere/50-mvtui-reset.conf"
    kept.write_text("# Made by `mvtui arm`.")
    directory = tmp_path / "run/systemd/system/microvm@web.service.d"
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MvtuiError):
        write(host)
    directory.unlink()
    directory.mkdir()
    (directory / kept.name).symlink_to(kept)
    with pytest.raises(MvtuiError, match="is not mvtui's"):
        write(host)
    assert not drop_ins.remove(host, "web", persistent=False)
    assert kept.read_text() == "# Made by `mvtui arm`."


def test_nixos_has_its_own_place_and_the_message_says_which_lines(tmp_path: Path) -> None:
    host = host_at(tmp_path)
    store = tmp_path / "nix/store/0-system-units"
    store.mkdir(parents=True)
    (tmp_path / "etc/systemd/system").rmdir()
    (tmp_path / "etc/systemd/system").symlink_to(store)
    with pytest.raises(MvtuiError, match="0-system-units") as refused:
        write(host, persistent=True)
    assert refused.value.exit_code is ExitCode.REFUSED
    assert 'systemd.services."microvm@".serviceConfig.ExecStartPre' in refused.value.hint
    assert "mvtui reset --if-armed -- %i" in refused.value.hint
    assert list(store.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.EACCES, RightsMissingError, "can't be written"),
        (errno.EROFS, MvtuiError, "it is read-only"),
        (errno.EIO, MvtuiError, "Input/output error"),
    ],
)
def test_where_nothing_can_be_written(
    tmp_path: Path, number: int, kind: type[MvtuiError], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    host = host_at(tmp_path)
    monkeypatch.setattr(os, "mkdir", fail)
    with pytest.raises(MvtuiError, match=said) as failed:
        write(host)
    assert type(failed.value) is kind
    assert ("NixOS" in failed.value.hint) is (number == errno.EROFS)


def test_a_half_written_one_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_at(tmp_path)
    before = write(host).read_text()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(MvtuiError, match="No space left"):
        write(host, strict=True)
    file = host.on_disk(drop_ins.path_of("web", persistent=False))
    assert file.read_text() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        (("/usr/bin/mvtui", "reset", "--if-armed", "--", "web"), True),
        (("/usr/bin/python3", "-P", "-m", "mvtui", "reset", "--if-armed", "--strict", "--", "web"), True),
        (("/usr/bin/mvtui", "reset", "--yes", "web"), False),
        (("/bin/sh", "-c", "true"), False),
        ((), False),
    ],
)
def test_the_hosts_own_command_is_known(command: tuple[str, ...], is_one: bool) -> None:
    assert drop_ins.is_armed_reset(command) is is_one

"""What Nix is asked, and what it may answer; the nix of these tests is a script."""

import json
from pathlib import Path

import pytest

from mvtui.errors import MvtuiError
from mvtui.host.nix_eval import eval_command, evaluate
from mvtui.model.definition import ShareProto

TOLD = {
    "shares": [
        {
            "tag": "home", "proto": "virtiofs", "source": "/srv", "mountPoint": "/home", "socket": "s", "cache": "auto",
            "securityModel": "none", "readOnly": False, "posixAcl": True, "extraArgs": ["--x"],
        }
    ],
    "volumes": [
        {
            "image": "a.img", "serial": None, "label": None, "mountPoint": None, "size": 64, "autoCreate": True,
            "fsType": "ext4", "mkfsExtraArgs": [], "readOnly": False, "direct": False, "imageType": "raw",
        }
    ],
    "writableStoreOverlay": None,
    "storeOnDisk": True,
}  # fmt: skip


@pytest.fixture
def nix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "nix"


def says(nix: Path, script: str) -> None:
    nix.write_text(f"#!/bin/sh\n{script}\n")
    nix.chmod(0o755)


def test_what_is_asked() -> None:
    own = eval_command("git+file:///srv/web", "web")
    assert own[3:6] == ("eval", "--json", "--no-write-lock-file")
    assert own[6] == 'git+file:///srv/web#nixosConfigurations."web".config.microvm'
    declared = eval_command("/etc/nixos", "web", host_name="hv01")
    assert declared[6].endswith('#nixosConfigurations."hv01".config.microvm.vms."web"')


@pytest.mark.parametrize(
    ("flake", "name"), [("-x", "web"), ("/a", 'a"b'), ("/a", "${x}"), ("/a#b", "web"), ("/a", "\n")]
)
def test_what_can_t_be_written_in_nix_is_not_asked(flake: str, name: str) -> None:
    with pytest.raises(MvtuiError, match="can't be asked of Nix"):
        eval_command(flake, name)


async def test_the_answer(nix: Path) -> None:
    says(nix, f"cat <<'END'\n{json.dumps(TOLD)}\nEND")
    found = await evaluate(eval_command("/a", "web"))
    assert found.shares[0].proto is ShareProto.VIRTIOFS
    assert found.shares[0].extra_args == ("--x",)
    assert (found.volumes[0].mount_point, found.volumes[0].label, found.volumes[0].size) == (None, None, 64)
    assert found.store_on_disk is True


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "echo 'warning: x' >&2; echo 'error: no such attribute' >&2; exit 1",
            "nix eval failed: error: no such attribute",
        ),
        ("exit 1", "nix eval failed: no words"),
        ("echo hello", "something else than a definition"),
        ("echo '[]'", "something else than a definition"),
        ("echo '{\"shares\": 1}'", "something else than a definition"),
        ('echo \'{"shares": [{"tag": "a"}]}\'', "shares[0].source"),
    ],
)
async def test_no_answer(script: str, words: str, nix: Path) -> None:
    says(nix, script)
    with pytest.raises(MvtuiError) as error:
        await evaluate(eval_command("/a", "web"))
    assert words in error.value.message


async def test_the_words_of_newer_nix(nix: Path) -> None:
    """Since 2.20 what led there comes first, and the error last."""
    says(nix, "printf 'error:\\n       … while calling throw\\n\\n       error: it is so\\n' >&2; exit 1")
    with pytest.raises(MvtuiError, match="nix eval failed: error: it is so"):
        await evaluate(eval_command("/a", "web"))


async def test_no_nix(nix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(nix.parent))
    with pytest.raises(MvtuiError, match="there is no nix here"):
        await evaluate(eval_command("/a", "web"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("where", ["", ">&2"])
async def test_what_says_more_and_more_is_ended(nix: Path, where: str) -> None:
    """The flake may be another's, and builtins.trace knows no end."""
    says(nix, f"yes trace: {where}")
    with pytest.raises(MvtuiError, match="says more than 16 MiB"):
        await evaluate(eval_command("/a", "web"))

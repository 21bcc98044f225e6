"""What mvtui asks of Nix, asked of a real one: a flake in a folder, with what microvm.nix's modules make of options."""

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mvtui.cli.run import run
from mvtui.errors import MvtuiError
from mvtui.host.nix_eval import eval_command, evaluate
from mvtui.host.records import forget_records
from tests.cli.test_adopt import add, file_of, without_fstab
from tests.host.living import found, missing
from tests.host.state_dirs import fresh_state_dir
from tests.nix.local import local_nix

Capture = pytest.CaptureFixture[str]

# An option without a value throws where it is looked at, as `size` of a volume that is not created may be.
WEB = """
  web = {
    microvm = {
      writableStoreOverlay = "/nix/.rw-store";
      storeOnDisk = true;
      shares = [ {
        proto = "9p"; tag = "docs"; source = "/docs"; mountPoint = "/srv/docs"; readOnly = false; cache = "auto";
        posixAcl = true; securityModel = "none"; socket = null; extraArgs = [ ];
      } ];
      volumes = [
        (volume // { image = "a.img"; mountPoint = "/var"; size = 64; autoCreate = true; })
        (volume // { image = "/dev/zvol/data"; mountPoint = "/data"; autoCreate = false;
          size = throw "The option `microvm.volumes.*.size' was accessed but has no value defined."; })
      ];
    };
  };
  volume = {
    label = null; fsType = "ext4"; mkfsExtraArgs = [ ]; readOnly = false; direct = false; serial = null;
    imageType = "raw";
  };
"""
FLAKE = f"""{{
  outputs = {{ self }}: let {WEB} in {{
    nixosConfigurations = {{
      web.config = web;
      broken.config.microvm = web.microvm // {{ shares = throw "no share of that name\\nis there"; }};
      hv01.config.microvm.vms = {{
        by-config = {{ evaluatedConfig = null; config = {{ config = web; }}; }};
        evaluated = {{ evaluatedConfig = {{ config = web; }}; config = null; }};
        old-module = {{ config = {{ config = web; }}; }};
      }};
    }};
  }};
}}
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return local_nix(tmp_path / "nix", monkeypatch)


@pytest.fixture
def flake(store: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "flake"
    folder.mkdir()
    (folder / "flake.nix").write_text(FLAKE)
    return folder


@pytest.mark.parametrize("name", ["web", "hv01:by-config", "hv01:evaluated", "hv01:old-module"])
async def test_the_answer(flake: Path, name: str) -> None:
    host_name, _, microvm = name.rpartition(":")
    told = await evaluate(eval_command(str(flake), microvm, host_name=host_name or None))
    assert (told.writable_store_overlay, told.store_on_disk) == ("/nix/.rw-store", True)
    assert [(share.tag, share.mount_point, share.extra_args) for share in told.shares] == [("docs", "/srv/docs", ())]
    assert [(one.image, one.mount_point, one.size) for one in told.volumes] == [
        ("a.img", "/var", 64),
        ("/dev/zvol/data", "/data", None),
    ]
    assert not (flake / "flake.lock").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [("wep", "does not provide attribute"), ("broken", "nix eval failed: error: no share of that name")],
)
async def test_what_nix_refuses(flake: Path, name: str, said: str) -> None:
    with pytest.raises(MvtuiError) as error:
        await evaluate(eval_command(str(flake), name))
    assert said in error.value.message


@pytest.fixture
def repository(flake: Path) -> Path:
    found("git")
    for words in (["init", "-q"], ["add", "flake.nix"]):
        subprocess.run(["git", *words], cwd=flake, check=True)
    return flake


@pytest.mark.parametrize("owner", ["own", "another's"])
async def test_a_flake_in_git(owner: str, repository: Path) -> None:
    """Where the repository is another user's, git does not read it, and neither does Nix."""
    command = eval_command(f"git+file://{repository}", "web")
    if owner == "own":
        assert (await evaluate(command)).writable_store_overlay == "/nix/.rw-store"
        return
    if os.geteuid() != 0:
        missing("to give a repository away takes root")
    os.chown(repository, 65534, 65534)
    os.chown(repository / ".git", 65534, 65534)
    with pytest.raises(MvtuiError) as error:
        await evaluate(command)
    assert "safe.directory" in error.value.hint


async def test_a_flake_that_is_no_nix(flake: Path) -> None:
    (flake / "flake.nix").write_text("{ outputs = ")
    with pytest.raises(MvtuiError, match="nix eval failed: error: syntax error"):
        await evaluate(eval_command(str(flake), "web"))


async def test_a_flake_that_is_not_there(store: Path, tmp_path: Path) -> None:
    with pytest.raises(MvtuiError, match="No such file or directory"):
        await evaluate(eval_command(str(tmp_path / "nowhere"), "web"))


@pytest.fixture
def state_dir(flake: Path) -> Iterator[Path]:
    """With `web`, whose store is on disk: its runner does not tell what is mounted where."""
    with fresh_state_dir() as made:
        add(made, "web")
        without_fstab(made / "web")
        (made / "web" / "flake").write_text(f"path:{flake}\n")
        try:
            yield made
        finally:
            forget_records(made)


def test_adopt_eval_writes_what_no_runner_tells(state_dir: Path, capsys: Capture) -> None:
    words = ["--manager", "direct", "--state-dir", str(state_dir), "web"]
    assert run(["adopt", *words]) == 2
    assert run(["adopt", "--eval", *words]) == 0
    written = tomllib.loads(file_of(state_dir).read_text())
    assert written["writableStoreOverlay"] == "/nix/.rw-store"
    assert written["shares"][0]["mountPoint"] == "/srv/docs"
    assert written["volumes"][0] == {"image": "a.img", "mountPoint": "/var", "size": 64}
    assert run(["validate", str(file_of(state_dir))]) == 0


# As the command of microvm.nix does it: with `flake` and `current` in the working directory.
MICROVM = """#!/bin/sh
set -e
test "$1" = -u
cd "{state_dir}/$2"
OLD=
[ -L current ] && OLD=$(readlink current)
nix build -o current "$(cat flake)"#nixosConfigurations."$2".config.microvm.declaredRunner >/dev/null
[ -z "$OLD" ] || nix store diff-closures "$OLD" "$(readlink current)"
"""
RUNNER = """{{
  outputs = {{ self }}: {{
    nixosConfigurations.web.config.microvm.declaredRunner = derivation {{
      name = "microvm-qemu-web"; system = "{system}"; builder = "/bin/sh";
      args = [ "-c" "/bin/mkdir -p $out/bin; echo '{word}' >$out/bin/microvm-run; {then}" ];
    }};
  }};
}}
"""


def test_rebuild_builds(
    state_dir: Path, flake: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    program = tmp_path / "bin" / "microvm"
    program.parent.mkdir()
    program.write_text(MICROVM.format(state_dir=state_dir))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    current = state_dir / "web" / "current"
    words = ["rebuild", "--yes", "--json", "--manager", "direct", "--state-dir", str(state_dir), "web"]

    def rebuilt(word: str, then: str = ":") -> tuple[int, dict[str, object]]:
        text = RUNNER.format(system=f"{os.uname().machine}-linux", word=word, then=then)
        (flake / "flake.nix").write_text(text)
        code = run(words)
        (result,) = json.loads(capsys.readouterr().out)["results"]
        return code, result

    current.unlink()
    code, first = rebuilt("first")
    assert (code, first["new"], first["exit"]) == (0, True, 0)
    assert current.resolve().parent == store
    assert (current / "bin/microvm-run").read_text() == "first\n"

    code, again = rebuilt("first")
    assert (code, again["new"]) == (0, False)

    built = os.readlink(current)
    code, failed = rebuilt("second", then="echo it is broken >&2; exit 7")
    assert (code, failed["ok"], failed["new"]) == (1, False, False)
    assert "exit 1: " in str(failed["words"])
    assert "For full logs, run" in str(failed["words"])
    assert os.readlink(current) == built

"""Runners that the modules of microvm.nix wrote (tests/nix/renew.py), read back: what was defined, and nothing else."""

from pathlib import Path
from typing import NamedTuple

import pytest

from mvtui.host.documents import parse
from mvtui.host.runner import read_runner
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.document import definition_of
from mvtui.model.drift import drift
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import IGNORES_DIRECT, TELLS_IMAGE_TYPE
from tests.nix.runners import Recorded, put_on_disk, recorded

RECORDED = recorded()
EVERY = pytest.mark.parametrize("one", RECORDED, ids=range(len(RECORDED)))


def defined(one: Recorded) -> Definition:
    return definition_of(parse(Path("web.toml"), one.document))


def built(one: Recorded, root: Path) -> Definition:
    runner = read_runner(put_on_disk(one, root), root=root)
    assert runner.problems == ()
    assert runner.definition is not None
    return runner.definition


def told(item: NamedTuple, untold: set[str]) -> dict[str, object]:
    return {key: value for key, value in item._asdict().items() if key not in untold}


def untold_of(share: Share, hypervisor: Hypervisor) -> set[str]:
    """What no runner tells: what its hypervisor does not get, and which of virtiofsd's arguments are extra."""
    if share.proto is ShareProto.VIRTIOFS:
        return {"security_model", "extra_args"}
    return {"cache", "posix_acl", "extra_args"} | ({"security_model"} if hypervisor is not Hypervisor.QEMU else set())


def untold_of_volume(volume: Volume, hypervisor: Hypervisor) -> set[str]:
    untold = {"image_type"} if hypervisor not in TELLS_IMAGE_TYPE else set()
    untold |= {"direct"} if hypervisor in IGNORES_DIRECT else set()
    return untold | (set() if volume.auto_create else {"mkfs_extra_args"})


@EVERY
def test_it_tells_what_was_defined(one: Recorded, tmp_path: Path) -> None:
    wanted, found = defined(one), built(one, tmp_path)
    hypervisor = wanted.hypervisor
    assert hypervisor is not None
    assert len(found.shares) == len(wanted.shares)
    assert len(found.volumes) == len(wanted.volumes)
    for share, there in zip(wanted.shares, found.shares, strict=True):
        untold = untold_of(share, hypervisor)
        if share.proto is ShareProto.VIRTIOFS and share.socket is None:
            assert there.socket == f"web-virtiofs-{share.tag}.sock"
            untold |= {"socket"}
        assert told(there, untold) == told(share, untold)
    for volume, image in zip(wanted.volumes, found.volumes, strict=True):
        untold = untold_of_volume(volume, hypervisor)
        assert told(image, untold) == told(volume, untold)
    others = ("hypervisor", "mem", "vcpu", "vsock_cid", "writable_store_overlay", "store_on_disk")
    assert [getattr(found, each) for each in others] == [getattr(wanted, each) for each in others]
    assert found.host_name == "web"


@EVERY
def test_it_is_no_drift(one: Recorded, tmp_path: Path) -> None:
    assert drift(defined(one), built(one, tmp_path), None, directory="/var/lib/microvms/web") == ()


def test_every_hypervisor_is_among_them() -> None:
    definitions = [defined(one) for one in RECORDED]
    assert {one.hypervisor for one in definitions} == set(Hypervisor)
    shares = {share.proto for one in definitions for share in one.shares}
    assert shares == set(ShareProto)

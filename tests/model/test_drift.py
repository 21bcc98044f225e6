"""Drift: tables of what differs and what can't be told, and properties that hold for every definition."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mvtui.demo.runners import with_defaults
from mvtui.model.definition import Definition, Share, ShareProto, Volume
from mvtui.model.document import definition_of
from mvtui.model.drift import FieldDrift, Follow, drift
from mvtui.model.drift_fields import Stage, Value, share_fields, volume_fields
from mvtui.model.drift_words import place_words, stage_words
from mvtui.model.hypervisor import Hypervisor
from tests.host.sample_definitions import as_told, sample

DEFINED, BUILT, BOOTED = Stage
REBUILD, RESTART = Follow
DIRECTORY = "/var/lib/microvms/web"

SHARE = {"tag": "home", "proto": "virtiofs", "source": "/srv/home", "mountPoint": "/home"}
NINE_P = {**SHARE, "proto": "9p"}
VOLUME = {"image": "a.img", "mountPoint": "/data", "size": 64}
OTHER = {"image": "b.img", "mountPoint": "/other", "size": 64}

HOME = Share("home", ShareProto.VIRTIOFS, "/srv/home", "/home", "web-virtiofs-home.sock", False, None, "auto", True)
OLD_HOME = Share("home", ShareProto.NINE_P, "/srv/home", "/home", None, False, "none")
DATA = Volume("a.img", "a", "/data", 64, "ext4", None, True, (), False, False, None, "raw")
LAST = DATA._replace(image="b.img", letter="b", mount_point="/other")
BY_HAND = Volume("a.img", "a", auto_create=False, read_only=False, direct=False, image_type="raw")


def built(*items: Share | Volume, **top: Any) -> Definition:
    """What a runner with these tells."""
    told = Definition(
        hypervisor=Hypervisor.QEMU,
        mem=512,
        vcpu=1,
        socket="web.sock",
        shares=tuple(item for item in items if isinstance(item, Share)),
        volumes=tuple(item for item in items if isinstance(item, Volume)),
        store_on_disk=False,
        fstab_read=True,
    )
    return told._replace(**top)


def shares(*tables: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {**top, "shares": list(tables)}


def volumes(*tables: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {**top, "volumes": list(tables)}


# A document, what is built, and the places that differ.
CASES: dict[str, tuple[dict[str, Any], Definition, tuple[str, ...]]] = {
    "nothing is in the file": ({}, built(HOME, DATA), ()),
    "no shares are in the file": (volumes(VOLUME), built(HOME, DATA), ()),
    "an empty list of shares is": (shares(), built(HOME), ("shares home",)),
    "an empty list of volumes is": (volumes(), built(DATA, LAST), ("volumes a.img", "volumes b.img")),
    "the same share": (shares(SHARE), built(HOME), ()),
    "another source": (shares({**SHARE, "source": "/srv/other"}), built(HOME), ("shares home source",)),
    "a slash at the end": (shares({**SHARE, "source": "/srv//home/"}), built(HOME), ()),
    "a relative source": (
        shares({**SHARE, "source": "home"}),
        built(HOME._replace(source=f"{DIRECTORY}/./home")),
        (),
    ),
    "another mount point": (shares({**SHARE, "mountPoint": "/h"}), built(HOME), ("shares home mountPoint",)),
    "a mount point spelled otherwise": (shares({**SHARE, "mountPoint": "/home/"}), built(HOME), ()),
    "mount points were not read": (
        shares({**SHARE, "mountPoint": "/h"}),
        built(HOME._replace(mount_point=None), fstab_read=False),
        (),
    ),
    "the default socket": (shares(SHARE), built(HOME._replace(socket="other-virtiofs-home.sock")), ()),
    "its own socket": (shares({**SHARE, "socket": "h.sock"}), built(HOME), ("shares home socket",)),
    "a socket spelled otherwise": (
        shares({**SHARE, "socket": f"{DIRECTORY}/web-virtiofs-home.sock"}),
        built(HOME),
        (),
    ),
    "read-only": (shares({**SHARE, "readOnly": True}), built(HOME), ("shares home readOnly",)),
    "another cache": (shares({**SHARE, "cache": "always"}), built(HOME), ("shares home cache",)),
    "no posixAcl": (shares({**SHARE, "posixAcl": False}), built(HOME), ("shares home posixAcl",)),
    "arguments that no runner tells": (shares({**SHARE, "extraArgs": ["--x"]}), built(HOME), ()),
    "securityModel of virtiofs": (shares({**SHARE, "securityModel": "mapped"}), built(HOME), ()),
    "cache and posixAcl of 9p": (shares({**NINE_P, "cache": "always", "posixAcl": False}), built(OLD_HOME), ()),
    "securityModel of 9p": (
        shares({**NINE_P, "securityModel": "mapped"}),
        built(OLD_HOME),
        ("shares home securityModel",),
    ),
    "securityModel of 9p off qemu": (
        shares({**NINE_P, "securityModel": "mapped", "readOnly": True}),
        built(OLD_HOME._replace(security_model=None), hypervisor=Hypervisor.CROSVM),
        (),
    ),
    "another protocol": (shares(NINE_P), built(HOME), ("shares home proto",)),
    "one more share": (shares(SHARE, {**SHARE, "tag": "b", "mountPoint": "/b"}), built(HOME), ("shares b",)),
    "shares in another order": (
        shares({**SHARE, "tag": "b", "mountPoint": "/b"}, SHARE),
        built(HOME, HOME._replace(tag="b", mount_point="/b")),
        (),
    ),
    "another tag": (shares({**SHARE, "tag": "b"}), built(HOME), ("shares home tag",)),
    "a tag that can't be told": (shares(SHARE), built(HOME._replace(tag=None, mount_point=None)), ()),
    "one of two tags can't be told": (
        shares(SHARE),
        built(HOME._replace(tag=None, source=None, mount_point=None)),
        (),
    ),
    "the command line was not read": (shares(), built(HOME, vcpu=None), ()),
    "the same volume": (volumes(VOLUME), built(DATA), ()),
    "an image spelled otherwise": (volumes({**VOLUME, "image": "./a.img"}), built(DATA), ()),
    "an image with its whole path": (volumes({**VOLUME, "image": f"{DIRECTORY}/a.img"}), built(DATA), ()),
    "another image": (volumes({**VOLUME, "image": "c.img"}), built(DATA), ("volumes a.img image",)),
    "another size": (volumes({**VOLUME, "size": 128}), built(DATA), ("volumes a.img size",)),
    "another file system": (volumes({**VOLUME, "fsType": "xfs"}), built(DATA), ("volumes a.img fsType",)),
    "a label": (volumes({**VOLUME, "label": "data"}), built(DATA), ("volumes a.img label",)),
    "a label without autoCreate": (
        volumes({**VOLUME, "label": "data", "autoCreate": False}),
        built(BY_HAND),
        (),
    ),
    "autoCreate": (volumes({**VOLUME, "autoCreate": False}), built(DATA), ("volumes a.img autoCreate",)),
    "not mounted": (
        volumes({"image": "a.img", "size": 64}),
        built(DATA),
        ("volumes a.img mountPoint",),
    ),
    "not mounted, and no fstab": (
        volumes({"image": "a.img", "size": 64}),
        built(DATA._replace(mount_point=None), fstab_read=False),
        (),
    ),
    "mounted, and no fstab": (volumes(VOLUME), built(DATA._replace(mount_point=None), fstab_read=False), ()),
    "mkfs arguments": (volumes({**VOLUME, "mkfsExtraArgs": ["-q"]}), built(DATA), ("volumes a.img mkfsExtraArgs",)),
    "serial": (volumes({**VOLUME, "serial": "S1"}), built(DATA), ("volumes a.img serial",)),
    "a serial that the hypervisor ignores": (
        volumes({**VOLUME, "serial": "S1"}),
        built(DATA, hypervisor=Hypervisor.KVMTOOL),
        (),
    ),
    "direct": (volumes({**VOLUME, "direct": True}), built(DATA), ("volumes a.img direct",)),
    "direct where that is ignored": (
        volumes({**VOLUME, "direct": True}),
        built(DATA._replace(direct=None), hypervisor=Hypervisor.FIRECRACKER),
        (),
    ),
    "a type of image that qemu takes as raw": (volumes({**VOLUME, "imageType": "qcow2"}), built(DATA), ()),
    "a type of image": (
        volumes({**VOLUME, "imageType": "qcow2"}),
        built(DATA, hypervisor=Hypervisor.CLOUD_HYPERVISOR),
        ("volumes a.img imageType",),
    ),
    "volumes change places": (volumes(OTHER, VOLUME), built(DATA, LAST), ("volumes order",)),
    "a volume before the other": (
        volumes({**VOLUME, "image": "new.img", "mountPoint": "/new"}, VOLUME),
        built(DATA),
        ("volumes new.img",),
    ),
    "memory": ({"mem": 1024}, built(), ("mem",)),
    "hot-plugged memory": ({"mem": 1024}, built(mem=None), ()),
    "CPUs": ({"vcpu": 2}, built(), ("vcpu",)),
    "another hypervisor": ({"hypervisor": "crosvm"}, built(), ("hypervisor",)),
    "vsock": ({"vsock": {"cid": 4}}, built(vsock_cid=3), ("vsock.cid",)),
    "the control socket": ({"socket": "other.sock"}, built(), ("socket",)),
    "the control socket spelled otherwise": ({"socket": f"{DIRECTORY}/web.sock"}, built(), ()),
    "the overlay": ({"writableStoreOverlay": "/nix/.rw-store"}, built(), ("writableStoreOverlay",)),
    "no overlay in the file": ({}, built(writable_store_overlay="/nix/.rw-store"), ()),
    "the overlay, and no fstab": ({"writableStoreOverlay": "/nix/.rw"}, built(fstab_read=False), ()),
    "the store disk": ({"storeOnDisk": True}, built(), ("storeOnDisk",)),
    "a store disk by default": ({"shares": []}, built(), ()),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_defined_beside_what_is_built(name: str) -> None:
    document, runner, places = CASES[name]
    found = drift(definition_of(document), runner, None, directory=DIRECTORY)
    assert tuple(one.place for one in found) == places
    for one in found:
        assert one.unbuilt
        assert not one.unbooted
        assert one.follows == (REBUILD,)


# What is defined, built and booted (None: not known), and what must follow.
FOLLOWS: tuple[tuple[int | None, int | None, int | None, tuple[Follow, ...]], ...] = (
    (1, 1, 1, ()),
    (2, 1, 1, (REBUILD, RESTART)),
    (2, 2, 1, (RESTART,)),
    (2, 1, 2, (REBUILD,)),
    (3, 2, 1, (REBUILD, RESTART)),
    (None, 2, 1, (RESTART,)),
    (2, None, 1, (REBUILD, RESTART)),
    (2, 1, None, (REBUILD, RESTART)),
    (None, None, 1, ()),
    (None, 1, None, ()),
)


@pytest.mark.parametrize(("defined", "runner", "running", "follows"), FOLLOWS)
def test_what_must_follow(
    defined: int | None, runner: int | None, running: int | None, follows: tuple[Follow, ...]
) -> None:
    found = drift(definition_of({"mem": defined} if defined else {}), built(mem=runner), built(mem=running))
    assert [one.follows for one in found] == ([follows] if follows else [])
    if found:
        known = ((DEFINED, defined), (BUILT, runner), (BOOTED, running))
        assert found[0].values == tuple((stage, value) for stage, value in known if value is not None)


def test_a_stage_that_is_not_there_differs_from_none() -> None:
    assert drift(definition_of(shares(SHARE)), None, None) == ()
    assert drift(None, built(HOME), None) == ()
    assert drift(None, None, None) == ()
    assert [one.follows for one in drift(definition_of(shares(SHARE)), built(), None)] == [(REBUILD,)]


def test_built_and_booted() -> None:
    (one,) = drift(None, built(HOME), built(HOME._replace(source="/srv/old")))
    assert (one.place, one.unbuilt, one.unbooted) == ("shares home source", False, True)
    (one,) = drift(None, built(HOME, DATA), built(HOME))
    assert (one.place, one.values) == ("volumes a.img", ((BUILT, True), (BOOTED, False)))


def test_an_item_has_the_name_that_it_runs_by() -> None:
    (one,) = drift(definition_of(volumes({**VOLUME, "image": "./a.img", "size": 1})), built(DATA), built(DATA))
    assert one.item == "a.img"


def one_of(field: str, values: tuple[tuple[Stage, Value], ...], kind: str = "", item: str = "") -> FieldDrift:
    return FieldDrift(kind, item, field, values, (), unbuilt=True, unbooted=False)


@pytest.mark.parametrize(
    ("one", "place", "words"),
    [
        (
            one_of("source", ((DEFINED, "/a"), (BUILT, "/b"), (BOOTED, "/b")), "shares", "home"),
            "share home source",
            "defined /a, built and booted /b",
        ),
        (
            one_of("", ((DEFINED, True), (BUILT, False)), "shares", "home"),
            "share home",
            "defined there, built not there",
        ),
        (one_of("readOnly", ((DEFINED, True), (BUILT, False))), "readOnly", "defined true, built false"),
        (one_of("mem", ((DEFINED, 1), (BUILT, 2))), "mem", "defined 1 MiB, built 2 MiB"),
        (one_of("label", ((DEFINED, None), (BUILT, "a"))), "label", "defined none, built a"),
        (one_of("mountPoint", ((DEFINED, None), (BUILT, "/a"))), "mountPoint", "defined not mounted, built /a"),
        (
            one_of("order", ((DEFINED, ("a", "b")), (BUILT, ("b", "a"))), "volumes"),
            "volumes order",
            "defined a b, built b a",
        ),
        (one_of("mkfsExtraArgs", ((DEFINED, ()), (BUILT, ("-q",)))), "mkfsExtraArgs", "defined none, built -q"),
    ],
)
def test_words(one: FieldDrift, place: str, words: str) -> None:
    assert place_words(one) == place
    assert stage_words(one) == words


# Properties

NAMES = st.text("abcxyz-.", min_size=1, max_size=8).map(lambda name: f"n{name}")
PATHS = NAMES.map(lambda name: f"/{name}")
SHARES: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    tag=NAMES,
    proto=st.sampled_from(("virtiofs", "9p")),
    source=PATHS,
    mountPoint=PATHS,
    readOnly=st.booleans(),
    cache=st.sampled_from(("auto", "always", "never", "metadata")),
    posixAcl=st.booleans(),
    securityModel=st.sampled_from(("none", "mapped", "passthrough")),
)
VOLUMES: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    image=NAMES,
    mountPoint=PATHS,
    size=st.integers(1, 1 << 20),
    fsType=st.sampled_from(("ext4", "xfs", "btrfs", "vfat")),
    label=NAMES,
    autoCreate=st.booleans(),
    mkfsExtraArgs=st.lists(NAMES, max_size=2),
    readOnly=st.booleans(),
    direct=st.booleans(),
    serial=NAMES,
)


def _apart(*keys: str) -> tuple[Any, ...]:
    return tuple(lambda table, key=key: table[key] for key in keys)


DOCUMENTS = st.fixed_dictionaries(
    {
        "hypervisor": st.sampled_from([str(each) for each in Hypervisor]),
        "mem": st.integers(1, 1 << 20),
        "vcpu": st.integers(1, 64),
        "shares": st.lists(SHARES, max_size=4, unique_by=_apart("tag", "mountPoint", "source")),
        "volumes": st.lists(VOLUMES, max_size=4, unique_by=_apart("image", "mountPoint")),
    }
)


@settings(deadline=None)
@given(DOCUMENTS)
def test_equal_definitions_never_differ(document: dict[str, Any]) -> None:
    definition = definition_of(document)
    assert drift(definition, definition, definition) == ()
    assert drift(definition, definition._replace(untold=frozenset()), None) == ()


@settings(deadline=None)
@given(DOCUMENTS, st.data())
def test_one_field_that_both_know_is_one_drift(document: dict[str, Any], data: st.DataObject) -> None:
    definition = definition_of(document)
    kinds = [kind for kind in ("shares", "volumes") if document[kind]]
    kind = data.draw(st.sampled_from(["", *kinds]))
    if kind == "":
        field = data.draw(st.sampled_from(["mem", "vcpu"]))
        changed = {**document, field: document[field] + 1}
        assert _places(definition, definition_of(changed)) == [field]
        return
    index = data.draw(st.integers(0, len(document[kind]) - 1))
    table = document[kind][index]
    known = _known(definition, kind, index)
    field = data.draw(st.sampled_from(sorted(known.keys() & table.keys())))
    tables = list(document[kind])
    tables[index] = {**table, field: _another(field, table[field])}
    name = table["tag" if kind == "shares" else "image"]
    assert _places(definition, definition_of({**document, kind: tables})) == [f"{kind} {name} {field}"]


@settings(deadline=None)
@given(DOCUMENTS, st.sampled_from(("shares", "volumes")))
def test_what_is_not_in_the_file_never_differs(document: dict[str, Any], kind: str) -> None:
    silent = definition_of({key: value for key, value in document.items() if key != kind})
    assert drift(silent, definition_of(document), None) == ()


def _known(definition: Definition, kind: str, index: int) -> dict[str, Value]:
    if kind == "shares":
        return share_fields(definition.shares[index], definition.hypervisor)
    return volume_fields(definition.volumes[index], definition, DEFINED, definition.hypervisor)


def _another(field: str, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value, "more"]
    if field == "proto":
        return "9p" if value == "virtiofs" else "virtiofs"
    return {"cache": {"auto": "never"}.get(value, "auto"), "fsType": {"ext4": "xfs"}.get(value, "ext4")}.get(
        field, f"{value}+"
    )


def _places(before: Definition, after: Definition) -> list[str]:
    return [one.place for one in drift(after, before, None)]


@pytest.mark.parametrize("hypervisor", Hypervisor)
def test_what_a_runner_tells_never_differs_from_its_definition(hypervisor: Hypervisor) -> None:
    whole = with_defaults(sample(hypervisor))
    told = as_told(whole)
    written = whole._replace(
        shares=tuple(share._replace(security_model=share.security_model or "none") for share in whole.shares),
        fstab_read=True,
        untold=frozenset({"storeOnDisk"}),
    )
    assert drift(written, told, told) == ()

"""What the host knows of the fields of a definition: whether a source is there and can be read, whose an image is."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from functools import partial

from mvtui.host.field_looks import account_of, file_ids, look_at_image, look_at_source
from mvtui.host.ports import Host
from mvtui.model.checks import check
from mvtui.model.checks.fields import Fields
from mvtui.model.definition import Definition
from mvtui.model.field_facts import ImageLook, OtherImage, SourceLook
from mvtui.model.finding import Finding
from mvtui.model.microvm import MicroVM, Snapshot
from mvtui.model.rules.finding import info
from mvtui.operations.in_time import LOOKS
from mvtui.operations.shares import resolve

# What has not answered by then is on a dead mount, or as slow as one.
CHECK_SECONDS = 2.0

_Look = SourceLook | ImageLook
_Key = tuple[object, ...]


async def check_fields(
    host: Host, microvm: MicroVM, definition: Definition, others: Snapshot, *, seconds: float = CHECK_SECONDS
) -> tuple[Finding, ...]:
    """What stands against `definition` of `microvm` on this host; the subjects are the fields' places, as with rules.
    `others` has the other microVMs. Nothing is changed, and nothing is waited for longer than twice `seconds`: a field
    behind a mount that does not answer gets a finding that says so. Raises nothing."""
    root, directory = host.root, microvm.path
    about = ("account", root, directory)
    account = (await LOOKS.gather({about: partial(account_of, host, directory)}, seconds)).get(about)
    works: dict[_Key, Callable[[], _Look]] = {}
    keys: dict[str, _Key] = {}
    for place, kind, path, look in _places(definition, directory):
        keys[place] = (kind, root, path, account)
        works[keys[place]] = partial(look, path, account, root)
    # The work holds the snapshot, so that no other one gets its id meanwhile.
    ids = ("others", root, microvm.name, id(others))
    found, with_ids = await asyncio.gather(
        LOOKS.gather(works, seconds), LOOKS.gather({ids: partial(_others, host, microvm, others)}, seconds)
    )
    seen = {place: found[key] for place, key in keys.items() if key in found}
    sources = ((n, seen.get(_source(n))) for n in range(len(definition.shares)))
    looks = ((n, seen.get(_image(n))) for n in range(len(definition.volumes)))
    fields = Fields(
        microvm.name,
        directory,
        definition,
        account,
        host.root_serves,
        {index: look for index, look in sources if isinstance(look, SourceLook)},
        {index: look for index, look in looks if isinstance(look, ImageLook)},
        _meant(with_ids.get(ids, ()), seen.values()),
    )
    return (*check(fields), *_unanswered(keys, seen))


def _places(definition: Definition, directory: str) -> Iterator[tuple[str, str, str, Callable[..., _Look]]]:
    """What is to be looked at: its place in the document, what it is, its absolute path, and how. Of what nobody could
    mean (a tilde), a rule tells."""
    for index, share in enumerate(definition.shares):
        if share.source and not share.source.startswith("~"):
            yield _source(index), "source", resolve(directory, share.source), look_at_source
    for index, volume in enumerate(definition.volumes):
        if volume.image and not volume.image.startswith("~"):
            yield _image(index), "image", resolve(directory, volume.image), look_at_image


def _source(index: int) -> str:
    return f"shares[{index}].source"


def _image(index: int) -> str:
    return f"volumes[{index}].image"


def _others(host: Host, microvm: MicroVM, others: Snapshot) -> tuple[OtherImage, ...]:
    """The volumes of all others, at every stage that is known. Of a thousand microVMs that takes a while: in a
    thread."""
    found: dict[tuple[str, str], OtherImage] = {}
    for other in others.microvms:
        built = other.built.definition if other.built is not None else None
        for stage, definition in (("booted", other.booted), ("built", built), ("defined", other.defined)):
            if definition is None or other.name == microvm.name:
                continue
            for volume in definition.volumes:
                key = (other.name, volume.image)
                if key not in found:
                    path = resolve(other.path, volume.image)
                    found[key] = OtherImage(other.name, stage, path, bool(volume.read_only))
    ids = file_ids([image.path for image in found.values()], host.root)
    return tuple(image._replace(file_id=known) for image, known in zip(found.values(), ids, strict=True))


def _meant(images: tuple[OtherImage, ...], looks: Collection[_Look]) -> tuple[OtherImage, ...]:
    """Those that are at the path of one that was looked at, or are its file."""
    own = [look for look in looks if isinstance(look, ImageLook)]
    paths, ids = {look.path for look in own}, {look.file_id for look in own} - {None}
    return tuple(image for image in images if image.path in paths or image.file_id in ids)


def _unanswered(keys: dict[str, _Key], seen: dict[str, _Look]) -> Iterator[Finding]:
    for place, (_, _, path, _) in keys.items():
        if place not in seen:
            yield info(
                place,
                f"{path} can't be checked: what it is on does not answer.",
                "Its mount is dead, or very slow (NFS, FUSE).",
                "see that its server runs: findmnt --target tells which it is",
            )

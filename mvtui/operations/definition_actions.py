"""What a microVM's store is made of, in one step each: a writable overlay on a volume, or the host's store as a share.

    change = make_writable(host, microvm, open_document(host, microvm))
    seen = review(change.document, change.text)          # what to show before it is saved
    save(host, change.document, change.text)

Both raise MvtuiError (REFUSED) where that can't work, with why. Blocking for no longer than SPACE_SECONDS.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from mvtui.errors import ExitCode, MvtuiError
from mvtui.host.documents import parse
from mvtui.host.field_looks import look_at_image, look_at_source
from mvtui.host.ports import Host
from mvtui.model.definition import HOST_STORE, Definition, Share, ShareProto
from mvtui.model.document import OVERLAY_IMAGE, definition_of
from mvtui.model.edit import AddItem, Edit, ItemKind, SetOverlay, Value
from mvtui.model.facts import SourceKind
from mvtui.model.field_facts import ImageLook
from mvtui.model.finding import Severity
from mvtui.model.format import size as written_size
from mvtui.model.hypervisor import Hypervisor
from mvtui.model.microvm import MicroVM
from mvtui.model.own_command import own_command
from mvtui.model.rules.hypervisors import NO_READ_ONLY_9P, SHARES
from mvtui.model.rules.mount_points import RO_STORE
from mvtui.model.rules.paths import same_path
from mvtui.model.text import clean
from mvtui.operations.definitions_save import Document, apply, review
from mvtui.operations.in_time import LOOKS
from mvtui.operations.shares import resolve

RW_STORE = "/nix/.rw-store"
TAG = "ro-store"

MIB = 1 << 20
# What is made where there is room: a few builds. Never more than half of what is free, and never less than a build
# needs.
USUAL_MIB, LEAST_MIB, STEP_MIB = 8192, 256, 64
SPACE_SECONDS = 2.0


class Change(NamedTuple):
    """`edits` lead from `document` to `text`, which defines `definition`. `what` is what becomes of it, in a few words;
    `words` are sentences: what it is made of, what it means for the guest, the build and the host."""

    document: Document
    edits: tuple[Edit, ...]
    text: str
    definition: Definition
    what: str
    words: tuple[str, ...]


def make_writable(host: Host, microvm: MicroVM, document: Document, *, size: int | None = None) -> Change:
    """The overlay and the volume that it lies on, of `size` MiB, else of what fits the disk.

    It needs no share: below the overlay lies what the guest's store is now, its store disk or the host's store
    (mounts.nix, `roStore`)."""
    definition = _definition(document)
    overlay = _told(microvm, definition, "writableStoreOverlay").writable_store_overlay
    path = overlay or RW_STORE
    volumes, shares = _told(microvm, definition, "volumes").volumes, _told(microvm, definition, "shares").shares
    volume = next((each for each in volumes if each.mount_point and same_path(each.mount_point, path)), None)
    share = next((each for each in shares if each.mount_point and same_path(each.mount_point, path)), None)
    if overlay is not None and volume is not None:
        raise _refused(
            f"the store of {microvm.name} is writable already: its overlay lies on {volume.image}",
            f"{own_command('reset', microvm.name)} empties it",
        )
    if share is not None:
        raise _on_a_share(microvm, share, path, is_set=overlay is not None)
    edits: list[Edit] = [] if overlay is not None else [SetOverlay(path)]
    words = []
    if volume is not None:
        words.append(f"The overlay lies on {volume.image}, which is mounted at {path} already.")
    else:
        image, look = _new_image(host, microvm, definition)
        mib, told = _fitting(look, size)
        values: dict[str, Value] = {"image": image, "mountPoint": path, "size": mib}
        edits.append(AddItem(ItemKind.VOLUMES, values))
        words += [
            f"{image} is made at the next start, with {mib} MiB: {told}",
            _below(_told(microvm, definition, "shares")),
        ]
    words += [
        "The guest can build and install then. Its Nix database forgets that at each reboot: "
        f"{own_command('reset', microvm.name)} empties the overlay before a start.",
        "nix.optimise.automatic and nix.settings.auto-optimise-store must be off in the guest: microvm.nix asserts it.",
    ]
    return _change(document, edits, f"the store of {microvm.name} becomes writable", words)


def share_store(host: Host, microvm: MicroVM, document: Document) -> Change:
    """A share of the host's store, in place of a store disk."""
    definition = _definition(document)
    hypervisor = document.hypervisor or Hypervisor.QEMU
    if any(share.source == HOST_STORE for share in _told(microvm, definition, "shares").shares):
        raise _refused(f"{microvm.name} shares the host's store already", "")
    able = SHARES[hypervisor]
    if not able:
        raise _refused(f"{hypervisor} has no shares: its guests need a store disk", "another hypervisor")
    if document.values.get("storeOnDisk") is True:
        raise _refused(
            "storeOnDisk = true stands in the file: the guest would go on with its store disk",
            "take that line out first",
        )
    proto = ShareProto.VIRTIOFS if ShareProto.VIRTIOFS in able else ShareProto.NINE_P
    values: dict[str, Value] = {
        "proto": str(proto),
        "tag": _unused(TAG, [share.tag for share in definition.shares]),
        "source": HOST_STORE,
        "mountPoint": RO_STORE,
    }
    words = [
        "No store disk is built any more (storeOnDisk becomes false): a rebuild is faster, and takes less of the disk.",
        "The guest sees all of the host's store, also what other microVMs and the host itself are made of.",
    ]
    if proto is ShareProto.VIRTIOFS:
        values["readOnly"] = True
        words.append("virtiofsd serves it: where that fails, the guest does not start.")
        if _without_acls(host):
            values["posixAcl"] = False
            words.append(f"The file system of {HOST_STORE} has no ACLs, so posixAcl is false.")
    elif hypervisor not in NO_READ_ONLY_9P:
        values["readOnly"] = True
    else:
        words.append(f"{hypervisor} has no read-only 9p shares; its user can't write the host's store.")
    if definition.writable_store_overlay is not None:
        words.append("The writable overlay stays, over another store: reset it after the rebuild.")
    return _change(document, [AddItem(ItemKind.SHARES, values)], f"{microvm.name} shares the host's store", words)


def _told(microvm: MicroVM, definition: Definition, key: str) -> Definition:
    """Where the file does not name `key`, a module beside it may: then what is built tells."""
    built = microvm.built.definition if microvm.built is not None else None
    return built if key in definition.untold and built is not None else definition


def _without_acls(host: Host) -> bool:
    work = partial(look_at_source, HOST_STORE, None, host.root)
    look = LOOKS.one(("source", host.root, HOST_STORE, None), work, SPACE_SECONDS)
    return look is not None and look.has_acls is False


def _definition(document: Document) -> Definition:
    name = clean(document.microvm.name)
    if not document.exists:
        raise _refused(f"{name} has no definition file", f"{own_command('adopt', document.microvm.name)} writes it")
    if document.definition is None:
        raise _refused(f"{document.path} is wrong as it is: {_first_error(document)}", "mend that first")
    return document.definition


def _first_error(document: Document) -> str:
    errors = [each.finding for each in document.findings if each.finding.severity is Severity.ERROR]
    return f"{errors[0].subject}: {errors[0].what}" if errors else "a type is wrong"


def _on_a_share(microvm: MicroVM, share: Share, path: str, *, is_set: bool) -> MvtuiError:
    if share.proto is ShareProto.NINE_P:
        return _refused(
            f"the 9p share {share.tag} is mounted at {path}, and 9p can't be the upper layer of an overlay: it mounts, "
            "but nothing can be deleted",
            "give that share another mount point",
        )
    if is_set:
        return _refused(
            f"the store of {microvm.name} is writable already: its overlay lies on the share {share.tag}", ""
        )
    return _refused(
        f"the share {share.tag} is mounted at {path}, and microvm.nix advises against an overlay on a share",
        "give that share another mount point",
    )


def _new_image(host: Host, microvm: MicroVM, definition: Definition) -> tuple[str, ImageLook | None]:
    """A name that no volume has and nothing on the disk: an image that exists would stay as it is."""
    taken = [volume.image for volume in definition.volumes]
    while True:
        image = _unused(OVERLAY_IMAGE, taken)
        path = resolve(microvm.path, image)
        look = LOOKS.one(("image", host.root, path, None), partial(look_at_image, path, None, host.root), SPACE_SECONDS)
        if look is None or look.kind in (None, SourceKind.NOTHING) or len(taken) > len(definition.volumes) + 100:
            return image, look
        taken.append(image)


def _unused(name: str, taken: Sequence[str | None]) -> str:
    stem, dot, ending = name.partition(".")
    known = {other.removeprefix("./") for other in taken if other is not None}
    number, found = 1, name
    while found in known:
        number += 1
        found = f"{stem}-{number}{dot}{ending}"
    return found


def _fitting(look: ImageLook | None, wanted: int | None) -> tuple[int, str]:
    """The size in MiB, and why it is that."""
    space = look.space if look is not None else None
    if space is None or look is None:
        if wanted is None:
            raise _refused("how much of the disk is free can't be told", "say a size")
        return wanted, "as asked; how much of the disk is free can't be told."
    free, where = space.free // MIB, f"{written_size(space.free)} are free for {look.path}"
    if wanted is not None:
        if wanted > space.total // MIB:
            raise _refused(f"{wanted} MiB are more than the disk has: {where}", f"{free // 2} or less")
        sparse = "; it is sparse, and the guest gets I/O errors when the disk is full" if wanted > free else ""
        return wanted, f"as asked; {where}{sparse}."
    if free // 2 >= USUAL_MIB:
        return USUAL_MIB, f"{where}. It is sparse, and takes what is written to it."
    fitting = free // 2 // STEP_MIB * STEP_MIB
    if fitting < LEAST_MIB:
        raise _refused(f"the disk is too full for an overlay of {LEAST_MIB} MiB: {where}", "make room")
    return fitting, f"half of what is left, as {where}."


def _below(definition: Definition) -> str:
    if definition.store_on_disk:
        return "Below it the store disk stays as it is: a share of the host's store is not needed."
    return "Below it the host's store, which is shared, stays read-only for the guest."


def _change(document: Document, edits: Sequence[Edit], what: str, words: Sequence[str]) -> Change:
    """Raises MvtuiError where a rule stands against what comes of it."""
    text = apply(document, edits)
    for located in review(document, text).findings:
        finding = located.finding
        if finding.severity is Severity.ERROR:
            where = f"{finding.subject}: " if finding.subject else ""
            raise _refused(f"{where}{finding.what} {finding.why}".strip().rstrip("."), finding.fix)
    definition = definition_of(parse(document.path, text))
    return Change(document, tuple(edits), text, definition, clean(what), tuple(clean(each) for each in words))


def _refused(message: str, hint: str) -> MvtuiError:
    return MvtuiError(clean(message), clean(hint), ExitCode.REFUSED)

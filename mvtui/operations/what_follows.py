"""What must be done until a guest has what its definition file says."""

from collections.abc import Iterator

from mvtui.model.definition import Definition
from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.operations.health import rebuild_command


def follows(microvm: MicroVM, old: Definition | None, new: Definition | None) -> tuple[str, ...]:
    """Sentences: the drive letters that move from `old` to `new` (None: can't be told), then the steps to the guest."""
    return (*moved_letters(old, new), *_steps(microvm))


def dropped(old: Definition | None, new: Definition | None) -> Iterator[str]:
    """Sentences: the shares and volumes of `old` that `new` does not have (None: can't be told), and what stays."""
    if old is None or new is None:
        return
    tags = {share.tag for share in new.shares}
    images = {volume.image for volume in new.volumes}
    for share in old.shares:
        if share.tag not in tags:
            yield clean(f"share {share.tag} goes: the guest has no {share.mount_point} any more; {share.source} stays")
    for volume in old.volumes:
        if volume.image not in images:
            yield clean(f"volume {volume.image} goes: the guest no longer has it; the image stays where it is")


def moved_letters(old: Definition | None, new: Definition | None) -> Iterator[str]:
    """A sentence for each volume whose drive letter is another one in `new`; none where one of the two is None."""
    if old is None or new is None:
        return
    letters = {volume.image: volume.letter for volume in old.volumes}
    for volume in new.volumes:
        before = letters.get(volume.image)
        if before is not None and volume.letter is not None and before != volume.letter:
            yield f"{clean(volume.image)} becomes vd{volume.letter}; it is vd{before} now."


def _steps(microvm: MicroVM) -> Iterator[str]:
    command = "microvm -u"
    if microvm.entry is not None:
        command = rebuild_command(clean(microvm.name), microvm.entry)
    yield f"Rebuild: {command}."
    if microvm.booted is not None:
        yield f"Then restart {clean(microvm.name)}."

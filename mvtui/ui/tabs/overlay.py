"""What resets have set aside of a microVM's overlay, when it is reset by itself, and the keys that change it."""

from collections.abc import Iterator

from mvtui.model import overlay_words
from mvtui.model.overlay import OverlayKind
from mvtui.model.overlay_target import find_target
from mvtui.model.text import clean
from mvtui.ui.lines import Line
from mvtui.ui.tabs.details import detail
from mvtui.ui.tabs.page import Page


def overlay_lines(page: Page) -> Iterator[Line]:
    """A line for what is kept, and one where it is armed; none where neither."""
    microvm = page.microvm
    if microvm.kept:
        newest = overlay_words.kept_words(microvm.kept[0], page.now)
        yield (("kept  ", "dim"), (newest, "text"), *page.offer("undo", "brings it back"), *_free(page))
    if microvm.armed is not None:
        words = overlay_words.armed_words(microvm.armed)
        yield (("armed ", "dim"), (words, "text"), *page.offer("arm", "changes that"))


def overlay_details(page: Page, width: int) -> Iterator[Line]:
    """The same below the volume or the share that holds the overlay: each that is kept, with its path."""
    microvm = page.microvm
    for number, kept in enumerate(microvm.kept):
        words = f"{overlay_words.kept_words(kept, page.now)}: {clean(kept.path)}"
        yield from detail("" if number else "kept", words, width)
    if microvm.kept:
        yield ((" " * 11, "text"), *page.offer("undo", "brings the newest back"), *_free(page))
    if microvm.armed is not None:
        yield from detail("armed", overlay_words.armed_words(microvm.armed), width)


def overlay_share(page: Page) -> str | None:
    """The tag of the share that holds the overlay."""
    target = find_target(page.microvm, None, None)
    return target.tag if target.kind is OverlayKind.SHARE else None


def _free(page: Page) -> Line:
    return page.offer("free", "frees it" if len(page.microvm.kept) == 1 else "frees all")

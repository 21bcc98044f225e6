"""What the palette offers: every action, every theme, and every microVM by its name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from mvtui.model.microvm import MicroVM
from mvtui.model.text import clean
from mvtui.ui.charset import fit
from mvtui.ui.command import Command, Situation
from mvtui.ui.commands import COMMANDS, help_of
from mvtui.ui.glyphs import glyph_of
from mvtui.ui.key_names import labels_within
from mvtui.ui.keys import Keys
from mvtui.ui.lines import Line

_KEYS_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """An action, a microVM whose page it opens, or a theme. `words` is what is searched and shown; `about` says more of
    a theme; `refusal` says why it can't be done now, "" where it can."""

    words: str
    command: Command | None = None
    microvm: MicroVM | None = None
    refusal: str = ""
    theme: str = ""
    about: str = ""

    @property
    def key(self) -> str:
        """What tells it from the others."""
        if self.command is not None:
            return f"do {self.command.id}"
        return self.words if self.theme else f"open {self.words}"

    def line(self, keys: Keys, width: int, ascii_only: bool) -> Line:
        """As the palette shows it; why not, where it can't be done."""
        if self.command is not None:
            label = labels_within(keys.get(self.command.id, self.command.keys), _KEYS_WIDTH)
            told = help_of(self.command, keys)
            more = "" if told == self.command.words else told.removeprefix(f"{self.command.words}; ")
            return self._line(label, more, width)
        if self.microvm is None:
            return self._line(" " * _KEYS_WIDTH, clean(self.about), width)
        state = self.microvm.state.word
        glyph = f"{glyph_of(state, ascii_only)} "
        return (("  open     ", "dim"), (glyph, str(state)), (fit(self.words, 24), "strong"), (state, "dim"))

    def _line(self, label: str, more: str, width: int) -> Line:
        text = f"{self.words}: {self.refusal}" if self.refusal else f"{fit(self.words, 24)}  {more}"
        role = "dim" if self.refusal else "text"
        return ((f"  {label} ", "dim" if self.refusal else "key"), (fit(text, max(0, width - 11)), role))


def offers(
    microvms: tuple[MicroVM, ...],
    targets: tuple[MicroVM, ...],
    selected: MicroVM | None,
    situations: Sequence[Situation],
    keys: Keys,
    themes: Sequence[Offer] = (),
) -> list[Offer]:
    """All that there is. Actions on a microVM mean `targets`, and can be used where they can on one of them; the page
    that can be opened is that of `selected`."""
    found = []
    for one in sorted(COMMANDS, key=lambda one: one.group != "Act"):
        if not one.in_palette:
            continue
        refusal = one.refusal_of_all(situations)
        if one.id not in keys:
            refusal = refusal or "not here"
        meant = targets if one.group == "Act" else (selected,) if one.id == "open" and selected is not None else ()
        found.append(Offer(f"{one.words} {_target(meant)}".rstrip(), one, refusal=refusal))
    return [*found, *themes, *[Offer(clean(microvm.name), microvm=microvm) for microvm in microvms]]


def _target(targets: tuple[MicroVM, ...]) -> str:
    if len(targets) > 1:
        return f"{len(targets)} marked"
    return clean(targets[0].name) if targets else ""


def matching(all_offers: list[Offer], text: str) -> list[Offer]:
    """Those whose words have every word of `text` in them, whatever their case; what begins with it comes
    first, what can't be done last."""
    words = text.casefold().split()
    found = [offer for offer in all_offers if all(word in offer.words.casefold() for word in words)]
    begins = words[0] if words else ""
    return sorted(found, key=lambda offer: (bool(offer.refusal), not offer.words.casefold().startswith(begins)))

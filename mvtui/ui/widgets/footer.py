"""The last line: the keys that are used most."""

from collections.abc import Sequence

from textual.geometry import Size

from mvtui.ui.command import Situation
from mvtui.ui.commands import COMMANDS
from mvtui.ui.keys import Keys, key_label
from mvtui.ui.lines import Line, Lines, width_of


def footer_line(keys: Keys, situations: Sequence[Situation], width: int, *, on_list: bool = True) -> Line:
    """The keys that have room, with what they do, dimmed where they can't be used now; none that read-only refuses.
    The last two (help, back) always have room."""
    shown = [one for one in COMMANDS if one.in_footer and keys.get(one.id)]
    first = situations[0]
    if first.read_only:
        shown = [one for one in shown if one.group != "Act" and not (first.locked and one.refusal(first))]
    pairs = [
        (
            (key_label(keys[one.id][0]), "off" if one.refusal_of_all(situations) else "key"),
            (f" {'quit' if one.id == 'back' and on_list else one.words}  ", "dim"),
        )
        for one in shown
    ]
    gap = 2  # behind the last one, which needs none
    while len(pairs) > 2 and width_of(tuple(piece for pair in pairs for piece in pair)) - gap > width:
        pairs.pop(-3)
    return tuple(piece for pair in pairs for piece in pair)


class Footer(Lines):
    """One line, for the keys that work on the level that is open."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: Keys = {}
        self._situations: Sequence[Situation] = (Situation(None),)

    def show_keys(self, keys: Keys, situations: Sequence[Situation]) -> None:
        """These work from now on."""
        self._keys, self._situations = keys, situations
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The line for this width."""
        return (footer_line(self._keys, self._situations, size.width, on_list="open" in self._keys),)

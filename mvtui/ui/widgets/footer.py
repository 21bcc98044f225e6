"""The last line: the keys that are used most."""

from mvtui.ui.commands import COMMANDS
from mvtui.ui.lines import Line, Lines, width_of
from mvtui.ui.picture import Picture


def footer_line(width: int, read_only: bool) -> Line:
    """The keys that have room, with what they do; none that read-only refuses. Help and quit always have room."""
    shown = [one for one in COMMANDS if one.in_footer and not (read_only and one.verb is not None)]
    keys = [((one.shown_keys.split(" ")[0], "key"), (f" {one.words}  ", "dim")) for one in shown]
    while len(keys) > 2 and width_of(tuple(piece for pair in keys for piece in pair)) > width:
        keys.pop(-3)
    return tuple(piece for pair in keys for piece in pair)


class Footer(Lines):
    """One line."""

    def present(self, picture: Picture) -> None:
        """Show the keys that can be used."""
        self.show(footer_line(self.size.width, picture.read_only))

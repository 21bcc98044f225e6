"""The last line: the keys that are used most."""

from mvtui.ui.commands import COMMANDS, command
from mvtui.ui.lines import Line, width_of
from mvtui.ui.picture import Picture
from mvtui.ui.widgets.picture_line import PictureLine


def footer_line(picture: Picture, width: int) -> Line:
    """The keys that have room, with what they do; none that read-only refuses. Help and quit always have room."""
    refused = [one for one in COMMANDS if one.verb is not None] if picture.read_only else []
    if picture.locked:
        refused.append(command("toggle_read_only"))
    shown = [one for one in COMMANDS if one.in_footer and one not in refused]
    keys = [((one.shown_keys.split(" ")[0], "key"), (f" {one.words}  ", "dim")) for one in shown]
    while len(keys) > 2 and width_of(tuple(piece for pair in keys for piece in pair)) > width:
        keys.pop(-3)
    return tuple(piece for pair in keys for piece in pair)


class Footer(PictureLine):
    """One line."""

    def line(self, picture: Picture, width: int) -> Line:
        """The line for this width."""
        return footer_line(picture, width)

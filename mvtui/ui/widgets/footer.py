"""The last line: the keys that are used most."""

from textual.geometry import Size

from mvtui.ui.commands import COMMANDS, command
from mvtui.ui.lines import Line, Lines, width_of
from mvtui.ui.picture import Picture


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


class Footer(Lines):
    """One line."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None

    def present(self, picture: Picture) -> None:
        """Show this from now on."""
        self._picture = picture
        self.update()

    def fitted(self, size: Size) -> tuple[Line, ...]:
        """The line for this width."""
        return (footer_line(self._picture, size.width),) if self._picture is not None else ()

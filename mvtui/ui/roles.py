"""Roles of text, and the style that the theme gives each: `vm-ROLE` is its colour, `vm-ROLE-style` its attributes.

They are no component classes of Textual, since those cost every widget a pass of the style sheet for each role.
"""

from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from mvtui.model.finding import Severity

SEVERITY_ROLES = {Severity.INFO: "text", Severity.WARNING: "warning", Severity.ERROR: "error"}


@lru_cache(512)
def _style(colour: str, attributes: str, background: Color) -> Style:
    return Style.parse(attributes) + Style(color=Color.parse(colour).rich_color, bgcolor=background.rich_color)


def style_of(widget: Widget, role: str, background: Color, emphasis: str = "") -> Style:
    """The role's style on `background`; `emphasis` is a word whose style comes on top."""
    variables = widget.app.theme_variables
    attributes = variables.get(f"vm-{role}-style", "none")
    if emphasis:
        attributes = variables.get(f"vm-{emphasis}-style", attributes)
    return _style(variables[f"vm-{role}"], attributes, background)


def cursor_style(widget: Widget) -> Style:
    """What the cursor lays over a line: a background, or everything where it is shown in reverse."""
    variables = widget.app.theme_variables
    background = Color.parse(variables["vm-cursor"])
    attributes = variables.get("vm-cursor-style", "none")
    if attributes == "none":
        return Style(bgcolor=background.rich_color)
    return _style(variables["vm-text"], attributes, background)

"""From a change of a definition to the file on disk."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mvtui.ui.overlay_acting import OverlayApp

if TYPE_CHECKING:
    from mvtui.operations.definitions_save import Document

Left = Callable[[], None] | None


class DefinitionApp(OverlayApp, inherit_bindings=False):
    """The part of the panel that saves definition files."""

    def review_definition(self, document: "Document", new_text: str, what: str, left: Left = None) -> None:  # noqa: ARG002
        """Show what it means to save `new_text`, and save it where a person says so."""
        self.say(f"no review yet: {what}", "warning")

    def adopt_definition(self, name: str) -> None:
        """Write the definition file of that microVM from what is built."""
        self.say(f"mvtui adopt {name} writes it", "warning")

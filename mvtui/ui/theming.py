"""The part of the panel that has a theme, and changes it."""

from collections.abc import Callable, Mapping

from textual.app import App
from textual.theme import Theme

from mvtui.host.themes import Themes, require
from mvtui.model.finding import Finding, Severity
from mvtui.model.theme import AUTO
from mvtui.ui.lines import Piece
from mvtui.ui.palette import Offer
from mvtui.ui.themes import choose, textual_theme


class ThemedApp(App[None], inherit_bindings=False):
    """Its `themes` are read at the start, and again with `read_themes` when one is chosen."""

    read_themes: Callable[[], Themes]
    _wearable: Mapping[str, Theme]
    _automatic: str
    _own_colours: str
    # What is to be said of the theme once the panel stands; "" where all is well.
    theme_said = ""

    def dress(self, wanted: str, automatic: str, own_colours: str, read: Callable[[], Themes]) -> None:
        """Take the theme `wanted`, or say why another; before App.__init__: chosen later, NO_COLOR is black on black.
        See `choose`. Raises MvtuiError where `automatic` is no theme."""
        self.read_themes = read
        self._automatic, self._own_colours = automatic, own_colours
        name = self._take_theme(wanted, read())
        broken = [fault for fault in self.themes.faults if not fault.usable]
        if broken and not self.theme_said:
            self.theme_said = broken[0].short
        self.set_reactive(App.theme, name)

    def _take_theme(self, wanted: str, themes: Themes) -> str:
        require(themes, self._automatic)
        self.themes = themes
        self._wearable = {name: textual_theme(theme) for name, theme in themes.found.items()}
        name, self.theme_said = choose(wanted, self._automatic, self._own_colours, themes)
        return name

    @property
    def available_themes(self) -> dict[str, Theme]:
        """The panel's own, and Textual's."""
        return {**super().available_themes, **self._wearable}

    @property
    def theme_findings(self) -> tuple[Finding, ...]:
        """Which theme is used where another was wanted, and what is wrong with the themes' files."""
        faults = tuple(fault.finding for fault in self.themes.faults)
        if not self.theme_said or self.tells_more_of_themes:
            return faults
        return (Finding(Severity.INFO, "theme", "", self.theme_said), *faults)

    @property
    def tells_more_of_themes(self) -> bool:
        """Whether `theme_findings` say more than `theme_said`."""
        return any(not fault.usable for fault in self.themes.faults)

    @property
    def theme_offers(self) -> list[Offer]:
        """The themes for the palette; those that this terminal can't show say so. One that can't be used is offered
        all the same: it may have been mended."""
        return [Offer(f"theme {AUTO}", theme=AUTO, about="by the terminal"), *map(self._theme_offer, self.themes.names)]

    def _theme_offer(self, name: str) -> Offer:
        theme, fault = self.themes.found.get(name), self.themes.unusable(name)
        about = theme.about if theme is not None else fault.short if fault is not None else ""
        if name == self.theme:
            about = f"{about}; in use".removeprefix("; ")
        refusal = self._own_colours if theme is not None and not theme.ansi else ""
        return Offer(f"theme {name}", theme=name, about=about, refusal=refusal)

    def wear(self, wanted: str, themes: Themes) -> Piece:
        """Change to that one of these themes; what is to be said of it, and in which role. Raises MvtuiError where
        mvtui's own are gone."""
        name = self._take_theme(wanted, themes)
        if name == self.theme:
            self.mutate_reactive(ThemedApp.theme)  # its colours may be others
        else:
            self.theme = name
        if self.theme_said:
            return self.theme_said, "warning"
        return f'theme {name}; theme = "{wanted}" in config.toml keeps it', "text"

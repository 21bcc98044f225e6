"""The part of the panel that has a theme, and changes it."""

from collections.abc import Mapping

from textual.app import App
from textual.theme import Theme

from mvtui.host.themes import Themes, read_themes, require
from mvtui.model.finding import Finding, Severity
from mvtui.model.theme import AUTO
from mvtui.ui.palette import Offer
from mvtui.ui.themes import choose, textual_theme


class ThemedApp(App[None], inherit_bindings=False):
    """Its `themes` are read once, at the start."""

    _wearable: Mapping[str, Theme]
    _automatic: str
    _own_colours: str
    # What is to be said of the theme once the panel stands; "" where all is well.
    theme_said = ""

    def dress(self, wanted: str, automatic: str, own_colours: str, themes: Themes | None) -> None:
        """Take the theme `wanted`, or say why another; before App.__init__: chosen later, NO_COLOR is black on black.
        See `choose`; `themes` are those of this host by default. Raises MvtuiError where `automatic` is no theme."""
        self.themes = themes if themes is not None else read_themes()
        require(self.themes, automatic)
        self._automatic, self._own_colours = automatic, own_colours
        self._wearable = {name: textual_theme(theme) for name, theme in self.themes.found.items()}
        name, self.theme_said = choose(wanted, automatic, own_colours, self.themes)
        broken = [fault for fault in self.themes.faults if not fault.usable]
        if broken and not self.theme_said:
            self.theme_said = broken[0].short
        self.set_reactive(App.theme, name)

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
        """The themes for the palette; those that this terminal can't show say so."""
        offers = []
        for name in (AUTO, *sorted(self.themes.found)):
            about = "by the terminal" if name == AUTO else self.themes.found[name].about
            if name == self.theme:
                about = f"{about}; in use".removeprefix("; ")
            chosen = choose(name, self._automatic, self._own_colours, self.themes)
            refusal = self._own_colours if chosen.said else ""
            offers.append(Offer(f"theme {name}", theme=name, about=about, refusal=refusal))
        return offers

    def wear(self, name: str) -> str:
        """Change to that theme of the palette; what is to be said of it."""
        self.theme = choose(name, self._automatic, self._own_colours, self.themes).name
        return f'theme {self.theme}; theme = "{name}" in config.toml keeps it'

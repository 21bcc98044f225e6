"""How something is, as the glyph of a state in its colour. Pure."""

from mvtui.model.microvm import MicroVM, ShareHealth
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitKind, UnitStatus
from mvtui.ui.lines import Piece

_HEALTH = {
    ShareHealth.UP: StateWord.RUNNING,
    ShareHealth.DOWN: StateWord.FAILED,
    ShareHealth.OFF: StateWord.STOPPED,
    ShareHealth.UNKNOWN: StateWord.UNKNOWN,
}
_UNIT_STATES = {
    "active": StateWord.RUNNING,
    "reloading": StateWord.STARTING,
    "activating": StateWord.STARTING,
    "deactivating": StateWord.STOPPING,
    "failed": StateWord.FAILED,
    "inactive": StateWord.STOPPED,
}


def glyph_of(word: StateWord, ascii_only: bool) -> str:
    """The state's glyph that the terminal can show."""
    return word.ascii_glyph if ascii_only else word.glyph


def state_glyph(word: StateWord, ascii_only: bool) -> Piece:
    """How a microVM is."""
    return (glyph_of(word, ascii_only), str(word))


def share_glyph(health: ShareHealth, ascii_only: bool) -> Piece:
    """How a share is."""
    return state_glyph(_HEALTH[health], ascii_only)


def unit_glyph(microvm: MicroVM, unit: UnitStatus, ascii_only: bool) -> Piece:
    """How a unit is: that of virtiofsd is degraded where a share of it is down, whatever it says of itself."""
    word = _UNIT_STATES.get(unit.active_state, StateWord.UNKNOWN)
    if word is StateWord.RUNNING and unit.kind is UnitKind.VIRTIOFSD and _share_is_down(microvm):
        word = StateWord.DEGRADED
    return state_glyph(word, ascii_only)


def _share_is_down(microvm: MicroVM) -> bool:
    return any(status.health is ShareHealth.DOWN for status in microvm.shares)

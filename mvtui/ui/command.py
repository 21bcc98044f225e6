"""What a command of the panel is: the one declaration that bindings, footer, palette, help and refusals come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from mvtui.model.microvm import MicroVM
from mvtui.model.state import StateWord
from mvtui.model.unit import UnitVerb
from mvtui.ui.keys import Keys


class Tier(IntEnum):
    """How much is asked before something happens: nothing; a bar; a panel with the facts; to type a name or a count.

    What acts on several microVMs at once asks for their count, whatever its tier.
    """

    FREE = 0
    ASK = 1
    FACTS = 2
    TYPE = 3


class Place(StrEnum):
    """Where a command's keys work: everywhere, where there is a cursor, in the list, on a microVM's page, on its tab of
    processes, of logs, of the timeline, in the panel of its definition (which takes its keys itself)."""

    PANEL = "panel"
    MOVE = "move"
    LIST = "list"
    PAGE = "page"
    PROCESSES = "processes"
    LOGS = "logs"
    TIMELINE = "timeline"
    DEFINITION = "definition"


class OverlayVerb(StrEnum):
    """What can be done with a microVM's overlay; the value is how a question names it."""

    RESET = "reset"
    FRESH = "reset and start"
    STOP_FRESH = "stop, reset, start"
    RESTORE = "restore"
    FREE = "free"
    ARM_ONCE = "arm once"
    ARM_ALWAYS = "arm always"
    DISARM = "disarm"

    @property
    def command(self) -> str:
        """The id of the command that leads to it."""
        return _COMMANDS[self]


class DefinitionVerb(StrEnum):
    """What leads from a definition file to what is built; it goes on beside the verbs that act on units."""

    REBUILD = "rebuild"


_COMMANDS = {
    **dict.fromkeys((OverlayVerb.RESET, OverlayVerb.FRESH, OverlayVerb.STOP_FRESH), "reset"),
    OverlayVerb.RESTORE: "undo",
    OverlayVerb.FREE: "free",
    **dict.fromkeys((OverlayVerb.ARM_ONCE, OverlayVerb.ARM_ALWAYS, OverlayVerb.DISARM), "arm"),
}


class VolumeVerb(StrEnum):
    """What can be done with a volume's image; the value is how a question names it."""

    GROW = "grow"

    @property
    def command(self) -> str:
        """The id of the command that leads to it."""
        return self.value


class ShareVerb(StrEnum):
    """What can be done for a share; the value is the id of the command that leads to it."""

    MAKE_SOURCE = "make_source"


# What a job does.
Verb = UnitVerb | OverlayVerb | DefinitionVerb | VolumeVerb | ShareVerb


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether a command can be used. `locked`: read-only cannot be switched off; `busy`: what is under
    way on the microVM; `can_cancel`: whoever runs the units can call off what is under way; `keys`: those that work."""

    microvm: MicroVM | None
    read_only: bool = False
    locked: bool = False
    busy: frozenset[Verb] = frozenset()
    can_cancel: bool = False
    keys: Keys = field(default_factory=dict)

    def key(self, id: str) -> str:  # noqa: A002
        """How that command is reached, in words: by its first key that works here, else by the declared one."""
        from mvtui.ui.commands import hint  # noqa: PLC0415  (which needs this)

        return hint(id, self.keys)


@dataclass(frozen=True, slots=True)
class Command:
    """`id` is the action and the binding's id; `keys` are Textual's names; `words` are for footer and palette, `help`
    for the help. `refusal` says why it can't be used, "" where it can. `mends`: the states in which it may be what
    helps. `group` is its heading in the help."""

    id: str
    keys: tuple[str, ...]
    words: str
    help: str
    place: Place = Place.PANEL
    group: str = "Panel"
    tier: Tier = Tier.FREE
    verb: UnitVerb | None = None
    refusal: Callable[[Situation], str] = lambda _: ""
    mends: frozenset[StateWord] = frozenset()
    in_footer: bool = False
    in_palette: bool = True

    def refusal_of_all(self, situations: Sequence[Situation]) -> str:
        """Why it can't be used on any of them: of the first; "" where it can on one."""
        refusals = [self.refusal(situation) for situation in situations]
        return "" if "" in refusals else refusals[0]

"""What a person chooses for every run, and which of several places that say it counts. Pure.

One table, `OPTIONS`, has all that can be chosen: files, variables, flags, `mvtui config` and the file that it writes
come from it, and so does the pydantic model in `settings_types`. Nothing here imports pydantic, which takes longer
than all of `mvtui list`: what is plainly right is taken as it is, and only what is not goes there to be explained.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Manager = Literal["auto", "systemd", "direct"]
Switch = Literal["auto", "on", "off"]

MANAGERS = ("auto", "systemd", "direct")
SWITCHES = ("auto", "on", "off")
SHORTEST_INTERVAL, LONGEST_INTERVAL = 0.1, 3600


class Settings(NamedTuple):
    """What is chosen. `definitions` None: as the state directory has it. `interval` is in seconds. `keys` has the keys
    of the panel's commands by the commands' ids, as people write them; a command that is not there keeps its own."""

    state_dir: str = "/var/lib/microvms"
    definitions: str | None = None
    manager: Manager = "auto"
    read_only: bool = False
    interval: float = 2.0
    theme: str = "auto"
    ascii: Switch = "auto"
    mouse: Switch = "auto"
    ssh_user: str = "root"
    keys: Mapping[str, tuple[str, ...]] = MappingProxyType({})


DEFAULTS = Settings()


class Kind(StrEnum):
    """What an option takes."""

    PATH = "path"
    CHOICE = "choice"
    YES_NO = "yes or no"
    SECONDS = "seconds"
    WORD = "word"
    KEYS = "keys"


class Option(NamedTuple):
    """`name` is the key in a file and the field of Settings; `words` say what it is for; `example` is a value as a file
    has it; `flag` is its option on the command line, "" where there is none."""

    name: str
    kind: Kind
    words: str
    example: str
    flag: str = ""
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that says it, "" where none does."""
        return "" if self.kind is Kind.KEYS else f"MVTUI_{self.name.upper()}"

    @property
    def expected(self) -> str:
        """What its value is, in words."""
        match self.kind:
            case Kind.PATH:
                return "an absolute path"
            case Kind.CHOICE:
                return f"one of {', '.join(self.choices)}"
            case Kind.YES_NO:
                return "true or false"
            case Kind.SECONDS:
                return f"a number of seconds from {SHORTEST_INTERVAL} to {LONGEST_INTERVAL}"
            case Kind.WORD:
                return "a name without spaces that does not begin with -"
            case Kind.KEYS:
                return "a table of commands with their keys"

    @property
    def default(self) -> object:
        """Its value where nobody has said one."""
        return getattr(DEFAULTS, self.name)


OPTIONS = (
    Option(
        "state_dir",
        Kind.PATH,
        "Where the microVMs are: microvm.stateDir.",
        '"/var/lib/microvms"',
        "--state-dir",
    ),
    Option(
        "definitions",
        Kind.PATH,
        "Where the definition files are, NAME.toml; by default /etc/nixos/microvms, or the flake of a microVM.",
        '"/etc/nixos/microvms"',
        "--definitions",
    ),
    Option(
        "manager",
        Kind.CHOICE,
        "Who starts and stops: systemd, or mvtui itself (direct); auto takes systemd where it runs.",
        '"direct"',
        "--manager",
        MANAGERS,
    ),
    Option("read_only", Kind.YES_NO, "Refuse everything that changes something.", "true", "--read-only"),
    Option(
        "interval",
        Kind.SECONDS,
        "How often the panel and list --watch look where nothing tells of a change, in seconds.",
        "2.0",
        "--interval",
    ),
    Option(
        "theme",
        Kind.WORD,
        "The panel's colours: the name of a theme; auto takes one that fits the terminal.",
        '"dark"',
        "--theme",
    ),
    Option(
        "ascii",
        Kind.CHOICE,
        "Whether mvtui keeps to ASCII; auto does where the terminal can't show more.",
        '"on"',
        "--ascii",
        SWITCHES,
    ),
    Option(
        "mouse",
        Kind.CHOICE,
        "Whether the panel takes the mouse; auto does where it is not reached over SSH.",
        '"off"',
        "--mouse",
        SWITCHES,
    ),
    Option("ssh_user", Kind.WORD, "Who logs in to a guest.", '"root"', "--user"),
    Option(
        "keys",
        Kind.KEYS,
        "The keys of the panel's commands, by the commands' names; [] leaves one without.",
        '{ stop = ["X"] }',
    ),
)
BY_NAME = {option.name: option for option in OPTIONS}


def takes(option: Option, value: object) -> bool:
    """Whether `value`, as a file has it, is one of the option's."""
    match option.kind:
        case Kind.PATH:
            return isinstance(value, str) and value.startswith("/") and "\0" not in value
        case Kind.CHOICE:
            return isinstance(value, str) and value in option.choices
        case Kind.YES_NO:
            return isinstance(value, bool)
        case Kind.SECONDS:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return number and SHORTEST_INTERVAL <= value <= LONGEST_INTERVAL  # type: ignore[operator]
        case Kind.WORD:
            return isinstance(value, str) and _is_word(value) and not value.startswith("-")
        case Kind.KEYS:
            return isinstance(value, dict) and all(are_keys(keys) for keys in value.values())


def are_keys(value: object) -> bool:
    """Whether `value` is one key, or a list of some, of which each may be any word."""
    words = value if isinstance(value, list) else [value]
    return all(isinstance(word, str) and _is_word(word) for word in words)


def _is_word(text: str) -> bool:
    return text != "" and text.isprintable() and " " not in text


def is_right(values: Mapping[str, object]) -> bool:
    """Whether every key of a file is an option's, and every value one of its."""
    return all(name in BY_NAME and takes(BY_NAME[name], value) for name, value in values.items())


def of_text(option: Option, text: str) -> object:
    """The value that `text` of an environment variable means; the text itself where it means none."""
    if option.kind is Kind.YES_NO:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    if option.kind is Kind.SECONDS:
        try:
            return float(text)
        except ValueError:
            return text
    return text


class SourceKind(StrEnum):
    """What can say what is chosen; what stands further down counts more."""

    DEFAULT = "default"
    FILE = "file"
    VARIABLE = "variable"
    FLAG = "flag"


class Layer(NamedTuple):
    """What one source says: right values by the options' names. Of a file its path and its text."""

    kind: SourceKind
    values: Mapping[str, Any]
    path: str = ""
    text: str = ""


class Chosen(NamedTuple):
    """`settings` are what counts. `sources`: the layer that said it, by the option's name (of a command's keys
    `keys.ID`); what is not there is a default. `host_state_dir` is the state directory that the files mean: that of the
    host that mvtui runs on."""

    settings: Settings
    sources: Mapping[str, Layer]
    host_state_dir: str


def choose(layers: Iterable[Layer]) -> Chosen:
    """What counts of `layers`, of which the later wins. Keys are joined command by command. `definitions` belongs to
    the state directory that counted where it was said: with another one, said later, it does not count."""
    values: dict[str, Any] = {}
    sources: dict[str, Layer] = {}
    keys: dict[str, tuple[str, ...]] = {}
    state_dir = host_state_dir = DEFAULTS.state_dir
    for layer in layers:
        if layer.values.get("state_dir", state_dir) != state_dir:
            state_dir = layer.values["state_dir"]
            values.pop("definitions", None)
            sources.pop("definitions", None)
        for name, value in layer.values.items():
            if name == "keys":
                keys |= {command: (own,) if isinstance(own, str) else tuple(own) for command, own in value.items()}
                sources |= {f"keys.{command}": layer for command in value}
            else:
                values[name] = value
                sources[name] = layer
        if layer.kind is SourceKind.FILE:
            host_state_dir = state_dir
    return Chosen(DEFAULTS._replace(**values, keys=keys), sources, host_state_dir)

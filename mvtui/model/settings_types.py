"""What is wrong with what was chosen, by a pydantic model of `settings.OPTIONS`. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, time
from difflib import SequenceMatcher
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticCustomError

from mvtui.model.nearest import nearest
from mvtui.model.place import place
from mvtui.model.settings import BY_NAME, LONGEST_INTERVAL, OPTIONS, SHORTEST_INTERVAL, Kind, Option, are_keys, takes

# So much of a wrong value is shown.
_LONGEST_VALUE = 60
# As alike two words are of which one is surely meant to be the other.
_SURELY = 0.8


class Wrong(NamedTuple):
    """`keys` lead to what is wrong; `what` says what and what would be right, `fix` is an example of that."""

    keys: tuple[str | int, ...]
    what: str
    fix: str

    @property
    def place(self) -> str:
        """Where it stands, as `keys.stop`."""
        return place(self.keys)


def wrong_in(values: Mapping[str, object]) -> list[Wrong]:
    """All that is wrong in what a file says."""
    try:
        _DOCUMENT.model_validate(values)
    except ValidationError as error:
        return [_wrong(each["loc"], each["type"], each["input"]) for each in error.errors(include_url=False)]
    return []


def _wrong(loc: Sequence[str | int], kind: str, value: object) -> Wrong:
    name = str(loc[0])
    if kind == "extra_forbidden":
        near = nearest(name.replace("-", "_"), BY_NAME)
        fix = f"did you mean {near}?" if near else f"the options are {', '.join(BY_NAME)}"
        return Wrong(tuple(loc), f"there is no option {place(loc)}", fix)
    option = BY_NAME[name]
    if len(loc) > 1:
        command = str(loc[1])
        said = f"{place(loc[:2])} is a key or a list of keys, not {_shown(value)}"
        if option_meant := misplaced_option(command):
            return Wrong((name, command), said, f"{option_meant} is an option, which stands above [keys]")
        return Wrong((name, command), said, f'[keys] {place((command,))} = ["X"]')
    said = f"{name} is {option.expected}, not {_shown(value)}"
    near = nearest(value, option.choices) if isinstance(value, str) else ""
    return Wrong((name,), said, f"{name} = " + (f'"{near}"' if near else option.example))


def misplaced_option(command: str) -> str:
    """The option that was meant by the name of a command in `[keys]`, or ""."""
    near = nearest(command.replace("-", "_"), BY_NAME)
    return near if SequenceMatcher(None, command, near).ratio() > _SURELY else ""


def _shown(value: object) -> str:
    """A value as a file has it, cut where it is long."""
    match value:
        case bool():
            text = str(value).lower()
        case date() | time():
            text = value.isoformat()
        case _:
            text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _checked(option: Option) -> AfterValidator:
    """What pydantic has no type for."""

    def check(value: Any) -> Any:
        if not takes(option, value):
            raise PydanticCustomError("option", "not what it takes")
        return value

    return AfterValidator(check)


def _keys(value: Any) -> Any:
    if not are_keys(value):
        raise PydanticCustomError("keys", "not what it takes")
    return value


def _type(option: Option) -> Any:
    match option.kind:
        case Kind.CHOICE:
            return Literal[option.choices]
        case Kind.YES_NO:
            return bool
        case Kind.SECONDS:
            return Annotated[float, Field(ge=SHORTEST_INTERVAL, le=LONGEST_INTERVAL, allow_inf_nan=False)]
        case Kind.PATH | Kind.WORD:
            return Annotated[str, _checked(option)]
        case Kind.KEYS:
            return dict[str, Annotated[Any, AfterValidator(_keys)]]


def _document() -> type[BaseModel]:
    fields: dict[str, Any] = {option.name: (_type(option), None) for option in OPTIONS}
    config = ConfigDict(frozen=True, strict=True, extra="forbid")
    made: type[BaseModel] = create_model("SettingsDocument", __config__=config, **fields)
    return made


_DOCUMENT = _document()

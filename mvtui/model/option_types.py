"""The types that microvm.nix's options have, for pydantic. They refuse what Nix refuses: nothing is converted."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

_STORE_PATH = re.compile(r"/nix/store/[^/]+")


class Options(BaseModel):
    """A set of options: a key in TOML is the option's name, and one that there is not is an error, as in Nix."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel)


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise PydanticCustomError("path", "an absolute path: it begins with /")
    return value


def _not_empty(value: str) -> str:
    if not value.strip(" \t\n"):
        raise PydanticCustomError("non_empty", "a string with more in it than spaces")
    return value


def _package(value: object) -> object:
    if isinstance(value, str) and _STORE_PATH.fullmatch(value):
        return value
    raise PydanticCustomError("package", "a package, which only Nix can name")


def _threads(value: object) -> object:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise PydanticCustomError("threads", "a string, or a whole number that is not below 0")


# `types.path` (lib/types.nix): a string is one where it begins with a slash.
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
# `types.nonEmptyStr`: spaces, tabs and newlines alone are empty.
NonEmpty = Annotated[str, AfterValidator(_not_empty)]
Positive = Annotated[int, Field(gt=0)]
Unsigned = Annotated[int, Field(ge=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
# `types.package`, and what holds some: a string is one where it is a path in the store.
Package = Annotated[Any, BeforeValidator(_package)]
# `oneOf [ str ints.unsigned ]`
ThreadCount = Annotated[Any, BeforeValidator(_threads)]

"""`demo.toml` in the demo's directory: what tells `--down` that the directory is its to end and remove."""

import os
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

import tomli_w
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from mvtui.errors import MvtuiError

NAME = "demo.toml"
_MAX_BYTES = 1 << 16
_HINT = "name the directory that was given to mvtui demo --up"


class Marker(BaseModel):
    """`directory` is where the demo was made, absolute and free of links; `made_directory`: it was not there before."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1] = 1
    directory: str
    made_directory: bool
    started: AwareDatetime

    @classmethod
    def write(cls, directory: Path, *, made_directory: bool) -> Self:
        """Leave the marker in `directory`. Raises OSError, FileExistsError where one is there."""
        marker = cls(directory=str(directory), made_directory=made_directory, started=datetime.now(UTC))
        with (directory / NAME).open("xb") as file:
            tomli_w.dump(marker.model_dump(), file)
        return marker

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The marker of the demo in `directory`. Raises MvtuiError where there is none to rely on."""
        path = directory / NAME
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise MvtuiError(f"{directory} is no demo: it has no {NAME}", _HINT) from None
        except OSError as error:
            raise MvtuiError(f"{path}: {error.strerror}", _HINT) from None
        with open(descriptor, "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise MvtuiError(f"{path} is no file", _HINT)
            if facts.st_uid != os.geteuid():
                raise MvtuiError(f"{path} is another user's", f"end the demo as user {facts.st_uid}")
            text = file.read(_MAX_BYTES)
        try:
            marker = cls.model_validate(tomllib.loads(text.decode()))
        except (ValidationError, ValueError) as error:
            raise MvtuiError(f"{path} is not what mvtui demo --up wrote: {_first_line(error)}", _HINT) from None
        if marker.directory != str(directory):
            raise MvtuiError(f"{directory} was moved or copied: its demo runs in {marker.directory}", _HINT)
        return marker


def _first_line(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return str(error).partition("\n")[0]

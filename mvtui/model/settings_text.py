"""Settings as TOML: single values, and a file of all options with what each is for. Pure."""

from collections.abc import Iterable

from mvtui.model.settings import BY_NAME, OPTIONS, Kind, Option

_HEAD = """\
# What mvtui does in every run. A # without a blank behind it stands before an option with its default (or an example,
# where there is none): remove it and change the value. What is wrong is named when mvtui starts; mvtui config shows
# what counts, and which file, variable or flag says it.
#
# The later counts more: /etc/mvtui/config.toml, ~/.config/mvtui/config.toml, the environment, the command line.
"""


def toml_value(value: object) -> str:
    """A value of an option, as a file has it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = "".join(_escaped(char) for char in value)
            return f'"{escaped}"'
        case list() | tuple():
            return f"[{', '.join(toml_value(each) for each in value)}]"
        case _:
            return str(value)


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def configuration_text(commands: Iterable[tuple[str, tuple[str, ...], str]] = ()) -> str:
    """A configuration file in which every option is commented out. `commands` are those that take keys: id, keys, what
    it does. Without the # of every line that begins with `#` and no blank, it is a valid one."""
    parts = [_HEAD, *(_option(option) for option in OPTIONS if option.kind is not Kind.KEYS)]
    return "\n".join(parts) + "\n" + _keys(commands)


def _option(option: Option) -> str:
    ways = [f"{option.variable} in the environment", option.flag]
    value = toml_value(option.default) if option.default is not None else option.example
    instance = "" if option.default is not None else " This is an example."
    expected = option.expected[0].upper() + option.expected[1:]
    return f"# {option.words}\n# {expected}; also {', '.join(ways)}.{instance}\n#{option.name} = {value}\n"


def _keys(commands: Iterable[tuple[str, tuple[str, ...], str]]) -> str:
    lines = [
        f"# {BY_NAME['keys'].words}",
        "# One key or a list of keys, written as the panel shows them (^p, F1, space). What stands below belongs here.",
        "[keys]",
    ]
    for name, keys, words in commands:
        line = f"#{name} = {toml_value(keys)}"
        lines.append(f"{line:<44}  # {words}")
    return "\n".join(lines) + "\n"

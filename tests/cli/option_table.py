"""The README's table of options, from the options themselves: `python -m tests.cli.option_table` prints it."""

from mvtui.model.settings import OPTIONS, Option
from mvtui.model.settings_text import toml_value


def table() -> list[str]:
    """Its lines."""
    head = ["| key | what it is | takes | default | variable | flag |", "|---|---|---|---|---|---|"]
    return [*head, *map(_row, OPTIONS)]


def _row(option: Option) -> str:
    words = option.words[0].lower() + option.words[1:].removesuffix(".")
    default = f"`{toml_value(option.default)}`" if isinstance(option.default, str | bool | float) else ""
    ways = [f"`{way}`" if way else "" for way in (option.variable, option.flag)]
    return f"| {' | '.join([f'`{option.name}`', words, option.expected, default, *ways])} |"


if __name__ == "__main__":
    print("\n".join(table()))

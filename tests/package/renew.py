"""What is made from the program: mvtui(1) and the completions, which are shipped beside it, the README's tables. Run as
python -m tests.package.renew
"""

from pathlib import Path

from mvtui.cli.completion import script
from tests.package.manual import manual
from tests.package.readme import README, renewed

# Below share/ of wherever mvtui is installed.
SHARE = Path(__file__).parents[2] / "mvtui" / "share"


def made() -> dict[str, str]:
    """The text of each file, by its path below share/."""
    return {
        "man/man1/mvtui.1": manual(),
        "bash-completion/completions/mvtui": script("bash"),
        "zsh/site-functions/_mvtui": script("zsh"),
        "fish/vendor_completions.d/mvtui.fish": script("fish"),
    }


if __name__ == "__main__":
    for name, text in made().items():
        (SHARE / name).parent.mkdir(parents=True, exist_ok=True)
        (SHARE / name).write_text(text)
    README.write_text(renewed(README.read_text()))

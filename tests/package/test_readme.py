"""The README says what is so."""

import re

import pytest

from mvtui.cli.arguments import VERBS
from tests.demo import pictures
from tests.package.readme import README, anchor, named_verbs, renewed
from tests.ui import screenshots

TEXT = README.read_text()


def test_its_tables_are_those_of_the_code() -> None:
    assert renewed(TEXT) == TEXT, "python -m tests.package.renew writes them"


def test_it_shows_every_verb() -> None:
    assert named_verbs(TEXT) == set(VERBS)


@pytest.mark.parametrize("picture", sorted({one.name for one in (README.parent / "screenshots").glob("*.svg")}))
def test_every_picture_has_its_place(picture: str) -> None:
    assert f"(screenshots/{picture})" in TEXT


def test_every_picture_is_made_by_a_command() -> None:
    """One that none makes shows for ever what was once."""
    made = {
        *(f"{name}.svg" for name, *_ in screenshots.PICTURES),
        *(f"demo-{name}.svg" for name, *_ in pictures.PICTURES if name),
    }
    assert made == {one.name for one in (README.parent / "screenshots").glob("*.svg")}


def test_what_it_leads_to_is_there() -> None:
    headings = {anchor(one) for one in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (README.parent / target).exists(), target

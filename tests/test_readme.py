"""The README's tables are those of the cards."""

from pathlib import Path

import pytest

from segdemo.ui.scores import scores_markdown

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", [line for line in scores_markdown().splitlines() if "/nuclei" in line or "/shapes" in line])
def test_every_score_of_the_cards_stands_in_the_readme(row: str) -> None:
    assert row in README

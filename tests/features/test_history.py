"""segdemo.features.history: every network has its place, and what the papers publish is what ours count."""

import pytest

from segdemo.features.history import HISTORY, architecture_of
from segdemo.features.history_facts import FACTS, facts_of
from segdemo.models import create_model, list_models

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_history_is_in_order_and_knows_every_network() -> None:
    years = [entry.year for entry in HISTORY]
    assert years == sorted(years)
    keys = [entry.key for entry in HISTORY]
    assert len(keys) == len(set(keys))
    names = [name for entry in HISTORY for name in entry.names]
    assert len(names) == len(set(names))
    assert not set(list_models()) - set(names)


@pytest.mark.parametrize("entry", HISTORY, ids=lambda entry: entry.key)
def test_ancestors_are_older_and_links_lead_to_papers(entry: object) -> None:
    by_key = {known.key: known for known in HISTORY}
    assert all(by_key[ancestor].year <= entry.year for ancestor in entry.ancestors)  # type: ignore[attr-defined]
    link = entry.link  # type: ignore[attr-defined]
    assert link == "" or link.startswith(("https://arxiv.org/abs/", "https://doi.org/", "https://github.com/"))


@pytest.mark.parametrize("name", list_models())
def test_every_choice_is_one_that_the_network_takes(name: str) -> None:
    import torch

    for choice in architecture_of(name).choices:
        for value in choice.values:
            with torch.device("meta"):
                create_model(name, **{choice.option: value})


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.names[0]}: {fact.label}")
def test_ours_is_the_published_number_or_says_why_not(fact: object) -> None:
    if not set(fact.names) <= set(list_models()):  # type: ignore[attr-defined]
        pytest.skip("an optional network that is not installed")
    ours, same = fact.check()  # type: ignore[attr-defined]
    assert same or fact.remark, f"{ours} is not {fact.published}"  # type: ignore[attr-defined]


def test_names_in_facts_exist_and_unknown_names_stand_for_themselves() -> None:
    assert {name for fact in FACTS for name in fact.names} <= {name for entry in HISTORY for name in entry.names}
    assert facts_of("unet") and not facts_of("autoencoder")
    assert architecture_of("none").title == "none"

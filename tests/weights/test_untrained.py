"""Untrained networks: the same ones each time, the same options as the trained, and no file behind them."""

import threading

import pytest
import torch

from segdemo.errors import SettingError
from segdemo.models import list_models
from segdemo.weights import get_network, get_weights, is_ready, load_network, untrained
from segdemo.weights.loading import build_on_meta


def test_untrained_weights_are_the_same_network_with_the_same_random_values_each_time() -> None:
    entry = get_network("unet/nuclei~untrained")
    trained = get_weights("unet/nuclei")
    assert (entry.model, entry.options, entry.classes) == (trained.model, trained.options, trained.classes)
    assert (entry.score, entry.sha256) == (None, "")
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second, learned = load_network(entry), load_network(entry), load_network(trained)
    assert torch.equal(torch.random.get_rng_state(), before)
    stop = threading.Event()
    drawing = threading.Thread(target=lambda: [torch.rand(9) for _ in iter(stop.is_set, True)])
    drawing.start()
    again = load_network(entry)
    stop.set()
    drawing.join()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    for (name, a), b, c in zip(first.state_dict().items(), second.parameters(), learned.state_dict().values(), strict=False):
        assert a.shape == c.shape, name
        assert b.requires_grad is False
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(next(first.parameters()), next(learned.parameters()))


def test_what_is_not_downloaded_is_ready_untrained() -> None:
    entry = get_weights("fcn_resnet50/coco-voc")
    assert is_ready(untrained(entry))
    assert untrained(untrained(entry)).weights_id == "fcn_resnet50/coco-voc~untrained"


@pytest.mark.parametrize("name", sorted(list_models()))
def test_every_architecture_has_an_untrained_network(name: str) -> None:
    entry = get_network(f"{name}~untrained")
    assert entry.model == name
    assert is_ready(entry)
    assert build_on_meta(entry).stages()  # type: ignore[operator]


def test_a_classifier_has_its_thousand_classes() -> None:
    assert load_network(get_network("alexnet~untrained")).get_submodule("classifier")[-1].out_features == 1000  # type: ignore[index]


def test_a_name_that_means_nothing_is_refused() -> None:
    with pytest.raises(SettingError):
        get_network("nothing~untrained")

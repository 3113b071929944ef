"""segdemo.weights.smp_weights: what can be checked of the published SegFormers without fetching them."""

import pytest
import torch

from segdemo.models.smp_models import BUILDERS
from segdemo.types import WeightsEntry
from segdemo.weights.smp_weights import ADE20K, smp_entries

pytest.importorskip("segmentation_models_pytorch")

every_entry = pytest.mark.parametrize("entry", smp_entries(), ids=lambda entry: entry.weights_id)


@every_entry
def test_the_network_has_the_size_of_the_file(entry: WeightsEntry) -> None:
    with torch.device("meta"):
        model = BUILDERS[entry.model](**entry.options)
    assert entry.params == sum(p.numel() for p in model.parameters())
    tensors = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    assert tensors < entry.size_bytes < 1.001 * tensors, "the tensors, and the list of their names"
    assert model(torch.empty(1, 3, 64, 96, device="meta")).shape == (1, 150, 64, 96)


@every_entry
def test_entry_is_complete(entry: WeightsEntry) -> None:
    assert entry.weights_id.startswith(f"{entry.model}/")
    assert len(entry.sha256) == 64 and set(entry.sha256) <= set("0123456789abcdef")
    assert entry.url is not None and entry.url.endswith("-ade-160k/resolve/main/model.safetensors")
    assert entry.preprocessing.short_side is not None and str(entry.preprocessing.short_side) in entry.url
    assert "commercial" in entry.licence and entry.score is None


@every_entry
def test_classes_are_those_of_the_benchmark(entry: WeightsEntry) -> None:
    assert len({c.name for c in entry.classes}) == len({c.color for c in entry.classes}) == len(ADE20K) == 150
    assert [entry.classes[i].name for i in (0, 12, 20, 149)] == ["wall", "person", "car", "flag"]


def test_the_smallest_comes_first() -> None:
    sizes = [entry.size_bytes for entry in smp_entries()]
    assert sizes == sorted(sizes)

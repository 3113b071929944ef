"""Looking into a network through the engine: the exact one, a copy of one's own, and sentences where memory is short."""

import pytest
import torch
from torch import nn

from segdemo.errors import ImageError
from segdemo.inference import Engine
from segdemo.weights import get_weights, load_model

WEIGHTS = "unet/nuclei-small"


def test_the_job_is_given_the_network_as_it_was_trained() -> None:
    image = torch.rand(1, 3, 32, 32)
    expected = load_model(get_weights(WEIGHTS))(image)
    engine = Engine("cpu")
    with torch.no_grad():  # a worker may sum with another number of threads
        torch.testing.assert_close(engine.study(WEIGHTS, lambda model: model(image)), expected, rtol=1e-4, atol=1e-4)
    assert engine.studies == 1


def test_what_a_job_does_to_its_copy_reaches_nobody() -> None:
    engine = Engine("cpu")

    def careless(model: nn.Module) -> None:
        model.train()
        model.register_forward_hook(lambda *_: None)
        raise KeyError("stopped")

    with pytest.raises(KeyError):
        engine.study(WEIGHTS, careless)
    assert engine.study(WEIGHTS, lambda model: (model.training, len(model._forward_hooks))) == (False, 0)


def test_short_memory_is_a_sentence() -> None:
    def hungry(_model: nn.Module) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(ImageError, match="memory"):
        Engine("cpu").study(WEIGHTS, hungry)

"""Networks that lose a border or answer coarsely: what goes in and what comes out lie over the picture exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segdemo.data.preprocessing import from_output, to_input
from segdemo.geometry import plan
from segdemo.inference.labels import scores_of
from segdemo.models import create_model
from segdemo.types import Preprocessing

PLAIN = Preprocessing(normalization="fixed", mean=(0, 0, 0), std=(1, 1, 1))
VALID_UNET = Preprocessing(normalization="fixed", mean=(0, 0, 0), std=(1, 1, 1), offset=4, border=92)
WINDOWS = Preprocessing(normalization="fixed", mean=(0, 0, 0), std=(1, 1, 1), multiple_of=4, border=12)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("preprocessing", [PLAIN, VALID_UNET, WINDOWS])
@pytest.mark.parametrize("size", [(64, 48), (5, 90), (388, 389)])
def test_what_went_in_comes_back(preprocessing: Preprocessing, size: tuple[int, int]) -> None:
    image = picture(*size)
    tensor, geometry = to_input(image, preprocessing)
    assert tensor.shape[-2:] == tuple(side + 2 * preprocessing.border for side in geometry.padded)
    expected = image.transpose(2, 0, 1) / 255
    np.testing.assert_allclose(from_output(tensor[0], geometry), expected, atol=1e-6)
    border = preprocessing.border
    lost = tensor[0, :, border : tensor.shape[-2] - border, border : tensor.shape[-1] - border]
    np.testing.assert_allclose(from_output(lost, geometry), expected, atol=1e-6)


@given(st.integers(1, 700), st.sampled_from([(16, 0), (16, 4), (4, 0), (32, 12)]))
def test_padded_sides_lie_above_a_multiple(side: int, rule: tuple[int, int]) -> None:
    multiple_of, offset = rule
    padded = plan((side, side), short_side=None, max_pixels=10**6, multiple_of=multiple_of, offset=offset).padded[0]
    assert padded >= side and (padded - offset) % multiple_of == 0
    assert padded - multiple_of < max(side, offset)


@pytest.mark.usefixtures("one_thread")
@torch.inference_mode()
def test_a_unet_without_padding_answers_for_every_pixel() -> None:
    model = create_model("unet", width=2, padding="valid").eval()
    tensor, geometry = to_input(picture(388, 60), VALID_UNET)
    assert tensor.shape[-2:] == (572, 252)
    assert model(tensor).shape[-2:] == geometry.padded == (388, 68)
    assert scores_of(model(tensor)[0], geometry).shape == (2, 388, 60)


@pytest.mark.usefixtures("one_thread")
@torch.inference_mode()
def test_the_windows_of_the_mnist_network_are_centred_on_blocks_of_four_pixels() -> None:
    """A bright block moves the answers around its own place, evenly on all sides."""
    model = create_model("mnist_cnn", in_channels=3, num_classes=1, width=2).eval()
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 0.01)
    image = np.zeros((80, 96, 3), np.uint8)
    tensor, geometry = to_input(image, WINDOWS)
    image[40:44, 48:52] = 255
    change = (model(to_input(image, WINDOWS)[0]) - model(tensor))[0, 0].double()
    assert change.shape == (20, 24)
    rows, columns = change.sum(dim=1), change.sum(dim=0)
    assert float(rows @ torch.arange(20.0).double() / rows.sum()) == pytest.approx(10, abs=0.1)
    assert float(columns @ torch.arange(24.0).double() / columns.sum()) == pytest.approx(12, abs=0.1)
    assert scores_of(model(tensor)[0], geometry).shape == (2, 80, 96)

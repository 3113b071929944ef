"""How much a picture costs beside the network's forward pass, and how much faster the engine's forward is than eager
float32. Ratios, measured side by side in one run; `make bench` prints the table.
"""

import io
import statistics
from collections.abc import Callable
from time import perf_counter

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as skimage_data

from segdemo.data import open_picture
from segdemo.data.preprocessing import to_input
from segdemo.devices import cpu_has_bf16
from segdemo.geometry import resize_nearest
from segdemo.inference.fold import fold_batch_norm
from segdemo.inference.labels import labels_of, scores_of
from segdemo.metrics import class_shares
from segdemo.models import create_model
from segdemo.types import ClassInfo, Latency, Prediction, Preprocessing
from segdemo.ui.drawing import encode_labels, encode_photograph, encode_probabilities

pytestmark = pytest.mark.benchmark
CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("nucleus", (230, 159, 0)))
PREPROCESSING = Preprocessing("per-image")


def median_ms(rounds: int, *variants: Callable[[], object]) -> list[float]:
    """Median milliseconds of each variant, interleaved so that the machine's moods hit all alike."""
    times: list[list[float]] = [[] for _ in variants]
    for variant in variants:
        variant()
    for _ in range(rounds):
        for kept, variant in zip(times, variants, strict=True):
            start = perf_counter()
            variant()
            kept.append(1000 * (perf_counter() - start))
    return [statistics.median(kept) for kept in times]


def jpeg(height: int, width: int) -> bytes:
    image = cv2.resize(skimage_data.coffee(), (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def careful(data: bytes, logits: torch.Tensor) -> None:
    """What the page does from JPEG bytes to the three pictures of the viewer, all but the forward pass."""
    picture = open_picture(data, reduce_to=2_100_000)
    _tensor, geometry = to_input(picture.pixels, PREPROCESSING, picture.full_size)
    scores = scores_of(logits, geometry)
    preds = resize_nearest(labels_of(scores, True, 0.5), geometry.full)
    prediction = Prediction(preds, scores, CLASSES, Latency(), "x/y", binary=True)
    class_shares(preds, 2)
    encode_photograph(picture.pixels, picture.full_size)
    encode_labels(preds)
    encode_probabilities(prediction)


def plain(data: bytes, logits: torch.Tensor) -> None:
    """The usual way: PIL, numpy in float, the overlay at full size, and PNG as `st.image` encodes an array."""
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    scaled = image.astype(np.float32) / 255
    _ = (scaled - scaled.mean()) / scaled.std()
    probs = logits.sigmoid()[None]
    full = torch.nn.functional.interpolate(probs, size=image.shape[:2], mode="bilinear")[0, 0].numpy()
    mask = full > 0.5
    overlay = image.copy()
    overlay[mask] = (0.5 * overlay[mask] + 0.5 * np.array(CLASSES[1].color)).astype(np.uint8)
    Image.fromarray(overlay).save(io.BytesIO(), "PNG")


@pytest.mark.parametrize(("height", "width", "limit_ms", "ratio"), [(512, 512, 15, None), (3000, 4000, 80, 10)])
def test_everything_but_the_forward_pass(height: int, width: int, limit_ms: float, ratio: float | None) -> None:
    data = jpeg(height, width)
    picture = open_picture(data, reduce_to=2_100_000)
    tensor, _geometry = to_input(picture.pixels, PREPROCESSING, picture.full_size)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=tensor.shape[-2:]).astype(np.float32))
    logits = torch.from_numpy(cv2.GaussianBlur(noise.numpy(), (0, 0), 12))[None] * 40
    ours, theirs = median_ms(15 if height < 1000 else 5, lambda: careful(data, logits), lambda: plain(data, logits))
    print(f"\n{width}×{height}: {ours:.1f} ms beside the forward pass; PIL + numpy + PNG {theirs:.0f} ms, {theirs / ours:.1f}×")
    assert ours <= limit_ms
    assert ratio is None or theirs >= ratio * ours


def test_forward_of_the_31_million_parameter_unet_against_eager_float32() -> None:
    torch.manual_seed(0)
    eager = create_model("unet", num_classes=2).eval()
    fast = create_model("unet", num_classes=2).eval()
    fast.load_state_dict(eager.state_dict())
    fold_batch_norm(fast)
    dtype = torch.bfloat16 if cpu_has_bf16() else torch.float32
    fast = fast.to(dtype=dtype, memory_format=torch.channels_last)
    image = torch.rand(1, 3, 512, 512)
    prepared = image.to(dtype=dtype, memory_format=torch.channels_last)
    with torch.inference_mode():
        slow_ms, fast_ms = median_ms(5, lambda: eager(image), lambda: fast(prepared))
    print(f"\nU-Net 31 M at 512²: eager float32 {slow_ms:.0f} ms, ours ({dtype}) {fast_ms:.0f} ms, ratio {fast_ms / slow_ms:.2f}")
    assert fast_ms <= (0.55 if cpu_has_bf16() else 1.05) * slow_ms

"""The engine: exact geometry, bounded memory, agreeing precision, and what happens when memory runs out."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from segdemo import text
from segdemo.data.images import open_picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.devices import cpu_has_bf16
from segdemo.errors import ImageError, SettingError
from segdemo.inference import Engine, rethreshold
from segdemo.inference.cache import BoundedCache
from segdemo.inference.fold import fold_batch_norm
from segdemo.inference.loaded import _prepare_exact, prepare
from segdemo.inference.pool import WorkerPool
from segdemo.metrics import confusion_matrix, iou_per_class
from segdemo.models import create_model, torchvision_models
from segdemo.weights import get_weights, list_weights

Png = Callable[[np.ndarray], bytes]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (64, 64), (97, 250), (3, 400)])
def test_any_size_gives_a_label_map_of_that_size(engine: Engine, size: tuple[int, int]) -> None:
    image = draw_nuclei(256, 416, seed=3)[0][: size[0], : size[1]]
    prediction = engine.predict(image, "unet/nuclei")
    assert prediction.preds.shape == size
    assert prediction.preds.dtype == np.uint8
    assert prediction.probs.shape == (2, *size)
    assert prediction.probs.dtype == np.float32
    np.testing.assert_allclose(prediction.probs.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(prediction.preds, prediction.probs[1] > 0.5)


@pytest.mark.parametrize("weights_id", [e.weights_id for e in list_weights() if e.bundled and e.task == "segment"])
def test_tiny_and_thin_pictures_work_with_every_bundled_network(engine: Engine, weights_id: str) -> None:
    for size in ((1, 1), (17, 33), (3, 200)):
        assert engine.predict(draw_nuclei(64, 256, seed=3)[0][: size[0], : size[1]], weights_id).preds.shape == size


def test_a_picture_beyond_the_working_size_keeps_its_own_size_and_says_so(engine: Engine) -> None:
    image = np.tile(draw_nuclei(256, 256, seed=1)[0], (7, 7, 1))
    prediction = engine.predict(image, "unet/nuclei")
    assert prediction.preds.shape == (1792, 1792)
    assert prediction.scores.shape[1] < 1792
    assert "1792" in prediction.notices[0].text
    np.testing.assert_array_equal(prediction.preds, prediction.probs.argmax(axis=0))


def test_the_bundled_network_finds_generated_nuclei(engine: Engine) -> None:
    image, target = draw_nuclei(256, 256, seed=5)
    matrix = confusion_matrix(engine.predict(image, "unet/nuclei").preds, target, 2)
    assert iou_per_class(matrix)[1] > 0.7


def test_padding_does_not_shift_the_labels(engine: Engine) -> None:
    image = draw_nuclei(256, 256, seed=2)[0]
    whole = engine.predict(image, "unet/nuclei").preds
    cut = engine.predict(image[:250, :243], "unet/nuclei").preds
    assert (whole[:200, :200] == cut[:200, :200]).mean() > 0.99


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_another_threshold_needs_no_other_pass_and_equals_a_fresh_prediction(engine: Engine, threshold: float) -> None:
    image = draw_nuclei(96, 96, seed=4)[0]
    first = engine.predict(image, "unet/nuclei")
    passes = engine.passes
    again = rethreshold(first, threshold)
    assert engine.passes == passes
    np.testing.assert_array_equal(again.preds, engine.predict(image, "unet/nuclei", threshold=threshold).preds)


def test_segment_remembers_by_the_hash_of_the_bytes(engine: Engine, png: Png) -> None:
    picture = open_picture(png(draw_nuclei(64, 64, seed=6)[0]))
    engine.segment(picture, "unet/nuclei")
    passes = engine.passes
    for threshold in (0.1, 0.5, 0.7):
        engine.segment(picture, "unet/nuclei", threshold=threshold)
    assert engine.passes == passes
    edited = draw_nuclei(64, 64, seed=6)[0]
    edited[10, 10] ^= 1  # one bit of one pixel
    engine.segment(open_picture(png(edited)), "unet/nuclei")
    assert engine.passes == passes + 1


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_impossible_thresholds_are_refused(engine: Engine, threshold: float) -> None:
    with pytest.raises(SettingError, match="between 0 and 1"):
        engine.predict(np.zeros((8, 8, 3), np.uint8), "unet/nuclei", threshold=threshold)


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)])
def test_what_is_no_picture_is_refused(engine: Engine, image: np.ndarray) -> None:
    with pytest.raises(ImageError):
        engine.predict(image, "unet/nuclei")


def test_unknown_weights_and_devices_name_what_exists(engine: Engine) -> None:
    with pytest.raises(SettingError, match="unet/nuclei"):
        engine.predict(np.zeros((8, 8, 3), np.uint8), "unet/none")
    with pytest.raises(SettingError, match="cpu"):
        Engine("abacus")


NORMALISED: dict[str, dict[str, Any]] = {
    "unet": {"width": 8},
    "unet_plus_plus": {"width": 4, "normalization": "batch"},
    "unet3_plus": {"width": 4},
    "segnet": {"width": 4},
    "dilatednet": {"width": 4, "classifier_width": 8, "normalization": "batch"},
    "fcn8s": {"width": 4, "classifier_width": 8, "normalization": "batch"},
    "encoder_decoder": {"width": 4},
    "autoencoder": {"width": 4},
    "resnet18": {},
    "resnet50": {},
    **{name: {} for name in torchvision_models.TITLES},
    "smp/unet": {"encoder_name": "tu-efficientnet_b0"},
}


@pytest.mark.parametrize("name", list(NORMALISED))
def test_folding_batch_norm_changes_nothing(name: str) -> None:
    torch.manual_seed(0)
    model = create_model(name, num_classes=3, **NORMALISED[name])
    image = torch.rand(2, 3, 64, 64)
    model.train()(image)  # running statistics other than 0 and 1
    model.eval()
    with torch.inference_mode():
        expected = model(image)
        norms = sum(type(m) is nn.BatchNorm2d for m in model.modules())
        assert fold_batch_norm(model) == norms > 0
        torch.testing.assert_close(model(image), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not cpu_has_bf16(), reason="this CPU has no bfloat16")
@pytest.mark.parametrize("weights_id", ["unet/nuclei", "unet/shapes"])
def test_half_precision_labels_agree_on_the_trained_weights(weights_id: str) -> None:
    from segdemo.data.preprocessing import to_input
    from segdemo.data.shapes import draw_shapes

    entry = get_weights(weights_id)
    scene = draw_nuclei(192, 192, seed=9)[0] if weights_id == "unet/nuclei" else draw_shapes(192, 192, seed=9)[0]
    image = to_input(scene, entry.preprocessing)[0]
    half, exact = prepare(entry, torch.device("cpu")), _prepare_exact(entry, torch.device("cpu"))
    assert (half.precision, exact.precision) == ("bfloat16", "float32")
    with torch.inference_mode():
        a, b = half(image), exact(image)
    labels = [(x[0] > 0) if x.shape[0] == 1 else x.argmax(0) for x in (a, b)]
    assert (labels[0] == labels[1]).float().mean() > 0.995


def test_out_of_memory_tries_smaller_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("cpu")
    model = engine._model("unet/nuclei", engine.device)
    real, calls = type(model).__call__, []

    def hungry(self: object, image: torch.Tensor) -> torch.Tensor:
        calls.append(image.shape)
        if len(calls) == 1:
            torch.empty(2**50)  # raises what torch's CPU allocator really raises
        return real(self, image)

    monkeypatch.setattr(type(model), "__call__", hungry)
    prediction = engine.predict(np.tile(draw_nuclei(256, 256)[0], (4, 4, 1)), "unet/nuclei")
    assert prediction.preds.shape == (1024, 1024)
    assert calls[1][-1] < calls[0][-1]
    assert "Memory was short" in prediction.notices[0].text


def test_never_enough_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("cpu")
    model = engine._model("unet/nuclei", engine.device)

    def refuse(self: object, image: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(type(model), "__call__", refuse)
    with pytest.raises(ImageError, match="not enough memory"):
        engine.predict(np.zeros((64, 64, 3), np.uint8), "unet/nuclei")


def test_other_errors_are_not_taken_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("cpu")
    model = engine._model("unet/nuclei", engine.device)
    monkeypatch.setattr(type(model), "__call__", lambda self, image: (_ for _ in ()).throw(RuntimeError("shape mismatch")))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        engine.predict(np.zeros((64, 64, 3), np.uint8), "unet/nuclei")


@pytest.mark.parametrize("error", [RuntimeError("Output size is too small"), ValueError("no"), IndexError("no")])
def test_a_picture_that_the_network_cannot_take_is_a_sentence(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    engine = Engine("cpu")
    model = engine._model("unet/nuclei", engine.device)

    def refuse(image: torch.Tensor) -> torch.Tensor:
        raise error

    monkeypatch.setattr(model.module, "forward", refuse)
    with pytest.raises(ImageError, match="unet/nuclei cannot take an input of 80 × 64 pixels") as caught:
        engine.predict(np.zeros((64, 70, 3), np.uint8), "unet/nuclei")
    assert caught.value.__cause__ is error


def test_models_leave_memory_least_recently_used_first() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    cache.put("a", b"1234")
    cache.put("b", b"1234")
    cache.get("a")
    cache.put("c", b"1234")
    assert "b" not in cache
    assert "a" in cache and "c" in cache
    assert cache.used_bytes == 8
    cache.put("large", b"x" * 99)
    assert len(cache) == 1


def test_a_value_is_made_once_for_many_threads() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    made = []
    barrier = threading.Barrier(8)

    def make() -> bytes:
        made.append(1)
        return b"x"

    def ask(_: int) -> bytes:
        barrier.wait()
        return cache.get_or_make("key", make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [b"x"] * 8
    assert len(made) == 1


def test_concurrent_visitors_get_what_a_single_one_gets(engine: Engine) -> None:
    images = [draw_nuclei(96, 96, seed=s)[0] for s in range(6)]
    alone = [engine.predict(image, "unet/nuclei").preds for image in images]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda image: engine.predict(image, "unet/nuclei").preds, images))
    for a, b in zip(alone, together, strict=True):
        assert (a == b).mean() > 0.999


def test_the_pool_bounds_how_many_run_at_once_and_sets_their_threads() -> None:
    pool = WorkerPool(cores=2)
    running, most, lock = 0, 0, threading.Lock()
    release = threading.Event()

    def job() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(0.2)
        with lock:
            running -= 1
        return torch.get_num_threads()

    with ThreadPoolExecutor(9) as visitors:
        threads = list(visitors.map(lambda _: pool.run(job), range(9)))
    assert most <= 3  # one on all cores, and one for each core
    assert sorted(set(threads)) == [1, 2]


def test_a_failed_value_is_made_by_one_waiter_at_a_time_and_can_be_left_out() -> None:
    cache: BoundedCache[str, bytes] = BoundedCache(10, len)
    running, most, lock = 0, 0, threading.Lock()

    def fail() -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        raise ValueError

    def ask(_: int) -> None:
        with pytest.raises(ValueError):
            cache.get_or_make("key", fail)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))
    assert most == 1
    assert cache.get_or_make("key", lambda: b"poor", keep=lambda _: False) == b"poor"
    assert "key" not in cache
    cache.put("key", b"12")
    cache.put("key", b"1234")
    assert cache.used_bytes == 4


def test_a_degraded_result_is_not_remembered(monkeypatch: pytest.MonkeyPatch, png: Png) -> None:
    engine = Engine("cpu")
    model = engine._model("unet/nuclei", engine.device)
    real, calls = type(model).__call__, []

    def hungry(self: object, image: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError
        return real(self, image)

    monkeypatch.setattr(type(model), "__call__", hungry)
    picture = open_picture(png(draw_nuclei(64, 64, seed=6)[0]))
    assert engine.segment(picture, "unet/nuclei").degraded
    assert not engine.segment(picture, "unet/nuclei").degraded


def test_a_notice_is_in_the_readers_language(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    class Korean:
        def gettext(self, message: str) -> str:
            return "KO " + message

    image = np.zeros((1500, 1500, 3), np.uint8)
    notice = engine.predict(image, "unet/nuclei").notices[0]
    assert notice.text.startswith("The network saw")
    monkeypatch.setattr(text, "_catalogue", lambda _language: Korean())
    assert notice.text.startswith("KO The network saw")


def test_shared_arrays_cannot_be_written(engine: Engine) -> None:
    prediction = engine.predict(draw_nuclei(32, 32)[0], "unet/nuclei")
    with pytest.raises(ValueError, match="read-only"):
        prediction.preds[0, 0] = 1

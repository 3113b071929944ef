"""What a mosaic of all channels costs and weighs, beside Matplotlib's subplots where that is installed, paired in one run."""

import io
import statistics
from collections.abc import Callable
from time import perf_counter

import pytest
import torch
from torch.nn import functional as F

from segdemo.features.channels import statistics_of
from segdemo.features.mosaic import draw_mosaic
from segdemo.features.projection import fit_basis, project, to_rgb

pytestmark = pytest.mark.benchmark
SHAPES = [
    (64, 256, 256),
    (64, 512, 512),
    (64, 509, 383),
    (256, 64, 64),
    (512, 32, 32),
    (1024, 32, 32),
    (1024, 64, 64),
    (384, 8, 8),
]
COMPARED = [(64, 256, 256), (512, 32, 32)]


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


def activation(kind: str, shape: tuple[int, int, int]) -> torch.Tensor:
    """Uniform noise, which nothing packs, or blobs that are zero in half of their places, as after ReLU."""
    generator = torch.Generator().manual_seed(0)
    if kind == "noise":
        return torch.rand(shape, generator=generator)
    channels, height, width = shape
    coarse = torch.randn(1, channels, max(1, height // 4), max(1, width // 4), generator=generator)
    return F.interpolate(coarse, (height, width), mode="bicubic")[0].relu()


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["blobs", "noise"])
def test_mosaics_of_every_shape(kind: str) -> None:
    print(f"\n{kind}: channels @ size | mosaic px | cell | ms stage / map | kB stage / map | statistics ms | PCA picture ms")
    slowest, largest = 0.0, 0.0
    for shape in SHAPES:
        maps = activation(kind, shape)
        stage, own = (draw_mosaic(maps, scope=scope) for scope in ("stage", "map"))
        times = median_ms(
            9, lambda maps=maps: draw_mosaic(maps), lambda maps=maps: draw_mosaic(maps, scope="map"),
            lambda maps=maps: statistics_of(maps), lambda maps=maps: picture(maps),
        )  # fmt: skip
        print(
            f"{shape[0]} @ {shape[1]}×{shape[2]} | {stage.width}×{stage.height} | {stage.cell_width}×{stage.cell_height} | "
            f"{times[0]:.1f} / {times[1]:.1f} | {len(stage.png) / 1000:.0f} / {len(own.png) / 1000:.0f} | "
            f"{times[2]:.1f} | {times[3]:.0f}"
        )
        slowest, largest = max(slowest, *times[:2]), max(largest, len(stage.png), len(own.png))
    assert largest <= 700_000
    assert slowest <= 40


def picture(maps: torch.Tensor) -> None:
    """The three principal components as colours, from scratch."""
    basis = fit_basis([maps])
    to_rgb(project(maps, basis), basis)


@pytest.mark.usefixtures("one_thread")
def test_mosaics_against_subplots() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    def subplots(maps: torch.Tensor, columns: int, rows: int) -> int:
        figure, axes = pyplot.subplots(rows, columns, figsize=(16, 16 * rows / columns), squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, feature_map in zip(axes.flat, maps, strict=False):
            axis.imshow(feature_map.numpy(), cmap="viridis")
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=100)
        pyplot.close(figure)
        return len(buffer.getvalue())

    for shape in COMPARED:
        maps = activation("blobs", shape)
        drawn = draw_mosaic(maps, scope="map")
        # Five of ours to one of theirs: a single short one beside a second of drawing is left to the scheduler's mood.
        times = median_ms(
            3, *[lambda maps=maps: draw_mosaic(maps, scope="map")] * 5,
            lambda maps=maps, drawn=drawn: subplots(maps, drawn.columns, drawn.rows),
        )  # fmt: skip
        ours, theirs = statistics.median(times[:5]), times[5]
        size = subplots(maps, drawn.columns, drawn.rows) / 1000
        print(
            f"\n{shape[0]} @ {shape[1]}×{shape[2]}: ours {ours:.1f} ms / {len(drawn.png) / 1000:.0f} kB, "
            f"subplots {theirs:.0f} ms / {size:.0f} kB, {theirs / ours:.0f}×"
        )
        assert theirs >= 50 * ours

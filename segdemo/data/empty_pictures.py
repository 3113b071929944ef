"""Pictures in which the searched class does not occur: what a network must see to learn that nothing is there.

Three kinds: generated micrographs without a nucleus, generated scenes of shapes, and photographs that come with
scikit-image. The photographs of the sample gallery are held out, to see what has been learned on.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import skimage

from segdemo.data.images import read_image
from segdemo.data.nuclei_like import Stain, draw_nuclei
from segdemo.data.shapes import draw_shapes
from segdemo.data.sources import Sample, Source
from segdemo.types import RGBImage

__all__ = ["WithEmptyPictures", "empty_pictures"]

FOLDER = Path(skimage.__file__).parent / "data"
LEARNED_FROM = (
    "brick.png", "camera.png", "chessboard_RGB.png", "clock_motion.png", "color.png", "grass.png", "gravel.png", "horse.png",
    "moon.png", "motorcycle_left.png", "motorcycle_right.png", "page.png", "phantom.png", "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
HELD_OUT = ("astronaut.png", "chelsea.png", "coffee.png")
SIDE = 256  # pixels
HELD_OUT_DRAWN = 40
LEARNED_SEEDS = 1_000_000  # training draws from seeds above, validation from those below


class WithEmptyPictures:
    """A source of which `share` (0–1) of the training pictures are replaced by ones without the class. Validation stays."""

    def __init__(self, source: Source, share: float) -> None:
        self.source = source
        self.share = share
        self.name, self.class_names, self.licence = source.name, source.class_names, source.licence

    def draw(self, rng: np.random.Generator) -> Sample:
        """A random training picture, or one without the class."""
        if rng.random() >= self.share:
            return self.source.draw(rng)
        image = _draw_empty(rng)
        return image, np.zeros(image.shape[:2], np.uint8), "empty"

    def validation(self) -> Iterator[Sample]:
        """The pictures of the source itself, so that scores can be compared."""
        return self.source.validation()

    def describe(self) -> dict[str, object]:
        return {**self.source.describe(), "share_of_empty_pictures": self.share}


def empty_pictures() -> Iterator[RGBImage]:
    """Pictures without a nucleus that no training has seen: generated micrographs, then photographs of the gallery."""
    for seed in range(HELD_OUT_DRAWN):
        yield _empty_micrograph(seed, np.random.default_rng(seed))
    for name in HELD_OUT:
        yield read_image(FOLDER / name)


def _draw_empty(rng: np.random.Generator) -> RGBImage:
    seed = LEARNED_SEEDS + int(rng.integers(1 << 40))
    match rng.integers(3):
        case 0:
            return _empty_micrograph(seed, rng)
        case 1:
            return draw_shapes(SIDE, SIDE, seed=seed, foreground_share=float(rng.uniform(0.05, 0.6)))[0]
        case _:
            return _photographs()[int(rng.integers(len(LEARNED_FROM)))]


def _empty_micrograph(seed: int, rng: np.random.Generator) -> RGBImage:
    kind: Stain = "stained" if rng.random() < 0.5 else "fluorescence"
    return draw_nuclei(SIDE, SIDE, seed=seed, count=0, kind=kind, noise=float(rng.uniform(0.005, 0.08)))[0]


@cache
def _photographs() -> tuple[RGBImage, ...]:
    return tuple(read_image(FOLDER / name) for name in LEARNED_FROM)

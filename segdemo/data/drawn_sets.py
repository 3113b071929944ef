"""Data sets that are drawn as they are needed, and a way to validate on a part of any data set."""

from collections.abc import Iterator

import numpy as np

from segdemo.data.nuclei_like import Stain, draw_nuclei
from segdemo.data.sources import Sample, Source

__all__ = ["NucleiSource", "ValidatedOnPart"]

TRAINING_SEEDS = 1_000_000  # training draws from seeds above, validation from those below


class NucleiSource:
    """Generated micrographs, half of them fluorescent, half stained; training and validation come from disjoint seeds."""

    name = "nuclei-like"
    class_names: tuple[str, ...] = ("background", "nucleus")
    licence = "generated, no rights reserved"

    def __init__(self, size: int = 192, validation_count: int = 24) -> None:
        self.size = size
        self.validation_count = validation_count

    def scene(self, seed: int) -> Sample:
        """The micrograph of a seed: of validation, those from 0 to `validation_count` − 1."""
        rng = np.random.default_rng(seed)
        kind: Stain = "fluorescence" if seed % 2 else "stained"
        count, noise = int(rng.integers(5, 60)), float(rng.uniform(0.005, 0.08))
        return *draw_nuclei(self.size, self.size, seed=seed, count=count, kind=kind, noise=noise), kind

    def draw(self, rng: np.random.Generator) -> Sample:
        """A random micrograph; `kind` is its stain."""
        return self.scene(TRAINING_SEEDS + int(rng.integers(1 << 40)))

    def validation(self) -> Iterator[Sample]:
        """Every validation micrograph, always in the same order."""
        return (self.scene(seed) for seed in range(self.validation_count))

    def describe(self) -> dict[str, object]:
        """Sizes of the splits, for the card."""
        return {"train": "generated without end", "validation": self.validation_count, "size": f"{self.size}×{self.size}"}


class ValidatedOnPart:
    """A source of which only the first validation pictures count, up to `pixels` in all and never fewer than one:
    while a training runs, a score that comes often is worth more than an exact one."""

    def __init__(self, source: Source, pixels: int) -> None:
        self.source = source
        self.pixels = pixels
        self.name, self.class_names, self.licence = source.name, source.class_names, source.licence

    def draw(self, rng: np.random.Generator) -> Sample:
        """A random training picture of the source."""
        return self.source.draw(rng)

    def validation(self) -> Iterator[Sample]:
        """The first validation pictures of the source."""
        left = self.pixels
        for sample in self.source.validation():
            yield sample
            left -= sample[1].size
            if left <= 0:
                return

    def describe(self) -> dict[str, object]:
        """As the source, and how much of it is validated on."""
        return {**self.source.describe(), "validated_on_pixels": self.pixels}

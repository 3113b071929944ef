"""A data set as people have it, a ZIP or a folder of images and masks: read within limits, checked pair by pair.

    files ─▶ pairs by name ─▶ masks' values ─▶ coding ─▶ every pair decoded ─▶ report, and a source to train from

What does not fit is named with the reason and left out; the rest is used.
"""

import zlib
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from segdemo.data.archive_limits import open_store
from segdemo.data.images import read_image
from segdemo.data.mask_coding import Coding, decide, read_mask_values
from segdemo.data.pairing import Pair, pair_up
from segdemo.data.sources import Sample
from segdemo.errors import DataSetError, ImageError
from segdemo.geometry import plan, resize_nearest
from segdemo.text import N_, _
from segdemo.types import LabelMap, Notice, RGBImage, Size

__all__ = ["MAX_PAIRS", "PairReport", "PairedSource", "SetReport"]

MAX_PAIRS = 2000
MAX_PIXELS = 500_000_000  # of all images together
MAX_IMAGE_PIXELS = 64_000_000
WORKING_PIXELS = 2_097_152  # what networks are given at most, so that what is learned is what will be seen
SMALLEST_SIDE = 8
VALIDATION_SHARE = 0.2
CACHE_BYTES = 1_200_000_000

ONE_PAIR = N_("There is one pair only: the score tells how well the network knows it, not how it does on other pictures.")
FEW_PAIRS = N_("With {n} pairs, expect a network for pictures very much like these.")
ABSENT = N_("No pixel of any mask has this class: {names}.")
ONE_SIDE = N_("The names put every pair on one side, training or measuring. A fifth was held out to measure on instead.")
LEFT_OUT = N_("Only the first {n} pairs are used.")


@dataclass(frozen=True)
class PairReport:
    """One file, or one pair by its image, and what is wrong with it; None where it is fine."""

    name: str
    mask: str = ""
    size: Size | None = None
    problem: Notice | None = None


@dataclass(frozen=True)
class SetReport:
    """What was found in a data set. `shares` are of the pixels that count, by class."""

    fine: tuple[PairReport, ...]
    wrong: tuple[PairReport, ...]
    notices: tuple[Notice, ...]
    shares: tuple[float, ...]


class PairedSource:
    """A ZIP or folder to train from. Raises DataSetError where not one pair can be used, or a limit is passed.

    `class_names` replace the names that were found. `on_progress` is told how much has been read, 0–1. Decoded pairs
    are kept up to `cache_bytes`; the others are decoded each time. What has more than `working_pixels` (if not given, as many
    as networks are given at most) is scaled down to them. `images` are the usable pairs: key → the image's name in the data set.
    """

    licence = "not stated"

    def __init__(
        self,
        path: Path,
        class_names: tuple[str, ...] = (),
        *,
        on_progress: Callable[[float], None] | None = None,
        cache_bytes: int = CACHE_BYTES,
        working_pixels: int | None = None,
    ) -> None:
        self._store = open_store(path)
        self._working_pixels = working_pixels or WORKING_PIXELS
        self.name = self._store.name
        self._cache_bytes, self._cached_bytes = cache_bytes, 0
        self._cache: OrderedDict[str, tuple[RGBImage, LabelMap]] = OrderedDict()
        self._progress = on_progress or (lambda _share: None)
        pairing = pair_up(self._store.names())
        if not pairing.pairs:
            raise DataSetError(_("No image has a mask of its name. What works: folders images/ and masks/ with the same names, "
                                 "or names such as cell.png and cell_mask.png."))  # fmt: skip
        pairs = pairing.pairs[:MAX_PAIRS]
        wrong = [PairReport(name, problem=problem) for name, problem in (*self._store.refused, *pairing.problems)]
        readable, self.coding = self._coding(pairs, wrong)
        fine, shares = self._check(readable, wrong)
        if not fine:
            first = wrong[0].problem
            raise DataSetError(
                _("Not one of {n} pairs can be used. The first: {reason}", n=len(pairs), reason=first.text if first else "")
            )
        self._wrong = wrong
        self._pairs = {pair.key: pair for pair in readable if pair.key in fine}
        self.images = {key: pair.image for key, pair in self._pairs.items()}
        self.class_names = class_names or self._listed_names() or self.coding.class_names
        if len(self.class_names) != len(self.coding.class_names):
            raise DataSetError(_("The masks hold {n} classes, and {k} names were given.",
                                 n=len(self.coding.class_names), k=len(self.class_names)))  # fmt: skip
        self.train, self.val, one_sided = self._split()
        notices = [*self.coding.notices]
        if one_sided and len(fine) > 1:
            notices.append(Notice(ONE_SIDE))
        if absent := [name for name, share in zip(self.class_names, shares, strict=True) if not share]:
            notices.append(Notice(ABSENT, {"names": ", ".join(absent)}))
        if len(pairing.pairs) > MAX_PAIRS:
            notices.append(Notice(LEFT_OUT, {"n": MAX_PAIRS}))
        if len(fine) < 10:
            notices.append(Notice(ONE_PAIR) if len(fine) == 1 else Notice(FEW_PAIRS, {"n": len(fine)}))
        self.report = SetReport(tuple(fine.values()), tuple(wrong), tuple(notices), shares)

    def _coding(self, pairs: tuple[Pair, ...], wrong: list[PairReport]) -> tuple[list[Pair], Coding]:
        """First all masks, because only together do they show what their values mean."""
        readable, seen, pixels = [], [], 0
        for number, pair in enumerate(pairs):
            self._progress(0.4 * number / len(pairs))
            try:
                mask = read_mask_values(self._store.read(pair.mask), max_pixels=MAX_IMAGE_PIXELS)
                statistics = mask.statistics()
            except (ImageError, DataSetError) as error:
                wrong.append(PairReport(pair.image, pair.mask, problem=_said(_("Mask"), error)))
                continue
            pixels += mask.values.size
            _check_pixels(pixels)
            readable.append(pair)
            seen.append(statistics)
        if not seen:
            first = wrong[0].problem if wrong else None
            raise DataSetError(_("No mask can be read. The first: {reason}", reason=first.text if first else ""))
        return readable, decide(seen)

    def _check(self, pairs: list[Pair], wrong: list[PairReport]) -> tuple[dict[str, PairReport], tuple[float, ...]]:
        """Then every pair, as it will be trained on."""
        fine: dict[str, PairReport] = {}
        counts = np.zeros(256, np.int64)
        pixels = 0
        for number, pair in enumerate(pairs):
            self._progress(0.4 + 0.6 * number / len(pairs))
            try:
                image, target, size = self._decoded(pair)
            except (ImageError, DataSetError) as error:
                wrong.append(PairReport(pair.image, pair.mask, problem=_said("", error)))
                continue
            pixels += size[0] * size[1]
            _check_pixels(pixels)
            counts += np.bincount(target.ravel(), minlength=256)
            fine[pair.key] = PairReport(pair.image, pair.mask, size)
            self._remember(pair.key, image, target)
        counted = counts[: len(self.coding.class_names)]
        return fine, tuple(float(count) / max(1, int(counted.sum())) for count in counted)

    def _decoded(self, pair: Pair) -> tuple[RGBImage, LabelMap, Size]:
        """Image and target at the working size, and the image's own size."""
        image = read_image(self._store.read(pair.image), max_pixels=MAX_IMAGE_PIXELS)
        mask = read_mask_values(self._store.read(pair.mask), max_pixels=MAX_IMAGE_PIXELS)
        size: Size = (image.shape[0], image.shape[1])
        if mask.size != size:
            raise DataSetError(_("The image has {w} × {h} pixels, the mask {W} × {H}.", w=size[1], h=size[0],
                                 W=mask.size[1], H=mask.size[0]))  # fmt: skip
        if min(size) < SMALLEST_SIDE:
            raise DataSetError(_("Pictures have at least {n} pixels a side.", n=SMALLEST_SIDE))
        target = self.coding.labels(mask)
        working = plan(size, short_side=None, max_pixels=self._working_pixels, multiple_of=1).working
        if working != size:
            smaller = cv2.resize(image, (working[1], working[0]), interpolation=cv2.INTER_AREA)
            image, target = np.asarray(smaller, np.uint8), resize_nearest(target, working)
        return image, target, size

    def _remember(self, key: str, image: RGBImage, target: LabelMap) -> None:
        if self._cached_bytes + image.nbytes + target.nbytes <= self._cache_bytes:
            self._cached_bytes += image.nbytes + target.nbytes
            self._cache[key] = (image, target)

    def read(self, key: str) -> Sample:
        """One usable pair by its key. Raises ImageError or DataSetError where it can no longer be read."""
        if key in self._cache:
            return *self._cache[key], "all"
        image, target, _size = self._decoded(self._pairs[key])
        return image, target, "all"

    def _split(self) -> tuple[list[str], list[str], bool]:
        """As folders or the lists train.txt and val.txt say; otherwise a fifth is held out, chosen by a hash of its name.
        Last: whether names were passed over because they leave one side empty."""
        listed = self._listed_split()
        splits = {key: listed.get(key) or pair.split for key, pair in self._pairs.items()}
        val = [key for key, split in splits.items() if split == "val"]
        hashed = len(val) in (0, len(splits))
        if hashed:
            count = round(VALIDATION_SHARE * len(self._pairs)) or 1
            val = sorted(sorted(self._pairs, key=lambda key: (zlib.crc32(key.encode()), key))[:count])
        held_out = set(val)
        train = [key for key in self._pairs if key not in held_out]
        return train or list(self._pairs), val, hashed and any(splits.values())

    def _listed_split(self) -> dict[str, str]:
        found: dict[str, str] = {}
        by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for key in self._pairs:
            by_stem[key.rpartition("/")[2]].append(key)
        for split in ("train", "val"):
            for line in self._lines(f"{split}.txt"):
                name = Path(line.replace("\\", "/").casefold()).stem
                found |= dict.fromkeys(by_stem.get(name, ()), split)
        return found

    def _listed_names(self) -> tuple[str, ...]:
        """Of a classes.txt or labels.txt beside the pictures, where their number fits."""
        for name in ("classes.txt", "labels.txt"):
            lines = [line[:60] for line in self._lines(name)]
            if len(lines) == len(self.coding.class_names) == len(set(lines)):
                return tuple(lines)
        return ()

    def _lines(self, file: str) -> list[str]:
        """Of the first list of this name that can be read; one that cannot is reported."""
        for name in self._store.names():
            if name.casefold().rpartition("/")[2] == file:
                try:
                    text = self._store.read(name)[:200_000].decode("utf-8-sig", errors="replace")
                except DataSetError as error:
                    self._wrong.append(PairReport(name, problem=_said("", error)))
                    continue
                return [line.strip() for line in text.splitlines() if line.strip()]
        return []

    def draw(self, rng: np.random.Generator) -> Sample:
        """A random training pair."""
        return self.read(self.train[int(rng.integers(len(self.train)))])

    def validation(self) -> Iterator[Sample]:
        """Every validation pair, always in the same order."""
        return (self.read(key) for key in self.val)

    def pictures(self, count: int) -> list[Sample]:
        """The first pairs, to be looked at."""
        return [self.read(key) for key in list(self._pairs)[:count]]

    def describe(self) -> dict[str, object]:
        """Sizes of the splits, for the card."""
        sizes = Counter(f"{report.size[1]}×{report.size[0]}" for report in self.report.fine if report.size)
        return {"train": len(self.train), "validation": len(self.val), "sizes": dict(sizes.most_common(5)),
                "left_out": len(self.report.wrong)}  # fmt: skip


def _check_pixels(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise DataSetError(
            _("All pictures together have more than {n:.0f} megapixels. Leave some out, or scale them.", n=MAX_PIXELS / 1e6)
        )


def _said(what: str, error: Exception) -> Notice:
    """A sentence that is there already, in the language of whoever brought the data."""
    return Notice("{what}{sentence}", {"what": f"{what}: " if what else "", "sentence": str(error)})

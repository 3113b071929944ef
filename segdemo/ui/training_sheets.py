"""Contact sheets of the Training page: pictures with their masks, augmented ones, and what a network makes of them."""

import html
from collections.abc import Sequence

import cv2
import numpy as np
import streamlit as st

from segdemo.data.augment import Augmentation, augment
from segdemo.data.preprocessing import image_statistics
from segdemo.data.sources import Sample
from segdemo.inference.export import blend, contours
from segdemo.training.run_samples import SAMPLES, SIDE, fitted
from segdemo.types import IGNORE_INDEX, ClassInfo, LabelMap, Preprocessing, RGBImage

__all__ = ["augmented", "legend", "outlined", "show_picture", "stacked"]

GAP = 6  # pixels between pictures
OVERLAY = 0.55
PER_IMAGE = Preprocessing(normalization="per-image")


def show_picture(pixels: RGBImage, alt: str) -> None:
    """A sheet, losslessly, as wide as there is room; one of few pictures is not blown up. Gaps are transparent."""
    opaque = np.where((pixels == GAP_COLOUR).all(axis=2, keepdims=True), 0, 255).astype(np.uint8)
    done, data = cv2.imencode(".png", np.concatenate([pixels[..., ::-1], opaque], axis=2), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    st.image(
        data.tobytes(),
        output_format="PNG",
        width="stretch" if pixels.shape[1] > SIDE * (SAMPLES - 1) else pixels.shape[1],
        alt=alt,
    )


BOX = "display:inline-block;width:.8em;height:.8em;border-radius:2px;border:1px solid #8888;"
GAP_COLOUR = np.array([255, 0, 254], np.uint8)  # what no picture is likely to hold


def stacked(rows: Sequence[Sequence[RGBImage]]) -> RGBImage:
    """Pictures of one size in rows, with gaps."""
    lines = []
    for row in rows:
        spaced = [part for picture in row for part in (picture, _gap(picture.shape[0], GAP))][:-1]
        lines += [line := np.concatenate(spaced, axis=1), _gap(GAP, line.shape[1])]
    return np.concatenate(lines[:-1], axis=0)


def _gap(height: int, width: int) -> RGBImage:
    return np.broadcast_to(GAP_COLOUR, (height, width, 3)).astype(np.uint8)


def outlined(picture: RGBImage, labels: LabelMap, classes: tuple[ClassInfo, ...], *, filled: bool) -> RGBImage:
    """A picture with its mask over it, as areas or as outlines."""
    known = np.where(labels == IGNORE_INDEX, 0, labels).astype(np.uint8)
    return blend(picture, known, classes, OVERLAY) if filled else blend(picture, contours(known), classes, 1.0)


def augmented(
    samples: Sequence[Sample], count: int, crop: int, settings: Augmentation, seed: int
) -> list[tuple[RGBImage, LabelMap]]:
    """What the network would be shown: `count` crops of the samples, as bright as a screen shows them."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        image, target, _kind = samples[number % len(samples)]
        mean, std = image_statistics(image, PER_IMAGE)
        pixels, labels = augment(image, target, crop, mean, std, settings, rng)
        shown = np.rint(((pixels * np.array(std) + np.array(mean)) * 255).clip(0, 255)).astype(np.uint8)
        found.append((fitted(shown), fitted(labels)))
    return found


def legend(classes: Sequence[ClassInfo], shares: Sequence[float] = ()) -> None:
    """The classes' colours and names in one line, with their shares of the pixels where those are known."""
    parts = []
    for number, info in enumerate(classes):
        share = f" {100 * shares[number]:.1f} %" if number < len(shares) else ""
        colour = "#{:02x}{:02x}{:02x}".format(*info.color)
        box = f'<span style="{BOX}background:{colour}"></span>'
        parts.append(f'<span style="white-space:nowrap">{box} {html.escape(info.name[:60])}{share}</span>')
    st.html('<div style="display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.875rem">' + "".join(parts) + "</div>")

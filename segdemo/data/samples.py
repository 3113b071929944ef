"""The sample gallery, without network: real pictures out of scikit-image's wheel, and generated scenes with exact masks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import skimage

from segdemo.data.nuclei_like import Stain, draw_nuclei
from segdemo.data.shapes import draw_shapes
from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import LabelMap, RGBImage

__all__ = ["Sample", "get_sample", "list_samples"]

FOLDER = Path(skimage.__file__).parent / "data"
NUCLEI, SHAPES, PHOTOGRAPHS = "unet/nuclei", "unet/shapes", "lraspp_mobilenet_v3_large/coco-voc"


@dataclass(frozen=True)
class Sample:
    """A picture to try things on. `load` gives the file's bytes, and the exact mask (H, W) where there is one."""

    key: str  # stands in the URL
    title: str
    group: str
    credit: str
    suggested: str  # weights_id
    load: Callable[[], tuple[bytes, LabelMap | None]]
    note: str = ""  # what to look for


def _from_wheel(name: str) -> tuple[bytes, None]:
    return (FOLDER / name).read_bytes(), None


def _encoded(scene: tuple[RGBImage, LabelMap]) -> tuple[bytes, LabelMap]:
    image, target = scene
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes(), target


def _nuclei(kind: Stain, seed: int) -> tuple[bytes, LabelMap]:
    return _encoded(draw_nuclei(384, 512, seed=seed, count=60, kind=kind))


def _shapes(share: float, seed: int) -> tuple[bytes, LabelMap]:
    return _encoded(draw_shapes(288, 384, seed=seed, foreground_share=share))


def list_samples() -> list[Sample]:
    """The gallery in the order it is shown; the first is what a newcomer sees. Titles are in the visitor's language."""
    micrographs, photographs, generated = _("micrograph"), _("photograph"), _("generated, exact mask")
    ours = _("Drawn by segdemo, no rights reserved")
    no_rights = _("scikit-image, no known copyright restrictions")
    return [
        Sample("coins", _("Coins"), photographs, _("Brooklyn Museum, through scikit-image"), NUCLEI, partial(_from_wheel, "coins.png"),
               _("The network was trained on cell nuclei and never saw a coin: it finds what is bright and round.")),
        Sample("cell", _("Cell"), micrographs, _("Quantitative phase picture, CC0, through scikit-image"), NUCLEI, partial(_from_wheel, "cell.png")),
        Sample("nuclei-fluorescence", _("Nuclei, fluorescence"), generated, ours, NUCLEI, partial(_nuclei, "fluorescence", 11)),
        Sample("nuclei-stained", _("Nuclei, stained tissue"), generated, ours, NUCLEI, partial(_nuclei, "stained", 12)),
        Sample("shapes", _("Shapes"), generated, ours, SHAPES, partial(_shapes, 0.3, 4)),
        Sample("shapes-dense", _("Shapes, crowded"), generated, ours, SHAPES, partial(_shapes, 0.6, 7)),
        Sample("immunohistochemistry", _("Tissue, brown and blue stain"), micrographs, no_rights, NUCLEI, partial(_from_wheel, "ihc.png"),
               _("A stain the network never saw: it fails here, and that is worth seeing.")),
        Sample("astronaut", _("Astronaut"), photographs, _("NASA, public domain"), PHOTOGRAPHS, partial(_from_wheel, "astronaut.png")),
        Sample("cat", _("Cat"), photographs, _("Stéfan van der Walt, CC0"), PHOTOGRAPHS, partial(_from_wheel, "chelsea.png")),
        Sample("coffee", _("Coffee"), photographs, _("Rachel Michetti, CC0"), PHOTOGRAPHS, partial(_from_wheel, "coffee.png")),
        Sample("motorcycle", _("Motorcycle"), photographs, _("Middlebury stereo data, CC0, through scikit-image"), PHOTOGRAPHS, partial(_from_wheel, "motorcycle_left.png")),
    ]  # fmt: skip


def get_sample(key: str) -> Sample:
    """The sample of that key. Raises SettingError naming what exists."""
    samples = {sample.key: sample for sample in list_samples()}
    if key not in samples:
        raise SettingError(_('There is no sample "{key}". These exist: {names}.', key=key, names=", ".join(samples)))
    return samples[key]

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
    micrograph, photograph = _("micrograph"), _("photograph")
    return [
        _real("coins", "coins.png", _("Coins"), photograph, _("Brooklyn Museum, no known copyright restrictions"), NUCLEI, _(
            "The network was trained on cell nuclei and never saw a coin: it finds what is bright and round.")),
        _real("cell", "cell.png", _("Cell"), micrograph, _("Paul Müller, CC0"), NUCLEI, _(
            "One living cell under a phase microscope, a kind of picture the network was not trained on.")),
        _drawn("nuclei-fluorescence", _("Nuclei, fluorescence"), NUCLEI, partial(_nuclei, "fluorescence", 11)),
        _drawn("nuclei-stained", _("Nuclei, stained tissue"), NUCLEI, partial(_nuclei, "stained", 12)),
        _drawn("shapes", _("Shapes"), SHAPES, partial(_shapes, 0.3, 4)),
        _drawn("shapes-dense", _("Shapes, crowded"), SHAPES, partial(_shapes, 0.6, 7)),
        _real("immunohistochemistry", "ihc.png", _("Tissue, brown stain"), micrograph, _("no known restrictions"), NUCLEI,
              _("A stain the network never saw: it misses nearly everything, and that is worth seeing.")),
        _real("astronaut", "astronaut.png", _("Astronaut"), photograph, _("NASA, public domain"), PHOTOGRAPHS),
        _real("cat", "chelsea.png", _("Cat"), photograph, _("Stéfan van der Walt, CC0"), PHOTOGRAPHS),
        _real("coffee", "coffee.png", _("Coffee"), photograph, _("Rachel Michetti, CC0"), PHOTOGRAPHS),
    ]  # fmt: skip


def _real(key: str, name: str, title: str, group: str, credit: str, suggested: str, note: str = "") -> Sample:
    """A picture out of scikit-image's wheel."""
    return Sample(key, title, group, credit, suggested, partial(_from_wheel, name), note)


def _drawn(key: str, title: str, suggested: str, load: Callable[[], tuple[bytes, LabelMap]]) -> Sample:
    """A generated scene."""
    return Sample(key, title, _("generated"), _("drawn by segdemo"), suggested, load)


def get_sample(key: str) -> Sample:
    """The sample of that key. Raises SettingError naming what exists."""
    samples = {sample.key: sample for sample in list_samples()}
    if key not in samples:
        raise SettingError(_('There is no sample "{key}". These exist: {names}.', key=key, names=", ".join(samples)))
    return samples[key]

"""Networks of the catalogue taken apart by their names, once for every size: pages and evaluations ask for the same ones."""

from functools import lru_cache

from segdemo.errors import SettingError
from segdemo.features.anatomy import Anatomy, dissect
from segdemo.features.shapes_only import without_memory
from segdemo.geometry import Size
from segdemo.text import _
from segdemo.weights import get_network
from segdemo.weights.loading import build_on_meta

__all__ = ["anatomy_at"]


@lru_cache(maxsize=256)
def anatomy_at(network: str, size: Size) -> Anatomy:
    """The network, trained or not, taken apart at the size (h, w) of an input. Raises SettingError where that is too small."""
    entry = get_network(network)
    try:
        with without_memory():
            return dissect(build_on_meta(entry), size, entry.preprocessing.channels)
    except (RuntimeError, ValueError) as error:
        raise SettingError(_("A picture of {h} × {w} pixels is too small for this network.", h=size[0], w=size[1])) from error

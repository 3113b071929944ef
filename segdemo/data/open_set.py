"""Any data set by what a visitor or the command line names: a generator, a ZIP, or a folder, listed or loose."""

from collections.abc import Callable
from pathlib import Path

from segdemo.data.drawn_sets import NucleiSource
from segdemo.data.sources import FolderSource, ShapesSource, Source
from segdemo.data.uploaded_set import PairedSource
from segdemo.errors import DataSetError
from segdemo.text import _

__all__ = ["GENERATED", "find_data_set", "open_data_set"]

GENERATED = ("nuclei", "shapes")


def open_data_set(data: str, class_names: tuple[str, ...] = (), on_progress: Callable[[float], None] | None = None) -> Source:
    """ "nuclei" or "shapes" for the generators, otherwise the path of a ZIP or of a folder with images and masks.

    A folder with `train.txt` is read as FolderSource does; any other, and a ZIP, as PairedSource does. Without
    `class_names` the data's own are taken. `on_progress` is told the share that has been read, 0–1. Raises DataSetError.
    """
    found = find_data_set(data)
    if not isinstance(found, Path):
        return found
    if (found / "train.txt").is_file():
        return FolderSource(found, class_names)
    return PairedSource(found, class_names, on_progress=on_progress)


def find_data_set(data: str) -> NucleiSource | ShapesSource | Path:
    """The generator of this name, or the path of a ZIP or folder that is there. Raises DataSetError."""
    if data == "nuclei":
        return NucleiSource()
    if data == "shapes":
        return ShapesSource()
    if not Path(data).exists():
        generated = ", ".join(GENERATED)
        raise DataSetError(
            _('There is no "{data}"; give a ZIP, a folder, or one of: {generated}.', data=data, generated=generated)
        )
    return Path(data)

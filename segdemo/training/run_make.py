"""From a spec to everything a training needs: data, network, preprocessing, and what the result is called."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from segdemo.data.drawn_sets import ValidatedOnPart
from segdemo.data.open_set import open_data_set
from segdemo.data.sources import Source
from segdemo.data.uploaded_set import PairedSource
from segdemo.errors import SettingError
from segdemo.models import TITLES, create_model
from segdemo.text import _
from segdemo.training.run_command import command_of
from segdemo.training.run_spec import RunSpec, checked
from segdemo.training.save import WeightsIdentity
from segdemo.types import Preprocessing
from segdemo.weights.class_names import named_classes

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """Everything a training needs. `live` is the source with fewer validation pictures."""

    spec: RunSpec
    source: Source
    live: Source
    network: nn.Module
    preprocessing: Preprocessing
    identity: WeightsIdentity
    command: str


def prepare(spec: RunSpec, on_progress: Callable[[float], None] | None = None) -> Prepared:
    """Read the data and build the network with the seed's random weights. Raises DataSetError and SettingError."""
    source = open_data_set(spec.data, spec.classes, on_progress)
    if isinstance(source, PairedSource) and spec.data_name:
        source.name = Path(spec.data_name).stem  # of an upload, which lies elsewhere under another name
    count = len(source.class_names)
    checked(spec, count)
    if spec.classes and len(spec.classes) != count:
        raise SettingError(_("The data has {n} classes, and {k} names were given.", n=count, k=len(spec.classes)))
    options = {"width": spec.width, "num_classes": 1 if count == 2 else count, **spec.recipe.options}
    torch.manual_seed(spec.settings.seed)
    network = create_model(spec.model, **options)
    title = spec.title or f"{TITLES[spec.model]}, {source.name}"
    preprocessing = Preprocessing(normalization="per-image", multiple_of=spec.recipe.multiple_of)
    identity = WeightsIdentity(
        f"{spec.model}/trained", title, source.name, named_classes(source.class_names), spec.model, options, source.licence
    )
    live = ValidatedOnPart(source, spec.validation_pixels) if spec.validation_pixels else source
    return Prepared(spec, source, live, network, preprocessing, identity, command_of(spec))

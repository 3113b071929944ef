"""Everything a training needs, built in one place for the Training page and the command line, and how its result is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segdemo.data.drawn_sets import ValidatedOnPart
from segdemo.data.open_set import open_data_set
from segdemo.data.sources import Source
from segdemo.data.uploaded_set import PairedSource
from segdemo.errors import SettingError
from segdemo.models import TITLES, create_model
from segdemo.text import _
from segdemo.training.loop import TrainingSettings
from segdemo.training.run_command import command_of
from segdemo.training.run_spec import RunSpec, checked
from segdemo.training.save import WeightsIdentity, save_with_card, score_name_of
from segdemo.training.validation import Validation
from segdemo.types import Preprocessing
from segdemo.weights import get_weights, load_model
from segdemo.weights.class_names import named_classes

__all__ = ["Prepared", "build", "prepare"]


@dataclass(frozen=True)
class Prepared:
    """Everything a training needs. `live` is the source that is validated on while it trains: all of it, or a part."""

    source: Source
    live: Source
    network: nn.Module
    preprocessing: Preprocessing
    settings: TrainingSettings
    identity: WeightsIdentity
    command: str

    @property
    def score_name(self) -> str:
        """What the score of a validation is called: "IoU", "mean IoU" or "variance explained"."""
        return score_name_of(self.settings, len(self.identity.classes))

    def keep(
        self, folder: Path, weights: dict[str, Tensor], scores: Validation | None = None,
        on_picture: Callable[[], None] | None = None,
    ) -> Validation:  # fmt: skip
        """Write these weights and their card below `folder`, so that they can be used even if the training ends here.

        Without the scores of a validation of `live`, they are measured on all of `source`: see `save_with_card`.
        """
        source = self.source if scores is None else self.live
        return save_with_card(
            folder, self.identity, weights, source, self.preprocessing, self.settings, self.command, scores=scores,
            on_picture=on_picture,
        )  # fmt: skip


def prepare(spec: RunSpec, on_progress: Callable[[float], None] | None = None) -> Prepared:
    """Read the data of the Training page's spec and build what it asks for. Raises DataSetError and SettingError."""
    source = open_data_set(spec.data, spec.classes, on_progress)
    if isinstance(source, PairedSource) and spec.data_name:
        source.name = Path(spec.data_name).stem  # of an upload, which lies elsewhere under another name
    count = len(source.class_names)
    checked(spec, count)
    if spec.classes and len(spec.classes) != count:
        raise SettingError(_("The data has {n} classes, and {k} names were given.", n=count, k=len(spec.classes)))
    preprocessing = Preprocessing(normalization="per-image", multiple_of=spec.recipe.multiple_of)
    return build(
        source, spec.settings, preprocessing, spec.model, {"width": spec.width, **spec.recipe.options}, command_of(spec),
        title=spec.title or f"{TITLES[spec.model]}, {source.name}", trained_on=source.name, licence=source.licence,
        validation_pixels=spec.validation_pixels,
    )  # fmt: skip


def build(
    source: Source, settings: TrainingSettings, preprocessing: Preprocessing, model: str, options: Mapping[str, Any],
    command: str, *, name: str = "trained", title: str = "", trained_on: str = "", licence: str = "not stated",
    validation_pixels: int = 0, start_from: str = "",
) -> Prepared:  # fmt: skip
    """The network with the seed's random weights, or those of `start_from`, and as many outputs as the data has classes.

    validation_pixels: how many pixels of the validation are scored while it trains; 0: all. Raises SettingError.
    """
    count = len(source.class_names)
    outputs = 3 if settings.task == "reconstruct" else 1 if count == 2 else count
    all_options = {"num_classes": outputs, **options}
    torch.manual_seed(settings.seed)
    network = create_model(model, **all_options)
    if start_from:
        _begin_with(network, start_from)
    if settings.only and settings.only not in dict(network.named_modules()):
        raise SettingError(_('The network has no part called "{only}".', only=settings.only))
    identity = WeightsIdentity(
        f"{model}/{name}", title or source.name, trained_on, named_classes(source.class_names), model, all_options, licence
    )
    live = ValidatedOnPart(source, validation_pixels) if validation_pixels else source
    return Prepared(source, live, network, preprocessing, settings, identity, command)


def _begin_with(network: nn.Module, weights_id: str) -> None:
    """Take over every tensor of other weights. Raises SettingError where one of them has no place in the network."""
    own, given = network.state_dict(), load_model(get_weights(weights_id)).state_dict()
    if misfits := [key for key, value in given.items() if key not in own or own[key].shape != value.shape]:
        raise SettingError(_("{id} cannot be the beginning of this network: {key} does not fit.", id=weights_id, key=misfits[0]))
    network.load_state_dict(given, strict=False)

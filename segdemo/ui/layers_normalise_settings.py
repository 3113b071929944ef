"""The controls of the four normalisations: which one, in which mode, of how large a batch."""

from collections.abc import Mapping
from dataclasses import dataclass

from streamlit import container

from segdemo.layerlab.normalisation import KINDS, Kind
from segdemo.text import _
from segdemo.ui.layers_settings import choice_setting, number_setting

__all__ = ["Chosen", "Shape", "batch_settings"]

Shape = tuple[int, int, int, int]
MOST_CHANNELS = {2: 6, 3: 4}  # by height and width, so that every cell stays readable on a laptop


@dataclass(frozen=True)
class Chosen:
    """What is normalised and how. In evaluation: batches seen before, and the momentum from 0 to 1."""

    kind: Kind
    shape: Shape
    groups: int
    pattern: str
    evaluation: bool
    seen: int
    momentum: float


def batch_settings(asking: bool) -> Chosen:
    """All of them, from the controls. asking: their tooltips leave out what is asked, who shares a mean with whom."""
    kind = _kind(asking)
    with container():  # always there, so that what follows keeps its place on the page and is not built anew
        evaluation = kind == "batch" and _mode(asking) == "eval"
    shape, groups = _shape(kind, asking)
    patterns: Mapping[str, str] = {"plain": _("digits"), "bright": _("one bright picture"), "loud": _("louder channels")}
    pattern = choice_setting(
        "of", _("Input of"), patterns, "plain", clears=("x",), help=_("A bright picture, or channels with larger numbers.")
    )
    seen, momentum = _running_settings() if evaluation else (0, 10)
    return Chosen(kind, shape, groups, pattern, evaluation, seen, momentum / 100)


def _kind(asking: bool) -> Kind:
    words = {"batch": _("Batch"), "instance": _("Instance"), "layer": _("Layer"), "group": _("Group")}
    who = "" if asking else " " + _(
        "Batch: a channel, over all pictures. Instance: a channel of one picture. Layer: all of one picture. Group: some "
        "channels of one picture.")  # fmt: skip
    chosen = choice_setting("kind", _("Normalisation"), words, "batch", help=_("Which cells share a mean.") + who)
    return next(kind for kind in KINDS if kind == chosen)


def _mode(asking: bool) -> str:
    words = {"train": _("Train"), "eval": _("Eval")}
    told = _("In training the batch's own mean and variance, in evaluation the running ones.")
    return choice_setting("mode", _("Mode"), words, "train", compact=True, help=_(
        "While the network is trained, or while it predicts.") if asking else told)  # fmt: skip


def _running_settings() -> tuple[int, int]:
    """Batches seen before, and the momentum in percent."""
    seen = number_setting(
        "seen", _("Batches seen"), 0, 50, 5, help=_("How often it was trained on the batch shown, before it is evaluated.")
    )
    momentum = number_setting(
        "m", _("Momentum, %"), 0, 100, 10, help=_("The running mean moves by this share towards each new batch's.")
    )
    return seen, momentum


def _shape(kind: Kind, asking: bool) -> tuple[Shape, int]:
    """The batch's shape, and the groups of channels."""
    pictures = number_setting(
        "pictures", _("Pictures N"), 1, 4, 3, help=_("How many pictures are in the batch: the n of x[n,c].")
    )
    size = number_setting("n", _("Height and width"), 2, 3, 2, help=_("Cells along each side of a channel."))
    most = MOST_CHANNELS[size]
    why = _("With {n}×{n} cells there is room for {most} channels.", n=size, most=most)
    channels = number_setting(
        "c", _("Channels C"), 1, most, 4, why=why, help=_("How many channels each picture has: the c of x[n,c].")
    )
    with container():
        groups = _groups(channels, asking) if kind == "group" else 1
    return (pictures, channels, size, size), groups


def _groups(channels: int, asking: bool) -> int:
    words = {str(n): str(n) for n in range(1, channels + 1) if channels % n == 0}
    why = _("Groups must divide the number of channels, {n}.", n=channels)
    told = _("1 is layer normalisation; as many groups as channels is instance normalisation.")
    return int(choice_setting("g", _("Groups"), words, "2", compact=True, why=why, help=_(
        "Into how many groups the channels are divided.") if asking else told))  # fmt: skip

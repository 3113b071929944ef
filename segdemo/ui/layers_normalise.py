"""The view of normalisation and activation: who shares a mean, functions and gradients, softmax, dropout."""

from collections.abc import Callable

from segdemo.text import _
from segdemo.ui.layers_normalise_activations import show_activations
from segdemo.ui.layers_normalise_batch import show_batch
from segdemo.ui.layers_normalise_dropout import show_dropout
from segdemo.ui.layers_normalise_softmax import show_softmax
from segdemo.ui.layers_parts import Part, choose_part

__all__ = ["SETTINGS", "show_normalise"]

SETTINGS = (
    "part", "kind", "mode", "pictures", "c", "n", "g", "of", "seen", "m", "x", "gamma", "beta",
    "f", "at", "slope", "z", "t", "dropping", "p", "seed", "draws",
)  # fmt: skip


def show_normalise() -> None:
    """The row of parts, and the chosen one."""
    titles = {"norm": _("Normalise"), "activations": _("Activations"), "softmax": _("Softmax"), "dropout": _("Dropout")}
    part = choose_part(titles)
    shows: dict[str, Callable[[Part], None]] = {
        "norm": show_batch, "activations": show_activations, "softmax": show_softmax, "dropout": show_dropout,
    }  # fmt: skip
    shows[part.name](part)

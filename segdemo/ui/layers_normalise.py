"""The view of normalisation and activation: who shares a mean, functions and gradients, softmax, dropout."""

from collections.abc import Callable

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.normalisation import KINDS, Kind, batch_statistics, normalise, running_statistics, sharing, statistics
from segdemo.layerlab.normalisation_scene import batch_of_numbers, normalisation_scene
from segdemo.text import _
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_normalise_activations import show_activations
from segdemo.ui.layers_normalise_dropout import show_dropout
from segdemo.ui.layers_normalise_figures import running_figure
from segdemo.ui.layers_normalise_softmax import show_softmax
from segdemo.ui.layers_parts import Part, choose_part
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import Cells, typed

__all__ = ["SETTINGS", "show_normalise"]

Float = NDArray[np.float64]
Shape = tuple[int, int, int, int]
MOST_CHANNELS = {2: 6, 3: 4}  # by height and width, so that every cell stays readable on a laptop
SETTINGS = (
    "part", "kind", "mode", "pictures", "c", "n", "g", "of", "seen", "m", "x", "gamma", "beta",
    "f", "at", "slope", "z", "t", "dropping", "p", "seed", "draws",
)  # fmt: skip


def show_normalise() -> None:
    """The row of parts, and the chosen one."""
    titles = {"norm": _("Normalise"), "activations": _("Activations"), "softmax": _("Softmax"), "dropout": _("Dropout")}
    part = choose_part(titles, "norm")
    shows: dict[str, Callable[[Part], None]] = {
        "norm": _show_norm, "activations": show_activations, "softmax": show_softmax, "dropout": show_dropout,
    }  # fmt: skip
    shows[part.name](part)


def _show_norm(part: Part) -> None:
    with part.side:
        kind = _kind()
        with st.container():  # always there, so that what follows keeps its place on the page and is not built anew
            evaluation = kind == "batch" and _mode() == "eval"
        shape, groups = _shape(kind)
        patterns = {"plain": _("digits"), "bright": _("one bright picture"), "loud": _("louder channels")}
        pattern = choice_setting(
            "of", _("Input of"), patterns, "plain", clears=("x",), help=_("A bright picture, or channels of different size.")
        )
        seen, momentum = _running_settings() if evaluation else (0, 10)
    batch = typed("x", batch_of_numbers(shape, pattern))
    gamma, beta = typed("gamma", np.ones(shape[1])), typed("beta", np.zeros(shape[1]))
    means, variances = running_statistics(batch.values, momentum / 100, seen)
    running = (means[-1], variances[-1]) if evaluation else None
    with part.place:
        covered = part.asking and _question(shape, kind, groups, evaluation)
        with part.words:
            introduce(_introduction(covered))
        _draw(batch, kind, gamma, beta, groups, running, covered)
        st.caption(_where_things_are(covered))
        if running is not None and not covered:
            _show_running(batch.values, means, variances, momentum)
    _explain()


def _introduction(covered: bool) -> str:
    """What normalisation does; while it is asked how many means there are, tints say nothing."""
    first = _("Normalisation takes a mean away and divides by a spread, so that the next layer always gets numbers of the same "
              "size. The kinds differ only in which cells share a mean.")  # fmt: skip
    return first if covered else f"{first} {_('These have the same tint here.')}"


def _where_things_are(covered: bool) -> str:
    places = _(
        "**x[n,c]** is channel c of picture n, **y[n,c]** what becomes of it: y = γ · (x − mean) / √(variance + 0.00001) + β, "
        "with a learned γ and β for each channel. On a wide screen each row is a picture and each column a channel; on a phone, "
        "where there is less room, each row is a channel."
    )
    if covered:
        return f"{places} {_('All cells have one tint until the question is answered; it says nothing.')}"
    return f"{places} {_('Tints are no values: they only say which cells share a mean and a variance.')}"


def _kind() -> Kind:
    words = {"batch": _("Batch"), "instance": _("Instance"), "layer": _("Layer"), "group": _("Group")}
    chosen = choice_setting("kind", _("Normalisation"), words, "batch", help=_(
        "Who shares a mean. Batch: a channel, over all pictures. Instance: a channel of one picture. Layer: all of one picture. "
        "Group: some channels of one picture."))  # fmt: skip
    return next(kind for kind in KINDS if kind == chosen)


def _mode() -> str:
    words = {"train": _("Train"), "eval": _("Eval")}
    return choice_setting("mode", _("Mode"), words, "train", compact=True, help=_(
        "In training the batch's own mean and variance, in evaluation the running ones."))  # fmt: skip


def _running_settings() -> tuple[int, int]:
    """Batches seen before, and the momentum in percent."""
    seen = number_setting(
        "seen", _("Batches seen"), 0, 50, 5, help=_("How often it was trained on the batch shown, before it is evaluated.")
    )
    momentum = number_setting(
        "m", _("Momentum, %"), 0, 100, 10, help=_("The running mean moves by this share towards each new batch's.")
    )
    return seen, momentum


def _shape(kind: Kind) -> tuple[Shape, int]:
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
    with st.container():
        groups = _groups(channels) if kind == "group" else 1
    return (pictures, channels, size, size), groups


def _groups(channels: int) -> int:
    words = {str(n): str(n) for n in range(1, channels + 1) if channels % n == 0}
    why = _("Groups have to divide {n} channels.", n=channels)
    return int(choice_setting("g", _("Groups"), words, "2", compact=True, why=why, help=_(
        "1 is layer normalisation, as many as channels is instance normalisation.")))  # fmt: skip


def _draw(
    batch: Cells, kind: Kind, gamma: Cells, beta: Cells, groups: int, running: tuple[Float, Float] | None, covered: bool
) -> None:
    scene = normalisation_scene(batch.values, kind, gamma.values, beta.values, groups=groups, running=running, told=not covered)
    pictures, channels = batch.values.shape[:2]
    maps = pictures * channels

    def edited(grid: int, row: int, column: int, value: float) -> None:
        if grid < maps:
            batch.type_over((*divmod(grid, channels), row, column), value)
        else:
            (gamma if scene.grids[grid].key == "gamma" else beta).type_over(column, value)

    theatre(scene, "layers_theatre", label=_("A normalisation, cell by cell"), covered=covered,
            editable=[*range(maps), maps + 2, maps + 3], on_edit=edited)  # fmt: skip


def _question(shape: Shape, kind: Kind, groups: int, evaluation: bool) -> bool:
    """How many means are computed; True while the result has to stay hidden."""
    pictures, channels = shape[:2]
    counts = {"batch": channels, "instance": pictures * channels, "layer": pictures, "group": pictures * groups}
    right = 0 if evaluation else counts[kind]
    wrong = [count for count in (*counts.values(), 1, pictures * channels + 1, 0) if count != right]
    options = sorted({right, *list(dict.fromkeys(wrong))[:3]})
    whys = {
        "batch": _("One a channel, over all pictures and places: {c}.", c=channels),
        "instance": _("One a channel of each picture: {n}·{c}.", n=pictures, c=channels),
        "layer": _("One a picture, over all of its channels: {n}.", n=pictures),
        "group": _("One a group of channels of each picture: {n}·{g}.", n=pictures, g=groups),
    }
    why = (
        _("None: in evaluation the running ones are used, so that a picture's result depends on no other.")
        if evaluation
        else whys[kind]
    )
    return predict(_("How many means are computed from this batch?"), {str(n): str(n) for n in options}, str(right), why)


def _show_running(x: Float, means: Float, variances: Float, momentum: int) -> None:
    """How far the running values have come to what the batch has."""
    titles = _("Running mean"), _("Running variance")
    shown = zip(titles, (means, variances), batch_statistics(x), st.columns(2), strict=True)
    for number, (title, lines, targets, column) in enumerate(shown):
        figure = running_figure(lines, targets, title)
        column.plotly_chart(
            figure, key=f"layers_running_{number}", config={"displayModeBar": False},
            alt=_("Lines: the running values of every channel after each batch, and dotted what the batch has."),
        )  # fmt: skip
    batches = len(means) - 1
    share = 1 - (1 - momentum / 100) ** batches
    sentence = _(
        "Dotted: what the batch has. The running values start at mean 0 and variance 1 and have come **{share:.0%}** of the "
        "way in {n} batches: 1 − (1 − {m:g})ⁿ. The variance that goes in is divided by one less than the number of cells.",
        share=share, n=batches, m=momentum / 100,
    )  # fmt: skip
    st.caption(sentence)


def _explain() -> None:
    text = _(
        "**Batch normalisation** makes each picture's result depend on the others in its batch. In evaluation it must not, so "
        "it keeps running means while it trains and uses those: forgetting `model.eval()` is a common mistake. With one or two "
        "pictures a batch, as in segmentation with large pictures, its means are noisy; **group normalisation** depends on no "
        "batch and works the same in both modes. **Instance normalisation** takes away how bright and how contrasted each "
        "channel of each picture is, and is what nnU-Net uses; **layer normalisation** keeps how channels compare, and is what "
        "transformers use (there over the channels of each place).\n\n"
        "**γ and β** are learned, one a channel, and can undo it all. `nn.LayerNorm` has one an element instead."
    )
    formulas = (
        r"y = \gamma_c \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta_c, \quad \varepsilon = 10^{-5}",
        r"\mu = \frac{1}{m} \sum_{i \in S} x_i, \quad \sigma^2 = \frac{1}{m} \sum_{i \in S} (x_i - \mu)^2",
        r"\text{running} \leftarrow (1 - \text{momentum}) \cdot \text{running} + \text{momentum} \cdot \text{batch}",
    )
    papers = (
        ("Ioffe, Szegedy: Batch Normalization, ICML 2015", "https://arxiv.org/abs/1502.03167"),
        ("Ulyanov et al.: Instance Normalization, 2016", "https://arxiv.org/abs/1607.08022"),
        ("Ba et al.: Layer Normalization, 2016", "https://arxiv.org/abs/1607.06450"),
        ("Wu, He: Group Normalization, ECCV 2018", "https://arxiv.org/abs/1803.08494"),
    )
    explain(text, formulas, papers, (sharing, statistics, normalise, running_statistics))

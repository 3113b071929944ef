"""Batch, instance, layer and group normalisation of a small batch, cell by cell; train against evaluation."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.normalisation import normalise, running_statistics, sharing, statistics
from segdemo.layerlab.normalisation_scene import batch_of_numbers, normalisation_scene
from segdemo.text import _
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_normalise_running import show_running
from segdemo.ui.layers_normalise_settings import Chosen, batch_settings
from segdemo.ui.layers_parts import Part
from segdemo.ui.layers_typed import Cells, typed

__all__ = ["show_batch"]

Float = NDArray[np.float64]


def show_batch(part: Part) -> None:
    """The theatre of the batch, its means and variances and the result; in evaluation the running values under it."""
    with part.side:
        chosen = batch_settings(part.asking)
    channels = chosen.shape[1]
    batch = typed("x", batch_of_numbers(chosen.shape, chosen.pattern))
    gamma, beta = typed("gamma", np.ones(channels)), typed("beta", np.zeros(channels))
    means, variances = running_statistics(batch.values, chosen.momentum, chosen.seen)
    with part.place:
        covered = part.asking and _question(chosen)
        with part.words:
            introduce(_introduction(covered))
        _draw(batch, gamma, beta, chosen, (means[-1], variances[-1]), covered)
        st.caption(_where_things_are(covered))
        if chosen.evaluation and not covered:
            show_running(batch.values, means, variances, chosen.momentum)
    if not covered:
        _explain()


def _introduction(covered: bool) -> str:
    """What normalisation does; while it is asked how many means there are, tints say nothing."""
    first = _("Normalisation takes a mean away and divides by a spread, so that the next layer always gets numbers of the same "
              "size. The kinds differ only in which cells share a mean.")  # fmt: skip
    return first if covered else f"{first} {_('These have the same tint here.')}"


def _where_things_are(covered: bool) -> str:
    places = _(
        "**x[n,c]** is channel c of picture n, **y[n,c]** what becomes of it: y = γ · (x − mean) / √(variance + 0.00001) + β, "
        "with a learned γ and β for each channel. Each row is a picture and each column a channel."
    )
    if covered:
        return f"{places} {_('All cells have one tint until the question is answered; it says nothing.')}"
    return f"{places} {_('Tints are not values: they only show which cells share a mean and a variance.')}"


def _draw(batch: Cells, gamma: Cells, beta: Cells, chosen: Chosen, running: tuple[Float, Float], covered: bool) -> None:
    scene = normalisation_scene(batch.values, chosen.kind, gamma.values, beta.values, groups=chosen.groups,
                                running=running if chosen.evaluation else None, told=not covered)  # fmt: skip
    pictures, channels = chosen.shape[:2]
    maps = pictures * channels

    def edited(grid: int, row: int, column: int, value: float) -> None:
        if grid < maps:
            batch.type_over((*divmod(grid, channels), row, column), value)
        else:
            (gamma if scene.grids[grid].key == "gamma" else beta).type_over(column, value)

    theatre(scene, label=_("A normalisation, cell by cell"), covered=covered,
            editable=[*range(maps), maps + 2, maps + 3], on_edit=edited)  # fmt: skip


def _question(chosen: Chosen) -> bool:
    """How many means are computed; True while the result has to stay hidden."""
    pictures, channels = chosen.shape[:2]
    counts = {"batch": channels, "instance": pictures * channels, "layer": pictures, "group": pictures * chosen.groups}
    right = 0 if chosen.evaluation else counts[chosen.kind]
    wrong = [count for count in (*counts.values(), 1, pictures * channels + 1, 0) if count != right]
    options = sorted({right, *list(dict.fromkeys(wrong))[:3]})
    whys = {
        "batch": _("One per channel, over all pictures and places: {c}.", c=channels),
        "instance": _("One per channel of each picture: {n}·{c}.", n=pictures, c=channels),
        "layer": _("One per picture, over all of its channels: {n}.", n=pictures),
        "group": _("One per group of channels of each picture: {n}·{g}.", n=pictures, g=chosen.groups),
    }
    why = (
        _("None: in evaluation the running ones are used, so that a picture's result does not depend on the others.")
        if chosen.evaluation
        else whys[chosen.kind]
    )
    return predict(_("How many means are computed from this batch?"), {str(n): str(n) for n in options}, str(right), why)


def _explain() -> None:
    text = _(
        "**Batch normalisation** makes each picture's result depend on the others in its batch. In evaluation it must not, so "
        "it keeps running means while it trains and uses those: forgetting `model.eval()` is a common mistake. With one or two "
        "pictures per batch, as in segmentation with large pictures, its means are noisy; **group normalisation** does not "
        "depend on the batch and works the same in both modes. **Instance normalisation** takes away how bright and how "
        "contrasted each channel of each picture is, and is what nnU-Net uses; **layer normalisation** keeps how channels "
        "compare, and is what transformers use (there over the channels of each place).\n\n"
        "**γ and β** are learned, one pair per channel, and can undo it all. `nn.LayerNorm` has one pair per element instead."
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

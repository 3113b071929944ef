"""Under batch normalisation in evaluation: how far the running mean and variance have come to what the batch has."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.layerlab.normalisation import batch_statistics
from segdemo.text import _
from segdemo.ui.layers_normalise_figures import running_figure

__all__ = ["show_running"]

Float = NDArray[np.float64]


def show_running(x: Float, means: Float, variances: Float, momentum: float) -> None:
    """x (N, C, H, W); means and variances (batches + 1, C) after each batch; momentum from 0 to 1."""
    titles = _("Running mean"), _("Running variance")
    shown = zip(titles, (means, variances), batch_statistics(x), st.columns(2), strict=True)
    for number, (title, lines, targets, column) in enumerate(shown):
        figure = running_figure(lines, targets, title)
        column.plotly_chart(
            figure, key=f"layers_running_{number}", config={"displayModeBar": False},
            alt=_("Lines: the running values of every channel after each batch; dotted: those of the batch."),
        )  # fmt: skip
    batches = len(means) - 1
    share = 1 - (1 - momentum) ** batches
    sentence = _(
        "Dotted: the values of the batch. The running values start at mean 0 and variance 1 and have come **{share:.0%}** of the "
        "way in {n} batches: 1 − (1 − {m:g})ⁿ. The variance that goes in is divided by one less than the number of cells.",
        share=share, n=batches, m=momentum,
    )  # fmt: skip
    st.caption(sentence)

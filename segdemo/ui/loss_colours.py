"""One colour and one title for each loss, the same on every view."""

from segdemo.losses import FACTS
from segdemo.text import _

__all__ = ["colour_of", "title_of"]

# Okabe–Ito and Paul Tol's "muted", the darkest made lighter, so that all are seen on light and on dark; related losses
# have neighbouring hues.
COLOURS = {
    "bce": "#0072B2", "weighted_bce": "#56B4E9", "cross_entropy": "#7A6FD8", "focal": "#D55E00", "ohem": "#B5487F",
    "dice": "#009E73", "iou": "#E69F00", "tversky": "#CC79A7", "focal_tversky": "#AA4499", "lovasz": "#5E8C31",
    "boundary": "#B0A030", "ms_ssim": "#88CCEE", "bce_dice": "#44AA99", "focal_dice": "#CC6677", "unet3_plus": "#8a939c",
}  # fmt: skip


def colour_of(name: str) -> str:
    """The colour of a loss as "#rrggbb"."""
    return COLOURS[name]


def title_of(name: str) -> str:
    """What a loss is called."""
    return _(FACTS[name].title)

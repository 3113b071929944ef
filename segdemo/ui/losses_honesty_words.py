"""The conventions of the Honest metrics view in words: what each counts, and who counts so."""

from dataclasses import dataclass

from segdemo.metrics import Convention
from segdemo.text import _

__all__ = ["Row", "rows", "who_else"]


@dataclass(frozen=True)
class Row:
    """A way of counting: its name, and who uses it. ignoring: with the band along the outlines left out."""

    title: str
    who: str
    convention: Convention
    ignoring: bool = False

    @property
    def group(self) -> str:
        """Over what is averaged first."""
        return _("each picture, then the mean") if self.convention.per_image else _("all pixels of all pictures")


def rows(width: int) -> list[Row]:
    """The conventions one after the other, pooled ones first. `width`: pixels of the ignored band."""
    return [*_pooled(width), *_per_picture()]


def _pooled(width: int) -> list[Row]:
    return [
        Row(_("foreground classes"), _(
            "What the score panel of the Segment page and our cards use for two classes: one matrix for all pixels."),
            Convention()),
        Row(_("foreground, {n} px along outlines ignored", n=width), _(
            "PASCAL VOC labels the outlines of objects void (255) and counts them nowhere; Cityscapes leaves out its void "
            "regions."), Convention(), ignoring=True),
        Row(_("background in the mean"), _(
            "PASCAL VOC: mean IoU over 21 classes, the background one of them, from all pixels of the data set. Cityscapes "
            "pools as well, over 19 classes that know no background."), Convention(averaging="all")),
        Row(_("weighted by frequency"), _(
            "One of the four scores in the FCN paper, beside pixel accuracy, mean accuracy and mean IoU."),
            Convention(averaging="frequency")),
        Row(_("every pixel alike (micro)"), _(
            "As Dice it is the pixel accuracy. Library defaults differ: always look for “micro” or “macro”."),
            Convention(averaging="micro")),
    ]  # fmt: skip


def _per_picture() -> list[Row]:
    return [
        Row(_("left out where truth and prediction are empty"), _(
            "nnU-Net: the mean over the cases of each foreground class; a false alarm on an empty case scores 0."),
            Convention(True, empty="both")),
        Row(_("left out where the truth is empty"), _(
            "MONAI's DiceMetric unless told otherwise (ignore_empty): false alarms on empty pictures cost nothing."),
            Convention(True, empty="truth")),
        Row(_("empty and found empty counts 1"), _(
            "BraTS for enhancing tumour, and Kaggle's SIIM-ACR Pneumothorax challenge: finding nothing there is right."),
            Convention(True, empty="one")),
        Row(_("empty and found empty counts 0"), _(
            "What 0/0 becomes where the code adds a tiny number below the line only: finding nothing there is wrong."),
            Convention(True, empty="zero")),
        Row(_("s = 1 above and below the line"), _(
            "What a smoothed Dice loss reports when it is read as a score: an empty picture counts 1, or almost nothing."),
            Convention(True, empty="smooth")),
    ]  # fmt: skip


def who_else() -> str:
    """Conventions that no row above shows."""
    return _("The Medical Segmentation Decathlon and BraTS report Dice of each case and then the mean. The nuclei of the Data "
             "Science Bowl 2018 are scored by objects, not by pixels: TP / (TP + FP + FN) of whole nuclei at ten IoU thresholds "
             "from 0.50 to 0.95, averaged over thresholds and then over pictures.")  # fmt: skip

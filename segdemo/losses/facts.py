"""What a visitor reads about each loss: title, formula, meaning, options with the range of their sliders, paper.

A test holds names and defaults against the functions' signatures. Texts are marked for translation, not translated.
"""

from dataclasses import dataclass
from typing import Literal

from segdemo.text import N_

__all__ = ["FACTS", "LossFacts", "LossOption"]

LossKind = Literal["pixel", "region", "mixture"]
Channels = Literal["one", "several", "any"]


@dataclass(frozen=True)
class LossOption:
    """One keyword of a loss function: a number with a range, a switch (default True or False), or one of `choices`.

    A number whose default is None is chosen by the loss itself until the visitor sets it.
    """

    name: str
    default: float | str | None
    meaning: str  # N_
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class LossFacts:
    """One loss in words. `formula` and `formula_several` (where the form for several classes differs) are LaTeX.

    kind "pixel": a mean of terms, each of one pixel's prediction alone; "region": the pixels decide together.
    channels: how many logits a pixel the function takes. negative: whether values below 0 are possible. empty: what a
    mask without foreground does.
    """

    title: str  # N_
    formula: str
    meaning: str  # N_, one sentence
    paper: str  # authors, year, number
    url: str  # "" where there is no stable address
    kind: LossKind
    channels: Channels = "any"
    options: tuple[LossOption, ...] = ()
    formula_several: str = ""
    negative: bool = False
    empty: str = N_("A mask without foreground is nothing special: its background is scored as ever.")  # N_


_SMOOTH = LossOption(
    "smooth", 1.0, N_("Added above and below the fraction line: calms tiny objects and defines empty masks."), 0.0, 100.0, 0.5
)
_PER_IMAGE = LossOption(
    "per_image", False, N_("Each picture is scored by itself, so that small objects in one are not drowned by another.")
)
_EMPTY = LossOption(
    "empty", "smooth", N_("What a class costs that the mask does not hold: by the formula, left out, 0, or 1."),
    choices=("smooth", "skip", "zero", "one"),
)  # fmt: skip
_EMPTY_AREA = N_(
    "For a mask without foreground the formula holds only the prediction and s; the option empty decides what it costs."
)
_OVERLAP = (_SMOOTH, _PER_IMAGE, _EMPTY)
_ALPHA = LossOption("alpha", 0.25, N_("Weight of foreground pixels; background pixels weigh 1 − α."), 0.0, 1.0, 0.05)
_GAMMA = LossOption("gamma", 2.0, N_("How strongly easy pixels are turned down; 0 turns down none."), 0.0, 5.0, 0.25)
_FALSE_POSITIVES = LossOption("alpha", 0.3, N_("Weight of false positives: what is marked but should not be."), 0.0, 2.0, 0.05)
_FALSE_NEGATIVES = LossOption("beta", 0.7, N_("Weight of false negatives: what is missed."), 0.0, 2.0, 0.05)


def _share(name: str, meaning: str) -> LossOption:
    return LossOption(name, 1.0, meaning, 0.0, 5.0, 0.1)


FACTS: dict[str, LossFacts] = {
    "bce": LossFacts(
        title=N_("Binary cross entropy"),
        formula=r"-\frac{1}{N}\sum_i \left[\,y_i \log p_i + (1-y_i)\log(1-p_i)\,\right]",
        meaning=N_("The surprise at the truth, pixel by pixel; all pixels count alike, so the many decide."),
        paper="Good, 1952: Rational decisions",
        url="https://doi.org/10.1111/j.2517-6161.1952.tb00104.x",
        kind="pixel",
        channels="one",
    ),
    "weighted_bce": LossFacts(
        title=N_("Weighted binary cross entropy"),
        formula=r"-\frac{1}{N}\sum_i \left[\,w\, y_i \log p_i + (1-y_i)\log(1-p_i)\,\right]",
        meaning=N_("Cross entropy in which a foreground pixel counts w times, so that a rare class is heard."),
        paper="Ronneberger et al., 2015: U-Net, arXiv:1505.04597",
        url="https://arxiv.org/abs/1505.04597",
        kind="pixel",
        channels="one",
        options=(
            LossOption(
                "pos_weight", None, N_("How often a foreground pixel counts; unset: background / foreground."), 0.1, 100.0, 0.1
            ),
        ),
    ),
    "cross_entropy": LossFacts(
        title=N_("Softmax cross entropy"),
        formula=r"-\frac{1}{N}\sum_i w_{y_i} \log p_{i,y_i}, \quad p = \mathrm{softmax}(z)",
        meaning=N_("The surprise at the true class, pixel by pixel, for several classes at once."),
        paper="Bridle, 1990: Probabilistic interpretation of feedforward classification network outputs",
        url="https://doi.org/10.1007/978-3-642-76153-9_28",
        kind="pixel",
        channels="several",
    ),
    "focal": LossFacts(
        title=N_("Focal loss"),
        formula=r"-\frac{1}{N}\sum_i \alpha_t\,(1-p_t)^{\gamma} \log p_t",
        meaning=N_("Cross entropy that turns down what is already right and looks at what is hard."),
        paper="Lin et al., 2017, arXiv:1708.02002",
        url="https://arxiv.org/abs/1708.02002",
        kind="pixel",
        options=(_ALPHA, _GAMMA),
    ),
    "ohem": LossFacts(
        title=N_("OHEM cross entropy"),
        formula=r"\frac{1}{|H|}\sum_{i\in H} -\log p_t, \quad H = \{\,i : p_t \le \max(t,\ p_{(k)})\,\}",
        meaning=N_("Cross entropy of the hard pixels alone: those below a probability, and never fewer than k."),
        paper="Shrivastava et al., 2016, arXiv:1604.03540",
        url="https://arxiv.org/abs/1604.03540",
        kind="pixel",
        options=(
            LossOption(
                "threshold", 0.7, N_("A pixel is easy, and left out, if its true class has more probability."), 0.0, 1.0, 0.05
            ),
            LossOption("min_kept", 1 / 16, N_("Share of the pixels that stays even if all are easy."), 0.0, 0.5, 1 / 32),
        ),
    ),
    "dice": LossFacts(
        title=N_("Dice loss"),
        formula=r"1 - \frac{2\sum p g + s}{\sum p + \sum g + s}",
        meaning=N_("One minus twice the overlap over both areas: the amount of background does not matter."),
        paper="Milletari et al., 2016: V-Net, arXiv:1606.04797",
        url="https://arxiv.org/abs/1606.04797",
        kind="region",
        empty=_EMPTY_AREA,
        options=(_SMOOTH, LossOption("squared", False, N_("Squares p and g below the line, as V-Net does.")), _PER_IMAGE, _EMPTY),
    ),
    "iou": LossFacts(
        title=N_("IoU (Jaccard) loss"),
        formula=r"1 - \frac{TP + s}{TP + FP + FN + s}",
        meaning=N_("One minus overlap over union: ranks like Dice, and is stricter with half-right masks."),
        paper="Rahman & Wang, 2016",
        url="https://doi.org/10.1007/978-3-319-50835-1_22",
        kind="region",
        empty=_EMPTY_AREA,
        options=_OVERLAP,
    ),
    "tversky": LossFacts(
        title=N_("Tversky loss"),
        formula=r"1 - \frac{TP + s}{TP + \alpha\,FP + \beta\,FN + s}",
        meaning=N_("Dice with a choice: missing something may cost more than marking too much."),
        paper="Salehi et al., 2017, arXiv:1706.05721",
        url="https://arxiv.org/abs/1706.05721",
        kind="region",
        empty=_EMPTY_AREA,
        options=(_FALSE_POSITIVES, _FALSE_NEGATIVES, *_OVERLAP),
    ),
    "focal_tversky": LossFacts(
        title=N_("Focal Tversky loss"),
        formula=r"(1 - TI)^{\gamma}, \quad TI = \frac{TP + s}{TP + \alpha\,FP + \beta\,FN + s}",
        meaning=N_("A power of the Tversky loss: below 1 it keeps pulling on masks that are almost right."),
        paper="Abraham & Khan, 2018, arXiv:1810.07842",
        url="https://arxiv.org/abs/1810.07842",
        kind="region",
        empty=_EMPTY_AREA,
        options=(
            _FALSE_POSITIVES,
            _FALSE_NEGATIVES,
            LossOption(
                "gamma", 0.75, N_("The exponent itself (the paper's 1/γ): below 1 steep near 0, above 1 flat."), 0.25, 3.0, 0.05
            ),
            *_OVERLAP,
        ),
    ),
    "lovasz": LossFacts(
        title=N_("Lovász loss"),
        formula=r"\sum_k m_{(k)}\,\Delta J_k, \quad m_{(1)} \ge m_{(2)} \ge \dots, \quad m_i = \max(0,\ 1 - z_i\,(2g_i - 1))",
        formula_several=r"\frac{1}{|C|}\sum_{c \in C} \sum_k m_{(k)}\,\Delta J_k, \quad m_{(1)} \ge \dots, \ m_i = |g_i - p_i|",
        meaning=N_("The true IoU, made continuous: pixels are sorted by error and each weighs what it does to the IoU."),
        paper="Berman et al., 2018, arXiv:1705.08790",
        url="https://arxiv.org/abs/1705.08790",
        kind="region",
        empty=N_(
            "With one logit a mask without foreground costs the largest error alone; of several, absent classes leave the mean."
        ),
        options=(_PER_IMAGE,),
    ),
    "boundary": LossFacts(
        title=N_("Boundary loss"),
        formula=r"\frac{1}{N}\sum_i \phi_i\, p_i, \quad \phi = \text{signed distance to the outline of } g",
        meaning=N_("What is marked costs its distance from the true outline in pixels; inside, it earns it."),
        paper="Kervadec et al., 2019, arXiv:1812.07032",
        url="https://arxiv.org/abs/1812.07032",
        kind="pixel",
        empty=N_("A mask without foreground has no outline: it costs nothing and teaches nothing."),
        negative=True,
    ),
    "ms_ssim": LossFacts(
        title=N_("MS-SSIM loss"),
        formula=r"1 - l_M^{\beta_M} \prod_j cs_j^{\beta_j}, \quad cs = \frac{2\sigma_{pg} + C_2}{\sigma_p^2 + \sigma_g^2 + C_2}",
        meaning=N_("Compares structure in small windows, with the picture at several sizes."),
        paper="Wang et al., 2003; Huang et al., 2020: U-Net 3+, arXiv:2004.08790",
        url="https://arxiv.org/abs/2004.08790",
        kind="region",
        options=(
            LossOption("window", 11, N_("Width of the window in pixels."), 3, 21, 2),
            LossOption("sigma", 1.5, N_("How quickly the window's weights fall off, in pixels."), 0.5, 5.0, 0.25),
            LossOption("scales", 5, N_("How many times, at most, the picture is looked at, halved each time."), 1, 5, 1),
        ),
    ),
    "bce_dice": LossFacts(
        title=N_("Cross entropy + Dice"),
        formula=r"w_1\,\mathrm{CE} + w_2\,\mathrm{Dice}",
        meaning=N_("nnU-Net's mixture: cross entropy for smooth gradients, Dice for the balance."),
        paper="Isensee et al., 2019: nnU-Net, arXiv:1904.08128",
        url="https://arxiv.org/abs/1904.08128",
        kind="mixture",
        empty=N_("A mask without foreground costs what the parts say: the pixels as ever, the area by s."),
        options=(_share("bce_weight", N_("Weight of cross entropy.")), _share("dice_weight", N_("Weight of Dice.")), _SMOOTH),
    ),
    "focal_dice": LossFacts(
        title=N_("Focal + Dice"),
        formula=r"w_1\,\mathrm{Focal} + w_2\,\mathrm{Dice}",
        meaning=N_("Focal looks for hard pixels while Dice watches the whole object."),
        paper="Zhu et al., 2018: AnatomyNet, arXiv:1808.05238",
        url="https://arxiv.org/abs/1808.05238",
        kind="mixture",
        empty=N_("A mask without foreground costs what the parts say: the pixels as ever, the area by s."),
        options=(
            _share("focal_weight", N_("Weight of Focal.")),
            _share("dice_weight", N_("Weight of Dice.")),
            _ALPHA,
            _GAMMA,
            _SMOOTH,
        ),
    ),
    "unet3_plus": LossFacts(
        title=N_("U-Net 3+ loss"),
        formula=r"w_1\,\mathrm{Focal} + w_2\,(1 - \mathrm{MS\text{-}SSIM}) + w_3\,\mathrm{IoU}",
        meaning=N_("Three views at once: single pixels, patches and the whole map."),
        paper="Huang et al., 2020: U-Net 3+, arXiv:2004.08790",
        url="https://arxiv.org/abs/2004.08790",
        kind="mixture",
        empty=N_("A mask without foreground costs what the parts say: the pixels as ever, the area by s."),
        options=(
            _share("focal_weight", N_("Weight of Focal.")),
            _share("ms_ssim_weight", N_("Weight of MS-SSIM.")),
            _share("iou_weight", N_("Weight of IoU.")),
            _ALPHA,
            _GAMMA,
            _SMOOTH,
        ),
    ),
}

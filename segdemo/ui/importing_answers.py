"""What weights from outside do not say about themselves: how pictures are prepared for them, and what their classes mean."""

from dataclasses import dataclass, replace

import streamlit as st

from segdemo.text import N_, _
from segdemo.types import ChannelOrder, ClassInfo, Preprocessing, WeightsEntry
from segdemo.weights import named_classes

__all__ = ["Answers", "ask"]

Triple = tuple[float, float, float]
ZEROS, ONES, HALVES = (0.0,) * 3, (1.0,) * 3, (0.5,) * 3
IMAGENET_MEAN, IMAGENET_STD = Preprocessing().mean, Preprocessing().std
MAX_SIDE = 4096
MAX_NAME, MAX_DESCRIPTION = 60, 160  # characters

# What trainings do, most common first. Colours that come in blue, green, red have their means in that order.
SCALES: dict[str, tuple[str, Preprocessing]] = {
    "unit": (N_("0 to 1 (divided by 255)"), Preprocessing(mean=ZEROS, std=ONES)),
    "imagenet": (N_("ImageNet's mean and deviation"), Preprocessing()),
    "signed": (N_("−1 to 1"), Preprocessing(mean=HALVES, std=HALVES)),
    "bytes": (N_("0 to 255, as in the file"), Preprocessing(mean=ZEROS, std=ONES, value_range=255)),
    "caffe": (
        N_("0 to 255 minus Caffe's mean"),
        Preprocessing(mean=(104.00699, 116.66877, 122.67892), std=ONES, value_range=255),
    ),
    "twice": (N_("ImageNet's, then divided by 255 again"), Preprocessing(std=(58.395, 57.12, 57.375))),
    "per-image": (N_("the picture's own mean and deviation"), Preprocessing("per-image")),
    "per-channel": (N_("own mean and deviation of each channel"), Preprocessing("per-channel")),
}
OWN = "own"


@dataclass(frozen=True)
class Answers:
    """What the visitor says, put into the entry; `classes` is None while the names do not fit the network."""

    entry: WeightsEntry
    classes: tuple[ClassInfo, ...] | None


def ask(draft: WeightsEntry) -> Answers:
    """The form, filled in with the guesses. There is nothing to send: every change shows in the preview."""
    key = draft.sha256[:12]
    title = _words(st.text_input(_("Name"), draft.title, max_chars=MAX_NAME, key=f"import_title_{key}",
                                 help=_("What the weights are called in the lists.")))  # fmt: skip
    values = _scale(draft, key)
    columns = st.columns(2)
    with columns[0]:
        order = _order(draft, key)
    with columns[1]:
        side = st.number_input(
            _("Shorter side"), 0, MAX_SIDE, draft.preprocessing.short_side or 0, 32, key=f"import_side_{key}",
            help=_("Pictures are scaled to this many pixels, best the size of the training. 0: they stay as they are."),
        )  # fmt: skip
    preprocessing = replace(
        draft.preprocessing, normalization=values.normalization, mean=values.mean, std=values.std,
        value_range=values.value_range, channel_order=order, short_side=int(side) or None,
    )  # fmt: skip
    entry = _padding(replace(draft, preprocessing=preprocessing, title=title or draft.title), key)
    classes = _classes(draft, key)
    trained_on = _words(st.text_input(
        _("Trained on"), max_chars=MAX_DESCRIPTION, key=f"import_origin_{key}", placeholder=_("chest X-rays, 512 pixels wide"),
        help=_("Shown with every result, because other pictures may come out wrong."),
    ))  # fmt: skip
    return Answers(replace(entry, trained_on=trained_on.rstrip(".") or draft.trained_on), classes)


def _words(text: str) -> str:
    """Without what opens a link, a picture, code or a formula: others may come to see these words through a link."""
    return "".join(c for c in text if c not in "[]<>`$\\" and c.isprintable()).strip()


def _padding(entry: WeightsEntry, key: str) -> WeightsEntry:
    """The original U-Net pads nothing and loses a border, which no weights show; pictures are then mirrored around it."""
    if entry.model != "unet" or not st.toggle(
        _("Trained without padding"), key=f"import_valid_{key}",
        help=_("As in the paper, where the segmentation is smaller than the picture. Weights do not show it."),
    ):  # fmt: skip
        return entry
    options = {"normalization": "batch", **entry.options, "padding": "valid"}
    size = 2 ** int(entry.options["depth"])
    border = 6 * size - 4  # two 3×3 convolutions a stage, 2, 4, 8 … pixels each, down and up again
    return replace(entry, options=options, preprocessing=replace(entry.preprocessing, border=border, offset=4 % size))


def _scale(draft: WeightsEntry, key: str) -> Preprocessing:
    """Which values the network was trained on."""
    guess = next((name for name, (_label, known) in SCALES.items() if _same_values(known, draft.preprocessing)), OWN)
    names = [*SCALES, OWN]
    chosen = st.selectbox(
        _("Values"), names, names.index(guess), key=f"import_scale_{key}",
        format_func=lambda name: _("own numbers …") if name == OWN else _(SCALES[name][0]),
        help=_("The range of the numbers that the training fed to the network. A wrong one ruins the result."),
    )  # fmt: skip
    return _own_numbers(draft.preprocessing, key) if chosen == OWN else SCALES[chosen][1]


def _same_values(known: Preprocessing, guessed: Preprocessing) -> bool:
    if known.normalization != "fixed" or guessed.normalization != "fixed":
        return known.normalization == guessed.normalization
    return (known.mean, known.std, known.value_range) == (guessed.mean, guessed.std, guessed.value_range)


def _own_numbers(guess: Preprocessing, key: str) -> Preprocessing:
    """Mean and standard deviation typed in; a sentence, and the guess, where they are no numbers."""
    columns = st.columns([2, 2, 1])
    with columns[2]:
        by_bytes = st.selectbox(_("Of values"), (1, 255), (1, 255).index(guess.value_range), key=f"import_range_{key}",
                                format_func=lambda most: f"0–{most}",
                                help=_("Whether mean and deviation are meant for values up to 1 or up to 255."))  # fmt: skip
    with columns[0]:
        mean = _triple(_("Mean"), guess.mean, f"import_mean_{key}")
    with columns[1]:
        std = _triple(_("Deviation"), guess.std, f"import_std_{key}")
    if mean is None or std is None or min(std) <= 0:
        st.error(_("Mean and deviation are three numbers each, such as 0.5, 0.5, 0.5; a deviation is more than 0."),
                 icon=":material/error:")  # fmt: skip
        return guess
    return Preprocessing(mean=mean, std=std, value_range=255 if by_bytes == 255 else 1)


def _triple(label: str, guess: Triple, key: str) -> Triple | None:
    """Three numbers, or one for all channels; None where the text is something else."""
    text = st.text_input(label, ", ".join(f"{value:g}" for value in guess), key=key, max_chars=60,
                         help=_("One number for each channel in the network's order, or one for all."))  # fmt: skip
    try:
        values = [float(part) for part in text.replace(";", ",").split(",")]
    except ValueError:
        return None
    values = values * 3 if len(values) == 1 else values
    if len(values) != 3 or not all(abs(value) < 1e6 for value in values):  # also false for NaN
        return None
    return values[0], values[1], values[2]


def _order(draft: WeightsEntry, key: str) -> ChannelOrder:
    """Red or blue first; a network of one channel sees neither."""
    guess = draft.preprocessing.channel_order
    chosen = st.segmented_control(
        _("Channels"), ("rgb", "bgr"), default=guess, required=True, format_func=str.upper, key=f"import_order_{key}",
        disabled=draft.preprocessing.channels < 3,
        help=_("RGB where the training read pictures with Pillow or torchvision, BGR where it was OpenCV or Caffe."),
    )  # fmt: skip
    return "bgr" if chosen == "bgr" else "rgb"


def _classes(draft: WeightsEntry, key: str) -> tuple[ClassInfo, ...] | None:
    """One name a line. None, with a sentence, where their number is not the network's."""
    count = len(draft.classes)
    text = st.text_area(
        _("Classes, one a line"), "\n".join(_(info.name) for info in draft.classes), height=34 * min(8, count + 1) + 20,
        key=f"import_classes_{key}", max_chars=20_000, help=_("In the order of the network's outputs, background first."),
    )  # fmt: skip
    names = [_words(line)[:MAX_NAME] for line in text.splitlines() if _words(line)]
    if len(names) == count and len(set(names)) == count:
        return named_classes(names)
    if len(names) != count:
        st.error(
            _("The network has {count} classes, and there are {n} names.", count=count, n=len(names)), icon=":material/error:"
        )
    else:
        st.error(_("Two classes have the same name."), icon=":material/error:")
    return None

"""The settings of a training on the Training page: network, loss, optimiser, steps, augmentation. A sensible one is set."""

from dataclasses import replace
from typing import Any

import streamlit as st

from segdemo.data.augment import Augmentation
from segdemo.losses import FACTS, LossOption
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.training.loop import TrainingSettings
from segdemo.training.run_events import tensorboard_is_installed
from segdemo.training.run_spec import BOUNDS, MAX_MINUTES, NARROWEST, RECIPES, RunSpec, losses_for
from segdemo.training.schedule import OPTIMIZERS, SCHEDULES
from segdemo.ui.loss_colours import title_of

__all__ = ["ask_augmentation", "ask_length", "ask_settings"]

RATES = (1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1)
CROPS = (32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 512)
BATCHES = (1, 2, 4, 8, 12, 16, 24, 32)
USUAL_STEPS, USUAL_MINUTES = 200, 3.0
VALIDATIONS = 12  # in a run


def ask_length() -> TrainingSettings:
    """Steps or minutes: the one question that everybody answers."""
    unit = st.segmented_control(
        _("Length"), ("steps", "minutes"), key="training_unit", persist_state="session", required=True, default="steps",
        format_func=lambda name: {"steps": _("Steps"), "minutes": _("Minutes")}[name],
        help=_("A step looks at one batch. More steps, better weights, up to a point that the curves show."),
    )  # fmt: skip
    if unit == "minutes":
        minutes = st.number_input(
            _("Minutes"), 0.1, float(BOUNDS["minutes"][1]), USUAL_MINUTES, 1.0, key="training_minutes", persist_state="session",
            format="%.1f", help=_("The learning rate falls as the time passes; the last step is scored."),
        )  # fmt: skip
        st.caption(_("{n} minutes at most.", n=MAX_MINUTES))
        return TrainingSettings(steps=int(BOUNDS["steps"][1]), minutes=float(minutes), validate_every=25)
    steps = int(st.number_input(
        _("Steps"), 1, int(BOUNDS["steps"][1]), USUAL_STEPS, 50, key="training_steps", persist_state="session",
        help=_("200 show whether it works at all; a few thousand get the most out of small data sets."),
    ))  # fmt: skip
    st.caption(_("It ends after {n} minutes at the latest and keeps its best weights.", n=MAX_MINUTES))
    return TrainingSettings(steps=steps, validate_every=max(5, min(100, steps // VALIDATIONS)))


def ask_settings(spec: RunSpec, num_classes: int) -> RunSpec:
    """The spec with the visitor's network, loss and optimiser, in three columns."""
    network, loss, optimizer = st.columns(3, gap="medium")
    with network:
        spec = _network(spec)
    with loss:
        spec = replace(spec, settings=_loss(spec.settings, num_classes))
    with optimizer:
        spec = replace(spec, settings=_optimizer(spec.settings))
    with st.expander(_("More"), icon=":material/tune:"):
        spec = _more(spec)
    return spec


def _network(spec: RunSpec) -> RunSpec:
    model = st.selectbox(
        _("Network to train"), list(RECIPES), key="training_model", persist_state="session",
        format_func=lambda name: TITLES[name], help=_("All begin with random weights."),
    )  # fmt: skip
    recipe = RECIPES[model]
    width = int(st.slider(
        _("Width"), NARROWEST, recipe.widest, recipe.width, key=f"training_width_{model}", persist_state="session",
        help=_("Channels of the first stage. Twice the width is four times the parameters."),
    ))  # fmt: skip
    left, right = st.columns(2)
    with left:
        crop = st.selectbox(_("Crop in pixels"), CROPS, CROPS.index(128), key="training_crop", persist_state="session",
                            help=_("Side of the squares cut from the pictures. Large ones show more around it."))  # fmt: skip
    with right:
        batch = st.selectbox(_("Batch"), BATCHES, BATCHES.index(8), key="training_batch", persist_state="session",
                             help=_("Squares looked at in one step."))  # fmt: skip
    return replace(spec, model=model, width=width, settings=replace(spec.settings, crop=crop, batch_size=batch))


def _loss(settings: TrainingSettings, num_classes: int) -> TrainingSettings:
    names = losses_for(num_classes)
    if st.session_state.get("training_loss") not in names:
        st.session_state["training_loss"] = "bce_dice"
    name = st.selectbox(
        _("Loss"), names, key="training_loss", persist_state="session", format_func=title_of,
        help=_("What is minimised. The Losses page shows what each rewards."),
    )  # fmt: skip
    st.caption(_(FACTS[name].meaning))
    options: dict[str, Any] = {}
    if FACTS[name].options:
        with st.popover(_("Options"), icon=":material/tune:", key="training_loss_options"):
            for option in FACTS[name].options:
                value = _option(name, option)
                if value != option.default:
                    options[option.name] = value
    return replace(settings, loss=name, loss_options=options)


def _option(loss: str, option: LossOption) -> Any:
    key, label = f"training_{loss}_{option.name}", option.name.replace("_", " ")
    tip = _(option.meaning)
    if option.choices:
        return st.selectbox(label, option.choices, key=key, persist_state="session", help=tip)
    if isinstance(option.default, bool):
        return st.toggle(label, option.default, key=key, persist_state="session", help=tip)
    if option.default is None and not st.toggle(_("Set {name}", name=label), key=f"{key}_set", persist_state="session", help=tip):
        return None
    low, high, step = option.low or 0.0, option.high or 1.0, option.step or 0.01
    whole = isinstance(option.default, int) and float(step).is_integer()
    usual = float(option.default) if option.default is not None else min(high, max(low, 1.0))
    if whole:
        return st.slider(label, int(low), int(high), int(usual), int(step), key=key, persist_state="session", help=tip)
    return st.slider(label, float(low), float(high), usual, float(step), key=key, persist_state="session", help=tip)


def _optimizer(settings: TrainingSettings) -> TrainingSettings:
    titles = {"adamw": "AdamW", "sgd": _("SGD with momentum")}
    name = st.selectbox(
        _("Optimiser"), OPTIMIZERS, key="training_optimizer", persist_state="session", format_func=lambda key: titles[key],
        help=_("AdamW scales each weight's step by itself and forgives most rates. SGD wants about ten times the rate."),
    )  # fmt: skip
    rate = st.select_slider(
        _("Learning rate"), RATES, 2e-3 if name == "adamw" else 2e-2, key=f"training_rate_{name}", persist_state="session",
        format_func=lambda value: f"{value:g}", help=_("How far one step goes."),
    )  # fmt: skip
    schedules = {"cosine": _("cosine, after a warm-up"), "constant": _("constant"), "step": _("in steps: ÷10 twice")}
    schedule = st.selectbox(
        _("Schedule"), SCHEDULES, key="training_schedule", persist_state="session", format_func=lambda key: schedules[key],
        help=_("What becomes of the learning rate in the course of the run."),
    )  # fmt: skip
    return replace(settings, optimizer=name, learning_rate=rate, schedule=schedule)


def _more(spec: RunSpec) -> RunSpec:
    settings = spec.settings
    columns = st.columns(4, gap="medium")
    with columns[0]:
        seed = int(st.number_input(_("Seed"), 0, int(BOUNDS["seed"][1]), 0, key="training_seed", persist_state="session",
                                   help=_("The same seed gives the same first weights and the same batches.")))  # fmt: skip
    with columns[1]:
        decay = st.select_slider(_("Weight decay"), (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1), 1e-4, key="training_decay",
                                 persist_state="session", format_func=lambda value: f"{value:g}",
                                 help=_("Pulls all weights towards 0 a little at each step."))  # fmt: skip
    with columns[2]:
        warmup = int(st.number_input(
            _("Warm-up steps"), 0, int(BOUNDS["warmup_steps"][1]), min(100, max(1, settings.steps // 10)),
            key=f"training_warmup_{settings.steps}", help=_("The learning rate climbs to its full height over so many steps."),
        ))  # fmt: skip
    with columns[3]:
        momentum = st.slider(_("Momentum"), 0.0, 0.99, 0.9, 0.01, key="training_momentum", persist_state="session",
                             disabled=settings.optimizer != "sgd", help=_("Of SGD: how much of a step is kept."))  # fmt: skip
    installed = tensorboard_is_installed()
    events = st.toggle(
        _("Write TensorBoard event files"), key="training_events", persist_state="session", disabled=not installed,
        help=_("Loss, learning rate and scores, to be downloaded at the end."),
    )  # fmt: skip
    if not installed:
        st.caption(_("For event files, install TensorBoard beside segdemo: pip install tensorboard."))
    settings = replace(settings, seed=seed, weight_decay=float(decay), warmup_steps=warmup, momentum=float(momentum))
    return replace(spec, settings=settings, tensorboard=bool(events) and installed)


def ask_augmentation() -> Augmentation:
    """Switches and strengths."""
    usual = Augmentation()

    def strength(label: str, name: str, tip: str) -> float:
        low, high = (float(bound) for bound in BOUNDS[name])
        key = f"training_{name}"
        return float(st.slider(label, low, high, getattr(usual, name), 0.05, key=key, persist_state="session", help=tip))

    flips = st.toggle(_("Mirror"), usual.flips, key="training_flips", persist_state="session",
                      help=_("Half of the crops are mirrored. Wrong for writing, and for organs that have a side."))  # fmt: skip
    turns = st.toggle(_("Quarter turns"), usual.quarter_turns, key="training_turns", persist_state="session",
                      help=_("Crops are turned by 0, 90, 180 or 270°. Wrong where up and down mean something."))  # fmt: skip
    zoom = st.slider(_("Zoom"), 0.25, 4.0, usual.scale, 0.05, key="training_zoom", persist_state="session",
                     help=_("Crops are scaled by a factor between these. 1 to 1: not at all."))  # fmt: skip
    brightness = strength(_("Brightness"), "brightness", _("In standard deviations of the picture."))
    contrast = strength(_("Contrast"), "contrast", _("On a logarithmic scale: 0.3 is up to a third more or less."))
    color = strength(_("Colour"), "color", _("Brightness and contrast of each channel by itself."))
    blur = strength(_("Blurred"), "blur", _("Share of the crops that are blurred a little."))
    noise = strength(_("Noisy"), "noise", _("Share of the crops with some noise."))
    low, high = zoom
    return Augmentation((float(low), float(high)), flips, turns, brightness, contrast, color, blur, noise)

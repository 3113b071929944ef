"""What lies under the numbers of "Spoil the mask": gradient maps, a sweep, or the four policies for empty masks."""

from collections.abc import Callable, Sequence

import streamlit as st

from segdemo.inference.cache import BoundedCache
from segdemo.losses import FACTS, LOSSES
from segdemo.losslab.damage import Damage, Paint
from segdemo.losslab.gradients import Knobs, settings_of
from segdemo.losslab.stories import PolicyRow, under_policies
from segdemo.losslab.sweeps import Quantity, Sweep, sweep_damage, sweep_imbalance, sweep_size, swept_fields
from segdemo.text import _
from segdemo.ui.features_parts import number
from segdemo.ui.loss_colours import title_of
from segdemo.ui.losses_spoil_charts import sweep_figure
from segdemo.ui.losses_spoil_controls import policy_words
from segdemo.ui.losses_spoil_measured import Case, digest, gradients
from segdemo.ui.losses_spoil_pictures import gradient_panels
from segdemo.ui.losses_spoil_state import Truth, apply_story, key_of

__all__ = ["show_below"]

MOST_MAPS = 4
FIRST_MAPS = ("bce", "focal", "dice", "iou")
SIZE, IMBALANCE = "size", "imbalance"
SWEEP_MEMORY_BYTES = 4_000_000

_sweeps: BoundedCache[tuple[object, ...], Sweep] = BoundedCache(SWEEP_MEMORY_BYTES, lambda _sweep: 4000)


def show_below(truth: Truth, damage: Damage, knobs: Knobs, case: Case, losses: Sequence[str], paint: Paint | None) -> None:
    """The chosen one of the three."""
    words = {"gradients": _("Gradient maps"), "sweep": _("Sweep"), "policies": _("Empty masks")}
    chosen = st.segmented_control(
        _("More"), list(words), key=key_of("below"), persist_state="session", required=True, format_func=lambda b: words[b],
        label_visibility="collapsed", help=_("Where each loss pulls, how it grows with a damage, or what an empty mask costs."),
    )  # fmt: skip
    if chosen == "sweep":
        _sweep(truth, damage, knobs, losses, paint)
    elif chosen == "policies":
        _policies(truth, damage, knobs, losses)
    else:
        _gradients(case, knobs)


def _gradients(case: Case, knobs: Knobs) -> None:
    key = key_of("maps")
    st.session_state.setdefault(key, list(FIRST_MAPS))
    left, right = st.columns([5, 2], vertical_alignment="bottom")
    chosen = left.multiselect(
        _("Maps of"), list(LOSSES), key=key, persist_state="session", format_func=title_of, max_selections=MOST_MAPS,
        help=_("Up to four losses, side by side on one scale."),
    )  # fmt: skip
    root = right.toggle(
        _("Show weak pulls"), key=key_of("root"), persist_state="session",
        help=_("Draws square roots, so that a hundredth of the strongest pull is seen as a tenth. The scale stays shared."),
    )  # fmt: skip
    if not chosen:
        st.info(_("Choose a loss to see where it pulls."), icon=":material/info:")
        return
    gradient_panels({name: gradients(case, name, settings_of(name, knobs)) for name in chosen}, root)


def _axis_words() -> dict[str, str]:
    return {
        "dx": _("Shift to the right (px)"), "dy": _("Shift down (px)"), "angle": _("Rotation (°)"),
        "grow": _("Eroded ← → dilated (px)"), "drop": _("Objects dropped"), "add": _("Objects added"),
        "salt": _("Share of pixels flipped"), "blur": _("Blur (px)"), "temperature": _("Temperature"),
        SIZE: _("Diameter of the object (px)"), IMBALANCE: _("Share of foreground"),
    }  # fmt: skip


def _sweep(truth: Truth, damage: Damage, knobs: Knobs, losses: Sequence[str], paint: Paint | None) -> None:
    words = _axis_words()
    columns = st.columns([3, 3, 2], vertical_alignment="bottom")
    axis = columns[0].selectbox(
        _("Against"), [*swept_fields(), SIZE, IMBALANCE], key=key_of("axis"), persist_state="session",
        format_func=lambda a: words[a], help=_("What is varied; everything else stays as it is set."),
    )  # fmt: skip
    quantity: Quantity = "value"
    if axis in (SIZE, IMBALANCE):
        with columns[1]:
            quantity = _drawn_quantity()
    scale = columns[2].toggle(
        _("Each from best to worst"), key=key_of("scale"), persist_state="session",
        help=_("Draws every loss between its lowest (0) and its highest value (1), to compare shapes instead of sizes."),
    )  # fmt: skip
    missed = _missed() if axis == IMBALANCE else 0.0
    if not losses:
        st.info(_("Choose a loss above to see it grow."), icon=":material/info:")
        return
    sweep = _swept(truth, damage, knobs, losses, paint, axis, quantity, missed)
    current = float(getattr(damage, axis)) if axis in swept_fields() else None
    label = _("|∂loss/∂logit| at its largest") if quantity == "gradient" else _("Loss")
    figure = sweep_figure(
        sweep, words[axis], label, scale=scale, current=current, logarithmic=axis in (SIZE, IMBALANCE, "temperature")
    )
    st.plotly_chart(figure, config={"displayModeBar": False}, key="spoil_sweep",
                    alt=_("Every loss against the amount of damage"))  # fmt: skip
    st.caption(_explained(axis))


def _drawn_quantity() -> Quantity:
    words = {"value": _("Value"), "gradient": _("Largest gradient")}
    key = key_of("quantity")
    st.session_state.setdefault(key, "value")
    chosen = st.segmented_control(
        _("Quantity"), list(words), key=key, persist_state="session", required=True, format_func=lambda q: words[q],
        help=_("The loss itself, or how hard it pulls at the pixel that it pulls hardest."),
    )  # fmt: skip
    return "gradient" if chosen == "gradient" else "value"


def _missed() -> float:
    key = key_of("missed")
    st.session_state.setdefault(key, 30)
    share = st.columns([3, 5])[0].slider(
        _("Share of the object that is missed"), 0, 100, step=5, key=key, persist_state="session", format="%d %%",
        help=_("The same share is missed whatever the object's size, so the mask's Dice hardly changes."),
    )  # fmt: skip
    return share / 100


def _explained(axis: str) -> str:
    if axis == SIZE:
        return _("One disc in 128 × 128 pixels, with the damage that is set; its objects are neither dropped nor added.")
    if axis == IMBALANCE:
        return _("One disc in 128 × 128 pixels, as sure as the prediction is; only the missed share damages it.")
    return _("Everything but the amount is as in the pictures above.")


def _swept(
    truth: Truth,
    damage: Damage,
    knobs: Knobs,
    losses: Sequence[str],
    paint: Paint | None,
    axis: str,
    quantity: Quantity,
    missed: float,
) -> Sweep:
    """The curves of all losses; each is remembered, so that another loss costs its own curve alone."""
    still = tuple((name, value) for name, value in vars(damage).items() if name != axis)
    mask = (digest(truth.mask), None if paint is None else digest(paint)) if axis in swept_fields() else ()
    keys = {name: (mask, still, axis, quantity, missed, name, *settings_of(name, knobs).items()) for name in losses}
    found = {name: _sweeps.get(key) for name, key in keys.items()}
    if unknown := [name for name, sweep in found.items() if sweep is None]:
        if axis == SIZE:
            made = sweep_size(damage, unknown, knobs, quantity)
        elif axis == IMBALANCE:
            made = sweep_imbalance(missed, damage, unknown, knobs, quantity)
        else:
            made = sweep_damage(truth.mask, damage, axis, unknown, knobs, paint)
        for name in unknown:
            found[name] = made
            _sweeps.put(keys[name], made)
    known = {name: sweep for name, sweep in found.items() if sweep is not None}
    first = next(iter(known.values()))
    return Sweep(first.amounts, {name: sweep.curves[name] for name, sweep in known.items()}, first.dice)


def _policies(truth: Truth, damage: Damage, knobs: Knobs, losses: Sequence[str]) -> None:
    """Region losses under all four policies; the truth has to be empty for any of them to matter."""
    able = [name for name in losses if any(option.name == "empty" for option in FACTS[name].options)] or ["dice", "iou"]
    if truth.mask.any():
        st.info(_("The policy counts only where there is nothing to find."), icon=":material/info:")
        st.button(_("Show an empty ground truth"), key="spoil_to_empty", on_click=apply_story, args=("empty",))
        return
    found = {name: under_policies(name, truth.mask, damage, knobs) for name in able}
    cells: dict[str, Callable[[PolicyRow], str]] = {
        _("loss where nothing is marked"): lambda row: f"{row.silent:.3f}",
        _("loss of the prediction above"): lambda row: f"{row.alarmed:.3f}",
        _("its largest |∂loss/∂logit|"): lambda row: number(row.pull) if row.pull else "0",
    }
    words = policy_words()
    table = [
        {_("Loss"): title_of(name), _("What"): what, **{words[row.policy]: cell(row) for row in rows}}
        for name, rows in found.items()
        for what, cell in cells.items()
    ]
    st.dataframe(table, hide_index=True, width="stretch", height="content")
    st.caption(_("Even where nothing is marked the formula costs nearly 1, as long as the small probabilities of all pixels add "
                 "up to more than s: make the prediction surer, or s larger, and it falls."))  # fmt: skip

"""What each network reaches, read from the cards: one table a data set, best first, for the page and for the README."""

import math
from collections.abc import Sequence

import streamlit as st

from segdemo.models import TITLES
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.words import compact_number
from segdemo.weights import list_weights

__all__ = ["by_data_set", "score_groups", "scores_markdown", "show_scores"]

ABSENT = "–"
Row = dict[str, str]


def show_scores() -> None:
    """The tables, and under what conditions they can be compared."""
    st.subheader(_("What each network reaches"))
    st.caption(
        _("Networks with 2,000 steps had the same training: the same pictures, seed and augmentation, 8 crops of "
          "128 × 128 a step, and, but for MNIST CNN and the autoencoder, 0.7 to 0.9 million parameters: they are narrower "
          "than the papers' networks. More steps would help some more than others. The U-Net 3+ with a gate is the one "
          "without, and a classifier that was trained on top of it. "
          "“–”: not measured.")
    )  # fmt: skip
    for title, rows in score_groups():
        st.markdown(f"**{title}**")
        st.dataframe(rows, hide_index=True, key=f"scores_{title}", height="content")


def score_groups() -> list[tuple[str, list[Row]]]:
    """(what the data set is called, one row for each of its weights), bundled data sets first."""
    return [(title, [_row(entry) for entry in entries]) for title, entries in by_data_set(list_weights())]


def by_data_set(listed: Sequence[WeightsEntry]) -> list[tuple[str, list[WeightsEntry]]]:
    """Weights that were trained on the same pictures for the same task, best first."""
    groups: dict[str, list[WeightsEntry]] = {}
    for entry in sorted(listed, key=lambda entry: entry.task == "reconstruct"):
        groups.setdefault(_data_set(entry), []).append(entry)
    return [(title, sorted(entries, key=_order)) for title, entries in groups.items()]


def scores_markdown() -> str:
    """The same as Markdown."""
    tables = []
    for title, rows in score_groups():
        head = list(rows[0])
        lines = [" | ".join(head), " | ".join(["---"] * len(head)), *(" | ".join(row.values()) for row in rows)]
        tables.append(f"**{title}**\n\n" + "\n".join(f"| {line} |" for line in lines))
    return "\n\n".join(tables) + "\n"


def _data_set(entry: WeightsEntry) -> str:
    """The name of what was trained on: the longer and the shorter training share it."""
    title = _(entry.title).partition(",")[0]
    return _("{data}, drawn again", data=title) if entry.task == "reconstruct" else title


def _order(entry: WeightsEntry) -> float:
    return -(entry.score or 0.0)


def _row(entry: WeightsEntry) -> Row:
    scores, settings = (entry.card.get(key) for key in ("scores", "settings"))
    boundary = scores.get("boundary_f1") if isinstance(scores, dict) else None
    steps = settings.get("steps") if isinstance(settings, dict) else None
    return {
        _("Network"): TITLES.get(entry.model, entry.model),
        _("Weights"): entry.weights_id,
        _(entry.score_name).capitalize() if entry.score_name.islower() else _(entry.score_name): _number(entry.score, "{:.3f}"),
        _("Boundary F1"): _number(boundary, "{:.3f}"),
        _("Parameters"): compact_number(entry.params),
        _("MACs, 256²"): _compact(entry.card.get("macs")),
        _("CPU, 256²"): _number(entry.card.get("cpu_latency_ms"), "{:.1f} ms"),
        _("Steps"): _number(steps, "{:,.0f}"),
        _("Loss"): str(settings.get("loss", ABSENT)) if isinstance(settings, dict) and entry.task == "segment" else ABSENT,
    }


def _value(value: object) -> float | None:
    number = float(value) if isinstance(value, int | float) else math.nan
    return None if math.isnan(number) else number


def _number(value: object, form: str) -> str:
    number = _value(value)
    return ABSENT if number is None else form.format(number)


def _compact(value: object) -> str:
    number = _value(value)
    return ABSENT if number is None else compact_number(number)

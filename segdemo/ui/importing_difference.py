"""Weights of an unknown layout: what is in the file, what comes closest, where they differ, and what to try."""

from collections.abc import Sequence

import streamlit as st

from segdemo.errors import UnknownLayoutError
from segdemo.models import TITLES, classifiers
from segdemo.text import _
from segdemo.ui.words import plain

__all__ = ["show_difference"]

NOT_SEGMENTING = {*classifiers.BUILDERS, "mnist_cnn", "autoencoder"}
MAX_NAMED = 6
MAX_ROWS = 2000


def show_difference(error: UnknownLayoutError, key: str) -> str | None:
    """Everything known about the file. Returns the architecture that the visitor asks to try, if one was asked for."""
    st.warning(str(error), icon=":material/help:")
    if error.nearest:
        st.markdown(_("Closest known layout: **{name}**.", name=plain(error.nearest, 80)))
    lists: tuple[tuple[str, Sequence[str]], ...] = (
        (_("It would also need"), error.missing),
        (_("It does not know"), error.unknown),
        (_("Of another shape (the file's ≠ expected)"), error.mismatched),
    )
    for label, named in lists:
        names = [name for name in named if not name.endswith("num_batches_tracked")]  # no weight, and many of them
        if names:
            shown = ", ".join(f"`{name.replace('`', '')[:90]}`" for name in names[:MAX_NAMED])
            more = _(" and {n} more", n=len(names) - MAX_NAMED) if len(names) > MAX_NAMED else ""
            st.markdown(f"{label}: {shown}{more}")
    wanted = _retry(key)
    with st.expander(_("All {n} tensors in the file", n=len(error.shapes)), icon=":material/table_rows:"):
        st.dataframe(_rows(error), hide_index=True, height=320)
    return wanted


def _retry(key: str) -> str | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [name for name in TITLES if name not in NOT_SEGMENTING]
        model = st.selectbox(
            _("Hold them against"), names, format_func=lambda name: TITLES[name], key=f"import_model_{key}",
            help=_("The tensors are then matched by their order and shapes, whatever they are called."),
        )  # fmt: skip
        tried = st.button(_("Try"), key=f"import_try_{key}", icon=":material/sync_alt:")
    return model if tried else None


def _rows(error: UnknownLayoutError) -> list[dict[str, str]]:
    unknown = set(error.unknown)
    mismatched = {text.split(" ")[0] for text in error.mismatched}
    rows = []
    for name, shape in list(error.shapes.items())[:MAX_ROWS]:
        note = _("unknown") if name in unknown else _("another shape") if name in mismatched else ""
        rows.append({_("Name"): name[:200], _("Shape"): " × ".join(map(str, shape)), _("Difference"): note})
    return rows

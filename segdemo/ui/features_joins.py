"""What feeds a stage that has skips: each map as it arrives at the join, and what the stage makes of them."""

import streamlit as st
from torch import Tensor

from segdemo.errors import SegdemoError
from segdemo.features import Join, fit_basis, join_at, project, summary, to_rgb, value_range
from segdemo.features.colour import coloured
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.diagram_layout import before, shape_text
from segdemo.ui.features_parts import number, scale_over, show_picture
from segdemo.ui.study import Study, course_of

__all__ = ["show_join"]

JOIN_MEMORY_BYTES = 200_000_000

_joins: BoundedCache[tuple[object, ...], Join] = BoundedCache(JOIN_MEMORY_BYTES, lambda join: join.nbytes)


def show_join(study: Study, stage: str) -> None:
    """Before: what came up and what the skips bring. After: the stage's own map."""
    try:
        with st.spinner(_("Following the picture through the network …"), show_time=True):
            join = _join_of(study, stage)
    except SegdemoError as error:
        st.error(str(error), icon=":material/error:")
        return
    if join is None:
        st.info(_("What feeds {stage} cannot be told apart in this network.", stage=stage), icon=":material/info:")
        return
    index = next(i for i, part in enumerate(study.anatomy.parts) if part.stage.name == stage)
    below = before(study.anatomy, index)
    how = {
        "concat": _("laid side by side as channels (‖)"), "sum": _("added up (+)"),
        "indices": _("put back where each maximum was found"),
    }[join.kind]  # fmt: skip
    st.caption(_("Before the convolutions of {stage}, these maps are {how}; after them, one map is left.", stage=stage, how=how))
    maps: list[tuple[str, Tensor]] = [] if join.main is None else [(_("from {stage}, as it arrives", stage=below), join.main)]
    maps += [(_("skip from {stage}, as it arrives", stage=name), skip) for name, skip in join.skips.items()]
    maps.append((_("after: {stage}", stage=stage), study.recording.maps[stage]))
    for start in range(0, len(maps), 4):
        row = maps[start : start + 4]
        for column, (title, activation) in zip(st.columns(4 if len(maps) > 4 else len(maps)), row, strict=False):
            with column:
                _map(title, activation, last=activation is maps[-1][1])


def _join_of(study: Study, stage: str) -> Join | None:
    """Computed from the recorded maps as far as the join, and remembered."""
    if (known := _joins.get((study.key, stage))) is not None:
        return known
    course = course_of(study)
    name = study.entry.weights_id
    join = shared_engine().study(name, lambda model: join_at(model, study.recording, course, stage))
    if join is not None:
        _joins.put((study.key, stage), join)
    return join


def _map(title: str, activation: Tensor, last: bool) -> None:
    st.markdown(f"**{title}**" if last else title)
    basis = fit_basis([activation])
    show_picture(to_rgb(project(activation, basis), basis), title)
    mean = summary(activation, "mean")
    scale = scale_over(mean)
    low, high = value_range([activation], "sequential")
    show_picture(coloured(mean, scale.low, scale.high, scale.kind), _("Mean of {title}", title=title))
    st.caption(
        _("{shape}, values {low} to {high}. Above as colours (principal components), below the mean.",
          shape=shape_text(tuple(activation.shape)), low=number(low), high=number(high))
    )  # fmt: skip

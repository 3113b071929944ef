"""What one output sees through stacked dilated convolutions, and what it never sees: the theatre, its controls, a table."""

import streamlit as st

from segdemo.layerlab.coverage import dilated_counts, unseen_share
from segdemo.layerlab.coverage_scene import gridding_scene, layers_scene
from segdemo.text import _
from segdemo.ui.layers_coverage_parts import field_table, stack_setting
from segdemo.ui.layers_frame import Frame, asked, theatre
from segdemo.ui.layers_parts import meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, switch_setting

__all__ = ["show_gridding"]


def show_gridding(frame: Frame) -> bool:
    """The theatre and the table; whether they are covered until the question is answered."""
    with frame.side:
        kernel = int(choice_setting("size", _("Kernel"), {"3": "3 × 3", "5": "5 × 5"}, "3", compact=True, help=_(
            "The same for all layers. Each has a stride of 1.")))  # fmt: skip
        first = stack_setting("a", _("Dilation rates"), "1_2_4", kernel, own=True)
        layered = switch_setting("layers", _("Layer by layer"), help=_(
            "From the output down to the input: each count is the sum of those that look at it."))  # fmt: skip
        second = None if layered else stack_setting("b", _("Against"), "2_2_2", kernel, own=False)
    with frame.place:
        share = unseen_share(first, kernel)
        words = ", ".join(map(str, first))
        why = _("With dilation rates {rates}, {share:.0%} of the {n} × {n} cells of the field are never seen.", rates=words,
                share=share, n=len(dilated_counts(first, kernel)))  # fmt: skip
        covered = asked(frame.top, _("With dilation rates {rates}: does an output see every cell of its field?", rates=words),
                        {"yes": _("Yes"), "no": _("No")}, "no" if share else "yes", why)  # fmt: skip
        scene = layers_scene(first, kernel) if second is None else gridding_scene([first, second], kernel, told=not covered)
        theatre(scene, label=_("What one output sees through dilated convolutions"), covered=covered,
                autoplay=False, speed=8)  # fmt: skip
        if not covered:
            st.caption(f"{_ways(marked=not layered)} {meaning_of_colours('count')}")
            st.markdown(field_table([first, *([second] if second else [])], kernel))
    return covered


def _ways(marked: bool) -> str:
    """What the counts and the stripes say. marked: the middle has a mark."""
    middle = _("The middle, with a marked corner, is the output's own place.") if marked else _(
        "The middle is the output's own place.")  # fmt: skip
    return f"{_('A count says in how many ways a cell reaches the output; striped cells reach it in none.')} {middle}"

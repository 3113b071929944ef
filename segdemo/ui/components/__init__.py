"""Components of ours, declared once: plain JavaScript without a build step, sharing one small module and one look."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = [
    "cell_theatre", "channel_mosaic", "convention_rows", "frame_player", "mask_painter", "network_walk", "patch_frame",
    "picture_strip",
    "picture_viewer", "pixel_prober", "receptive_field_stack", "shape_walk", "synchronised_panes",
]  # fmt: skip

FOLDER = Path(__file__).parent


def _declare(name: str, *parts: str) -> Callable[..., Any]:
    """The component of `<name>.js` and `<name>.css`, with the shared module before each, and further parts of the script."""
    css = "".join((FOLDER / f"{part}.css").read_text() for part in ("shared", name))
    js = "".join((FOLDER / f"{part}.js").read_text() for part in ("shared", *parts, name))
    return st.components.v2.component(f"segdemo_{name}", html='<div class="root"></div>', css=css, js=js)


picture_viewer = _declare("viewer")
picture_strip = _declare("strip")
network_walk = _declare("walk")
channel_mosaic = _declare("mosaic")
pixel_prober = _declare("prober")
frame_player = _declare("frames")
mask_painter = _declare("painter")
patch_frame = _declare("patch")
convention_rows = _declare("conventions")
cell_theatre = _declare(
    "cells", "cells_model", "cells_layout", "cells_colours", "cells_paint", "cells_overlay", "cells_words", "cells_moment",
    "cells_play", "cells_input",
)  # fmt: skip
receptive_field_stack = _declare("field")
shape_walk = _declare("shapes")
synchronised_panes = _declare(
    "panes", "panes_view", "panes_paint", "panes_controls", "panes_figures", "panes_probe", "panes_input", "panes_adopt",
)  # fmt: skip

"""Components of ours, declared once: plain JavaScript without a build step, sharing one small module and one look."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["channel_mosaic", "frame_player", "mask_painter", "network_walk", "picture_strip", "picture_viewer", "pixel_prober"]

FOLDER = Path(__file__).parent


def _declare(name: str) -> Callable[..., Any]:
    """The component of `<name>.js` and `<name>.css`, with the shared module before each."""
    js, css = ((FOLDER / f"shared.{kind}").read_text() + (FOLDER / f"{name}.{kind}").read_text() for kind in ("js", "css"))
    return st.components.v2.component(f"segdemo_{name}", html='<div class="root"></div>', css=css, js=js)


picture_viewer = _declare("viewer")
picture_strip = _declare("strip")
network_walk = _declare("walk")
channel_mosaic = _declare("mosaic")
pixel_prober = _declare("prober")
frame_player = _declare("frames")
mask_painter = _declare("painter")

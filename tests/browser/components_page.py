"""Every component once, with made-up data small enough to know each answer beforehand; what it reports is written below it."""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.ui.components import channel_mosaic, convention_rows, frame_player, network_walk, pixel_prober
from segdemo.ui.media import media_url

WIDTH, HEIGHT = 64, 48
CLASSES = [{"name": "background", "color": [0, 0, 0]}, {"name": "cell", "color": [0, 158, 115]}]
state = st.session_state


def picture(pixels: NDArray[np.uint8]) -> str:
    """Served as PNG, so that every value arrives as it is."""
    return media_url(cv2.imencode(".png", pixels)[1].tobytes(), "image/png")


def grey(height: int, width: int) -> NDArray[np.uint8]:
    """Darker on the left, lighter on the right."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def keep(component: str, event: str) -> None:
    """What a component reports stays until the next report."""
    if (value := state[component].get(event)) is not None:
        state[f"{component}.{event}"] = value


def walk() -> None:
    """A U-Net of two levels, whose thumbnails change with a button."""
    turned = st.toggle("Other pictures", key="turned")
    image = picture(255 - grey(24, 32) if turned else grey(24, 32))
    names = [("image", "data", 0, 0), ("encoder1", "encoder", 1, 0), ("bottleneck", "bottleneck", 2, 1),
             ("decoder1", "decoder", 3, 0), ("head", "head", 4, 0), ("mask", "data", 5, 0)]  # fmt: skip
    nodes = [
        {"key": key, "title": key, "note": "8 × 32²", "image": image, "kind": kind, "column": column, "row": row,
         "off": key == "bottleneck", "clickable": kind != "data", "hint": f"{key}: 8 × 32²"}
        for key, kind, column, row in names
    ]  # fmt: skip
    keys = [key for key, *_rest in names]
    main = [{"from": a, "to": b, "kind": "main", "join": None, "off": False} for a, b in pairwise(keys)]
    skip = {"from": "encoder1", "to": "decoder1", "kind": "skip", "join": "concat", "off": True}
    chosen = state.get("walk.chosen", "encoder1")
    data = {"label": "From the picture to the mask", "nodes": nodes, "edges": [*main, skip], "chosen": chosen,
            "aspect": 4 / 3, "compact": False, "legend": [{"kind": "encoder", "text": "encoder"}]}  # fmt: skip
    network_walk(key="walk", data=data, on_chosen_change=lambda: keep("walk", "chosen"))


def mosaic() -> None:
    """Six channels, last one first, in two rows of three; channel 4 is dead."""
    columns, rows, cell, gap = 3, 2, 20, 2
    width, height = columns * (cell + gap) + gap, rows * (cell + gap) + gap
    chosen = (state.get("mosaic.unit") or {}).get("channel", 5)
    data = {"label": "Six channels", "image": picture(grey(height, width)), "width": width, "height": height,
            "columns": columns, "rows": rows, "cellWidth": cell, "cellHeight": cell, "gap": gap, "order": [5, 4, 3, 2, 1, 0],
            "notes": [f"mean {c}" for c in (5, 4, 3, 2, 1, 0)], "marked": [4], "chosen": chosen, "pixelated": True,
            "mapHeight": 10, "mapWidth": 10, "hint": "Choose a channel.",
            "words": {"channel": "channel {channel}", "place": "row {row}, column {column}"}}  # fmt: skip
    channel_mosaic(key="mosaic", data=data, on_unit_change=lambda: keep("mosaic", "unit"))


def stage(name: str, side: int, reach: int) -> dict[str, Any]:
    """A stage of `side`² positions, each of which sees `reach` pixels to all sides of its centre."""
    ys, xs = ((np.arange(side) + 0.5) * length / side for length in (HEIGHT, WIDTH))
    seen = [[[float(c - reach), float(c + reach - 1)] for c in centres] for centres in (ys, xs)]
    return {"key": name, "title": name, "short": name[0].upper(), "rows": seen[0], "columns": seen[1], "centresY": ys.tolist(),
            "centresX": xs.tolist(), "summary": {"image": picture(grey(side, side)), "low": -1.0, "high": 1.0}}  # fmt: skip


def prober() -> None:
    """The probability of "cell" grows from left to right; three stages see more and more."""
    words = {name: name for name in ("pinned", "free", "unpin", "probabilities", "values", "scale", "hint", "whole", "failed")}
    words |= {"place": "x {x}, y {y}", "field": "{stage} sees", "sees": "{width} × {height} px", "beyond": "and beyond",
              "value": "{stage}: {value} of {low} … {high}"}  # fmt: skip
    pinned = state.get("prober.pinned")
    data = {"label": "A picture", "image": picture(grey(HEIGHT, WIDTH)), "width": WIDTH, "height": HEIGHT,
            "probs": picture(grey(HEIGHT, WIDTH)), "binary": True, "classes": CLASSES, "overlay": None,
            "stages": [stage("encoder", 16, 4), stage("middle", 8, 12), stage("head", 16, 90)],
            "chosenStage": state.get("prober.stage", "encoder"),
            "pinned": None if not pinned or "off" in pinned else pinned, "words": words}  # fmt: skip
    pixel_prober(key="prober", data=data, on_pinned_change=lambda: keep("prober", "pinned"),
                 on_stage_change=lambda: keep("prober", "stage"))  # fmt: skip


def frames() -> None:
    """Three masks: nothing, the left half, everything."""
    masks = [np.zeros((HEIGHT, WIDTH), np.uint8) for _frame in range(3)]
    masks[1][:, : WIDTH // 2] = 1
    masks[2][:] = 1
    shown = [
        {"title": f"frame {i}", "labels": picture(mask), "note": f"Dice {i / 2}", "score": i / 2, "how": "made up"}
        for i, mask in enumerate(masks)
    ]
    words = {name: name for name in ("play", "pause", "previous", "next", "slider", "frames", "score", "failed")}
    data = {"label": "Frames", "image": picture(grey(HEIGHT, WIDTH)), "width": WIDTH, "height": HEIGHT, "frames": shown,
            "classes": CLASSES, "opacity": 0.5, "words": {**words, "count": "{i} of {n}"}}  # fmt: skip
    frame_player(key="frames", data=data)


def conventions() -> None:
    """Two ways of counting, of which a slider moves the first; nothing can be scored under the second."""
    moved = st.slider("Score", 0.1, 0.9, 0.5, 0.1)
    rows = [{"group": "all", "title": "one <b>", "who": "Some count so.", "dice": moved, "iou": moved / 2},
            {"group": "each", "title": "two", "who": "Others count so.", "dice": None, "iou": None}]  # fmt: skip
    colours = {"iou": "#E69F00", "dice": "#009E73"}
    convention_rows(key="conventions", data={"rows": rows, "nothing": "nothing to score", "colours": colours})


st.set_page_config(layout="wide")
{"walk": walk, "mosaic": mosaic, "prober": prober, "frames": frames, "conventions": conventions}[
    st.query_params.get("show", "walk")
]()
for name in ("walk.chosen", "mosaic.unit", "prober.pinned", "prober.stage"):
    if name in state:
        st.text(f"{name} = {state[name]}")

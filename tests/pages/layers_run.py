"""The Layers page, headlessly: started at an address, what its component is given, what it says."""

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from .app_run import sound


def layers_page() -> None:
    from segdemo.ui.layers_page import show_layers_page
    from segdemo.ui.url import read_url, show_url_messages, write_url

    read_url("layers")
    show_url_messages()
    show_layers_page()
    write_url()


def started(layer: str, settings: str = "", **query: str) -> AppTest:
    """The whole page at an address."""
    app = AppTest.from_function(layers_page, default_timeout=60)
    app.query_params["layer"] = layer
    for key, value in {"set": settings, **query}.items():
        if value:
            app.query_params[key] = value
    return sound(app.run())


def warnings(app: AppTest) -> list[str]:
    """What is said of settings, which is no verdict of a view."""
    return [warning.value.replace("\\", "") for warning in app.warning if warning.icon == ":material/rule:"]


class Page:
    """A view of the page at an address; `drawn` holds what the component is given, the newest last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, layer: str) -> None:
        self.layer = layer
        self.drawn: list[dict[str, Any]] = []
        self.app: AppTest | None = None
        monkeypatch.setattr("segdemo.ui.layers_frame.cell_theatre", lambda **given: self.drawn.append(given))

    def start(self, settings: str = "", **query: str) -> AppTest:
        self.app = started(self.layer, settings, **query)
        return self.app

    def sound(self) -> AppTest:
        assert self.app is not None
        return sound(self.app)

    @property
    def scene(self) -> dict[str, Any]:
        data: dict[str, Any] = self.drawn[-1]["data"]
        return data

    def grid(self, key: str) -> np.ndarray:
        """The numbers of a grid; −∞ and no cell at all as such."""
        found = next(grid for grid in self.scene["grids"] if grid["key"] == key)
        values = [-np.inf if value is None else np.nan if value == "" else value for value in found["values"]]
        return np.array(values, dtype=np.float64).reshape(found["rows"], found["columns"])

    def flags(self, key: str, name: str) -> set[int]:
        found = next(grid for grid in self.scene["grids"] if grid["key"] == key)
        return set(found.get(name, []))

    def texts(self) -> str:
        app = self.sound()
        kinds = (app.markdown, app.caption, app.warning, app.info, app.success, app.error)
        return " ".join(element.value for kind in kinds for element in kind).replace("\\", "")

    def address(self) -> set[str]:
        value = self.sound().query_params.get("set", "")
        return set((value[0] if isinstance(value, list) else value).split(",")) - {""}

    def control(self, name: str) -> str:
        return f"layers_{self.layer}_{name}"

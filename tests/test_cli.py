"""The command line takes the same path as the page, names what is wrong, and exits accordingly."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from segdemo.cli import app
from segdemo.data import read_image, read_labels
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import SettingError
from segdemo.inference import Engine
from segdemo.weights import list_weights

Png = Callable[[np.ndarray], bytes]


def test_predict_writes_the_engines_label_map(tmp_path: Path, png: Png) -> None:
    source = tmp_path / "cells.png"
    source.write_bytes(png(draw_nuclei(80, 100, seed=1)[0]))
    result = CliRunner().invoke(app, ["predict", str(source), "--out", str(tmp_path / "out"), "--threshold", "0.4"])
    assert result.exit_code == 0, result.output
    expected = Engine("cpu").predict(read_image(source), "unet/nuclei", threshold=0.4).preds
    np.testing.assert_array_equal(read_labels(tmp_path / "out" / "cells-labels.png"), expected)
    assert json.loads((tmp_path / "out" / "cells.json").read_text())["threshold"] == 0.4
    assert (tmp_path / "out" / "cells-overlay.png").is_file()


def test_a_bad_picture_is_named_and_the_rest_go_on(tmp_path: Path, png: Png) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(png(draw_nuclei(64, 64, seed=1)[0]))
    bad.write_bytes(b"no picture")
    result = CliRunner().invoke(app, ["predict", str(bad), str(good), str(tmp_path / "none.png"), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert "bad.png" in result.output and "none.png" in result.output
    assert (tmp_path / "good-labels.png").is_file()


def test_unknown_weights_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["predict", "x.png", "--weights", "unet/none", "--out", str(tmp_path)])
    assert isinstance(result.exception, SettingError)
    assert "unet/nuclei" in str(result.exception)


def test_weights_lists_all() -> None:
    result = CliRunner().invoke(app, ["weights"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for entry in list_weights():
        assert entry.weights_id in result.output


def test_train_keeps_weights_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segdemo.data import sources

    monkeypatch.setattr(sources.ShapesSource.__init__, "__defaults__", (48, 2))  # two small scenes to validate on
    options = ["--steps", "2", "--batch-size", "1", "--crop", "32", "--width", "2", "--device", "cpu", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, ["train", "--data", "shapes", *options])
    assert result.exit_code == 0, result.output
    card = json.loads((tmp_path / "unet" / "shapes.json").read_text())
    assert card["settings"]["steps"] == 2
    assert card["scores"]["pictures"] == 2
    assert (tmp_path / "unet" / "shapes.safetensors").stat().st_size == card["size_bytes"]

"""The command line takes the same path as the page, names what is wrong, and exits accordingly."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from segdemo.cli import app
from segdemo.data import read_image, read_labels
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import SegdemoError, SettingError
from segdemo.inference import Engine
from segdemo.metrics import confusion_matrix, iou_per_class
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


def labelled_zip(path: Path, png: Png, faults: bool = False) -> Path:
    """Three small micrographs with masks; with `faults`, three more that cannot be used."""
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(3 + 3 * faults):
            image, target = draw_nuclei(64, 80, seed=seed, count=6)
            target = target[:32] if seed == 3 else target
            mask = f"other{seed}" if seed == 5 else str(seed)
            archive.writestr(f"images/{seed}.png", png(image)[: 90 if seed == 4 else None])
            archive.writestr(f"masks/{mask}.png", png(255 * target))
    return path


def test_evaluate_writes_report_tables_and_masks(tmp_path: Path, png: Png) -> None:
    data = labelled_zip(tmp_path / "set.zip", png, faults=True)
    outputs = ["--out", "report.html", "--out", "scores.csv", "--out", "scores.json", "--masks", "masks", "--coco", "c.json"]
    paths = [text if text.startswith("--") else str(tmp_path / "out" / text) for text in outputs]
    weights = ["--weights", "unet/nuclei", "fcn8s/nuclei@threshold=0.3", "unet/shapes"]
    result = CliRunner().invoke(app, ["evaluate", "--data", str(data), *weights, *paths], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    for name in ("images/3.png", "images/4.png", "images/5.png", "masks/other5.png", "unet/shapes knows none"):
        assert name in result.output
    report = (tmp_path / "out" / "report.html").read_text().replace("<wbr>", "")  # names may be broken there
    assert "fcn8s/nuclei@threshold=0.3" in report and "images/4.png" in report
    found = json.loads((tmp_path / "out" / "scores.json").read_text())
    matrix = np.zeros((2, 2), np.int64)
    for seed in range(3):
        image, target = draw_nuclei(64, 80, seed=seed, count=6)
        preds = Engine("cpu").predict(image, "unet/nuclei").preds
        matrix += confusion_matrix(preds, target, 2)
        written = read_labels(tmp_path / "out" / "masks" / "unet-nuclei" / f"{seed}.png")
        np.testing.assert_array_equal(written, preds)
    assert found["candidates"][0]["confusion_matrix"] == matrix.tolist()
    assert f"{iou_per_class(matrix)[1]:.3f}" in result.output
    rows = (tmp_path / "out" / "scores.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 3 * 2  # candidates × pictures × classes
    assert (tmp_path / "out" / "c-unet-nuclei.json").is_file()


def test_evaluate_takes_weights_in_every_spelling(tmp_path: Path, png: Png) -> None:
    data = str(labelled_zip(tmp_path / "set.zip", png))
    one = ["evaluate", "--data", data, "--weights", "mnist_cnn/nuclei", "--limit", "1", "mnist_cnn/nuclei@threshold=0.2"]
    two = ["evaluate", "--weights", "mnist_cnn/nuclei", "--weights", "mnist_cnn/nuclei@threshold=0.2", "--data", data,
           "--limit", "1"]  # fmt: skip
    tables = [CliRunner().invoke(app, arguments, env={"COLUMNS": "200"}) for arguments in (one, two)]
    for result in tables:
        assert result.exit_code == 0, result.output
        assert "mnist_cnn/nuclei@threshold=0.2" in result.output and "Pictures: 1." in result.output


def test_evaluate_says_where_nothing_can_be_scored(tmp_path: Path, png: Png) -> None:
    data = str(labelled_zip(tmp_path / "set.zip", png))
    result = CliRunner().invoke(app, ["evaluate", "--data", data, "--weights", "unet/shapes"])
    assert result.exit_code == 1 and "circle" in result.output
    for wrong in (["--out", "report.pdf"], ["--data", str(tmp_path / "none.zip")], ["--weights", "unet/none"]):
        result = CliRunner().invoke(app, ["evaluate", "--data", data, "--weights", "unet/nuclei", *wrong])
        assert isinstance(result.exception, SegdemoError)

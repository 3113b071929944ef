"""The Layers page and its Convolution view, headlessly: the address, the limits, the question, typed numbers, every source."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from segdemo.data.images import open_picture
from segdemo.layerlab.patches import KERNELS
from segdemo.ui.layers_convolution_settings import dilation_limit, kernel_limit, padding_limit
from segdemo.ui.layers_typed import Cells, parse_cells, write_cells, write_numbers

from .layers_run import sound, started, warnings

pytestmark = pytest.mark.usefixtures("one_thread")
Run = Callable[..., AppTest]
drawn: list[dict[str, Any]] = []


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The page at an address; what the component is given lies in `drawn`, the newest last."""
    drawn.clear()
    monkeypatch.setattr("segdemo.ui.layers_frame.cell_theatre", lambda **given: drawn.append(given))

    def start(layer: str = "convolution", set: str = "", **query: str) -> AppTest:
        return started(layer, set, **query)

    return start


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.warning, app.info, app.success, app.error)
    return " ".join(element.value for kind in kinds for element in kind).replace("\\", "")


def address(app: AppTest, key: str = "set") -> str:
    value = app.query_params.get(key, "")
    return value[0] if isinstance(value, list) else value


def scene() -> dict[str, Any]:
    data: dict[str, Any] = drawn[-1]["data"]
    return data


def grid(key: str) -> np.ndarray:
    found = next(grid for grid in scene()["grids"] if grid["key"] == key)
    return np.array(found["values"], dtype=np.float64).reshape(found["rows"], found["columns"])


def test_it_opens_on_numbers_that_pytorch_gives_as_well(run: Run) -> None:
    run()
    result = torch.nn.functional.conv2d(torch.tensor(grid("input0_0"))[None, None], torch.tensor(grid("kernel0_0_0"))[None, None])
    np.testing.assert_array_equal(grid("output0_0"), result[0, 0].numpy())
    assert scene()["formula"] == "Output size: ⌊(input 6 + 2·padding 0 − kernel 3) / stride 1⌋ + 1 = 4"
    assert (grid("output0_0") == [0, 3, 3, 0]).all(), "the vertical edge, and nothing else"
    assert scene()["autoplay"]
    assert not scene()["covered"]


def test_a_control_changes_scene_and_address_and_the_address_restores_it(run: Run) -> None:
    app = run(set="n:5,ph:1,pw:1")
    app.slider(key="layers_convolution_kh").set_value(2).run()
    app.slider(key="layers_convolution_sw").set_value(2).run()
    app.selectbox(key="layers_convolution_mode").set_value("reflect").run()
    assert grid("output0_0").shape == (6, 3)
    assert grid("input0_0")[0, 0] == grid("input0_0")[2, 2]
    wanted, before = address(app), scene()
    assert set(wanted.split(",")) == {"n:5", "ph:1", "pw:1", "kh:2", "sw:2", "mode:reflect"}
    again = run(set=wanted)
    assert scene()["grids"] == before["grids"]
    assert address(again) == wanted
    again.slider(key="layers_convolution_kh").set_value(3).run()
    assert set(address(again).split(",")) == {"n:5", "ph:1", "pw:1", "sw:2", "mode:reflect"}, "a default is left out"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("kh:99", "Kernel ↕ is now 6 instead of 99. A kernel has to fit into the 6 cells"),
        ("n:4,ph:4,pw:4,mode:reflect", "4 cells give a border of at most 3"),
        ("dw:4,pw:0,n:5", "With a dilation of 3 the kernel would span 7 cells, but there are only 5."),
        ("g:3,c:4,f:4", "Groups must divide both the number of channels, 4, and that of filters, 4."),
        ("mode:mirror", "Border filled with cannot be mirror here. It is one of: zeros, reflect, replicate, circular."),
        ("kh:few", "few is not a whole number"),
        ("colour:blue", "This view has no setting colour"),
        ("x:1__2", "numbers are written as 1_0_-0.5"),
        ("kh:3;drop", "set holds pairs such as stride:2"),
    ],
)
def test_what_cannot_work_gets_a_sentence_and_the_nearest_that_can(run: Run, typed: str, says: str) -> None:
    app = run(set=typed)
    assert says in texts(app)
    assert scene()["cells"]
    sound(app.run())
    assert says not in " ".join(warning.value for warning in app.warning), "it is said once"


def test_a_reason_is_said_once_and_little_of_the_address_is_repeated(run: Run) -> None:
    said = warnings(run(set="n:4,ph:4,pw:4,mode:reflect"))[0]
    assert said.count("Reflect mirrors at the outermost cell") == 1
    assert "Padding ↕ is now 3 instead of 4." in said and "Padding ↔ is now 3 instead of 4." in said
    said = warnings(run(set=",".join(f"{'n' * 20}{letter}:1" for letter in "abcdefgh")))[0]
    assert said.endswith("and 4 more.") and len(said) < 160
    said = warnings(run(set=f"kernel:{'x' * 300},on:picture"))[0]
    assert said.startswith("Kernel cannot be xxx") and "Identity, Sobel, vertical edges" in said and len(said) < 200


@pytest.mark.parametrize(
    ("typed", "says", "kept"),
    [
        ("predict:7", "Predict first is now 1 instead of 7. A switch is 0 or 1.", "predict:1"),
        ("flip:-2", "Flip the kernel is now 0 instead of -2. A switch is 0 or 1.", ""),
        ("x:of36_0_9999", "A cell is now 99 instead of 9999. Numbers go from −99 to 99 here.", "x:of36_0_99"),
        ("x:of36_0_2_99_5", "There is no cell 99: they are counted from 0 to 35.", "x:of36_0_2"),
        ("x:of36_99_5", "There is no cell 99: they are counted from 0 to 35.", ""),
        ("x:of36_1_5_1_6", "In the address, cell 1 is named twice. The last number counts.", "x:of36_1_6"),
    ],
)
def test_what_was_mended_is_said_and_stands_in_the_address(run: Run, typed: str, says: str, kept: str) -> None:
    app = run(set=typed)
    assert says.replace("-2", "−2") in warnings(app)[0]
    assert address(app) == kept
    assert not warnings(sound(app.run())), "it is said once"


@pytest.mark.parametrize(("value", "says", "kept"), [
    (1e-9, "A cell is now 0 instead of 1e−09. Numbers are kept to four decimals.", None),
    (1 / 3, "A cell is now 0.3333 instead of 0.333333. Numbers are kept to four", "x:of36_0_0.3333"),
    (-1e5, "A cell is now −99 instead of −100000. Numbers go from −99 to 99 here.", "x:of36_0_-99"),
    (2.5, "", "x:of36_0_2.5"),
])  # fmt: skip
def test_a_number_that_a_cell_cannot_hold_becomes_the_nearest(
    monkeypatch: pytest.MonkeyPatch, value: float, says: str, kept: str | None
) -> None:
    state = SimpleNamespace(set="", said=[])
    monkeypatch.setattr("segdemo.ui.layers_typed.keep", lambda name, text: setattr(state, "set", text and f"{name}:{text}"))
    monkeypatch.setattr("segdemo.ui.layers_settings.say", lambda *sentences: state.said.extend(sentences))
    Cells("x", np.zeros(36), np.zeros(36)).type_over(0, value)
    assert " ".join(state.said).startswith(says) and bool(state.said) == bool(says)
    assert state.set == kept


def test_one_axis_keeps_nothing_of_two_and_gives_nothing_to_them(run: Run) -> None:
    app = run(set="axes:1,nl:16,kl:5,dl:3,kw:2,dw:2")
    app.segmented_control(key="layers_convolution_axes").set_value("2").run()
    assert not warnings(app) and "dilation=(1, 2)" in scene()["code"]
    app.segmented_control(key="layers_convolution_axes").set_value("1").run()
    assert not warnings(app) and "dilation=(3,)" in scene()["code"]
    assert set(address(app).split(",")) == {"axes:1", "nl:16", "kl:5", "dl:3", "kw:2", "dw:2"}


def test_a_callback_of_a_view_that_was_left_keeps_nothing(run: Run) -> None:
    app = run(set="n:7")
    app.slider(key="layers_convolution_n").set_value(9)
    app.segmented_control(key="layers_view").set_value("pooling").run()
    sound(app)
    assert "n:9" not in app.session_state["set"]


def test_another_layer_typed_in_gets_a_sentence(run: Run) -> None:
    app = run(layer="attention")
    assert "layer is one of: convolution" in texts(app)
    assert scene()["cells"]


@pytest.mark.parametrize("mode", ["reflect", "circular"])
def test_the_limit_of_a_padding_is_said_where_it_is_reached(run: Run, mode: str) -> None:
    most = 2 if mode == "reflect" else 3
    app = run(set=f"n:3,mode:{mode}")
    assert app.slider(key="layers_convolution_pw").max == most
    assert "3 cells give a border" not in texts(app)
    app.slider(key="layers_convolution_pw").set_value(most).run()
    assert f"3 cells give a border of at most {most}" in texts(app)
    assert grid("input0_0").shape == (3, 3 + 2 * most)


def test_what_the_signs_of_the_sliders_mean_is_said(run: Run) -> None:
    app = run()
    assert {"↕ height", "↔ width"} <= {caption.value for caption in app.caption}
    assert not {"↕ height", "↔ width"} & {caption.value for caption in run(set="axes:1").caption}


def test_limits_follow_from_each_other() -> None:
    assert [padding_limit(3, mode).most for mode in ("zeros", "reflect", "replicate", "circular")] == [4, 2, 4, 3]
    assert [kernel_limit(3, padding).most for padding in (0, 1, 2)] == [3, 5, 7]
    assert dilation_limit(5, 0, 3).most == 2
    assert dilation_limit(5, 0, 1).most == 1
    assert not dilation_limit(9, 4, 3).reason


def test_channels_filters_groups_bias_and_flip(run: Run) -> None:
    app = run(set="c:2,f:4,b:1,flip:1")
    assert [g["key"] for g in scene()["grids"]].count("kernel3_1_0") == 1
    assert "bias 1" in scene()["cells"][0][2]
    assert ".flip(-2, -1)" in scene()["code"]
    app.segmented_control(key="layers_convolution_g").set_value("2").run()
    assert "groups=2" in scene()["code"]
    assert not [g for g in scene()["grids"] if g["key"] == "kernel3_1_0"]
    app.slider(key="layers_convolution_f").set_value(3).run()  # two groups no longer divide the filters
    assert "groups=1" in scene()["code"]
    assert "Groups must divide both the number of channels, 2, and that of filters, 3" in texts(app)


@pytest.mark.parametrize(("axes", "call"), [("1", "conv1d"), ("2", "conv2d"), ("3", "conv3d")])
def test_one_two_and_three_axes(run: Run, axes: str, call: str) -> None:
    app = run()
    app.segmented_control(key="layers_convolution_axes").set_value(axes).run()
    assert f"F.{call}(" in scene()["code"]
    assert sum(g["key"].startswith("input") for g in scene()["grids"]) == (4 if axes == "3" else 1)


def test_numbers_of_ones_own_stay_in_the_link(run: Run) -> None:
    run()
    values = grid("input0_0")
    values[2, 3] = -7.5
    again = run(set=f"x:{write_numbers(values.ravel().tolist())}")
    assert grid("input0_0")[2, 3] == -7.5
    assert "-7.5" in address(again)
    again.slider(key="layers_convolution_n").set_value(7).run()
    assert grid("input0_0").shape == (7, 7), "as many numbers no longer fit, so the usual ones are shown"


def test_numbers_in_the_address() -> None:
    assert parse_cells("1_0_-0.5_0.3333").changed == {0: 1, 1: 0, 2: -0.5, 3: 0.3333}
    assert write_numbers([-0.0, 1 / 3]) == "0_0.3333"
    usual = np.arange(784.0)
    changed = usual.copy()
    changed[[12, 13]] = 3.5, -7
    assert write_cells(usual, changed) == "of784_12_3.5_13_-7"
    assert parse_cells("of784_12_3.5_13_-7").changed == {12: 3.5, 13: -7}
    assert write_cells(usual, usual) == ""


def test_the_question_covers_the_output_until_it_is_answered(run: Run) -> None:
    app = run(set="sh:2,sw:2,n:7")
    app.toggle(key="layers_convolution_predict").set_value(True).run()
    assert scene()["covered"]
    pills = next(group for group in app.get("button_group") if group.key.startswith("layers_convolution_guess"))
    assert "3 × 3" in pills.options
    pills.set_value("5x5").run()
    assert not scene()["covered"]
    assert "You chose 5 × 5; the answer is 3 × 3." in texts(app)
    app.slider(key="layers_convolution_sh").set_value(1).run()
    assert scene()["covered"], "another setting is another question"


def test_a_patch_of_the_picture_with_known_kernels(run: Run) -> None:
    app = run(set="on:picture,kernel:box,ph:1,pw:1")
    assert grid("input0_0").shape == (18, 18)
    np.testing.assert_allclose(grid("kernel0_0_0"), KERNELS["box"].values, atol=1e-5)
    np.testing.assert_allclose(grid("output0_0")[0, 0], grid("input0_0")[:3, :3].mean(), atol=1e-4)
    assert "The mean of nine cells" in texts(app)
    first = grid("input0_0")
    app.slider(key="layers_convolution_down").set_value(0 if app.slider(key="layers_convolution_down").value else 100).run()
    assert not np.array_equal(first, grid("input0_0"))


def test_a_picture_as_narrow_as_a_line_has_sliders_and_no_frame(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    framed: list[str] = []
    monkeypatch.setattr("segdemo.ui.layers_convolution_place.patch_frame", lambda **given: framed.append(given["key"]))
    run(set="on:picture")
    assert framed == ["layers_patch_popover", "layers_patch_column"]
    framed.clear()
    picture = open_picture(cv2.imencode(".png", np.tile(np.arange(0, 250, dtype=np.uint8), (10, 16)))[1].tobytes())
    monkeypatch.setattr("segdemo.ui.layers_convolution_sources.on_screen", lambda: picture)
    app = run(set="on:picture")
    assert framed == []
    app.slider(key="layers_convolution_right")


def test_the_first_layer_of_the_sidebars_network(run: Run) -> None:
    from segdemo.ui.layers_convolution_inputs import first_layer

    app = run(set="on:network,filter:3", weights="unet/nuclei-small")
    layer = first_layer("unet/nuclei-small")
    assert layer is not None
    np.testing.assert_allclose(grid("kernel0_1_0"), layer.weight[3, 1], rtol=1e-4)
    assert layer.name in texts(app)
    assert "normalised" in texts(app)


def test_the_explanation_opens_on_formula_papers_and_source(run: Run) -> None:
    app = run()
    app.session_state["layers_convolution_explained"] = True
    sound(app.run())
    assert r"\sum_{c}" in app.latex[0].value
    assert any("def convolve(" in code.value for code in app.code)
    assert "arxiv.org/abs/1603.07285" in texts(app)


def test_the_link_is_the_whole_address(run: Run) -> None:
    app = run(set="sh:2", sample="nuclei-stained")
    assert any("set=sh:2" in code.value and "sample=nuclei-stained" in code.value for code in app.code)

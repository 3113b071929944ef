"""The Honest metrics view, headlessly: every control, networks and pictures of all kinds, and one pass a picture."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.inference import shared_engine
from segdemo.ui.losses_honesty_drawing import picture_strip
from segdemo.ui.losses_honesty_words import rows

from .app_run import sound

SMALL = "unet/nuclei-small"


def honesty_page() -> None:
    from segdemo.ui.losses_honesty import show_honesty

    show_honesty()


def run(weights: str = SMALL, sample: str = "nuclei-fluorescence") -> AppTest:
    app = AppTest.from_function(honesty_page, default_timeout=120)
    app.session_state["weights"] = weights
    app.session_state["sample"] = sample
    return sound(app.run())


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def drawn(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def counted(app: AppTest) -> list[dict[str, Any]]:
    """The rows that the component shows: group, title, who, Dice and IoU."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)["rows"]  # type: ignore[no-any-return]


def headline(app: AppTest) -> str:
    return next(m.value for m in app.markdown if "honest scores" in m.value)


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_opens_on_many_scores_of_one_prediction() -> None:
    app = run()
    assert "One prediction, 64 honest scores" in headline(app)
    assert len(counted(app)) == len(rows(2)) == 10
    assert all(0 < row["iou"] <= row["dice"] <= 1 for row in counted(app))
    assert drawn(app).count("<figure>") == 7
    assert "PASCAL VOC" in counted(app)[1]["who"]
    assert "Data Science Bowl 2018" in texts(app)


def test_threshold_and_band_run_no_network() -> None:
    app = run()
    passes, before = shared_engine().passes, headline(app)
    sound(app.slider(key="honesty_threshold").set_value(0.9).run())
    assert headline(app) != before
    sound(app.slider(key="honesty_band").set_value(6).run())
    assert "6 px along outlines ignored" in counted(app)[1]["title"]
    assert shared_engine().passes == passes


def test_the_best_threshold_is_one_click_away() -> None:
    app = run()
    sound(app.button(key="honesty_best").click().run())
    assert f"{app.slider(key='honesty_threshold').value:.2f}" in app.button(key="honesty_best").label


def test_empty_pictures_are_where_the_policies_differ() -> None:
    app = run()
    key = "honesty_pictures_7"
    sound(app.pills(key=key).set_value([0, 1]).run())
    left_out, _truth_empty, one, zero, _smooth = ((row["dice"], row["iou"]) for row in counted(app)[5:])
    assert left_out == one == zero
    sound(app.pills(key=key).set_value([5]).run())
    assert "Empty" in drawn(app)
    sound(app.pills(key=key).set_value([]).run())
    assert "Choose at least one picture" in texts(app)


def test_an_empty_picture_found_empty_has_scores_by_policy_alone() -> None:
    app = run("unet/nuclei")
    sound(app.pills(key="honesty_pictures_7").set_value([5]).run())
    assert None in [row["dice"] for row in counted(app)]
    assert "No picture holds this class, so there is no best threshold" in texts(app)


def test_both_ways_of_calibration() -> None:
    app = run()
    spec = app.get("plotly_chart")[1].proto.spec
    sound(app.segmented_control(key="honesty_about").set_value("label").run())
    assert app.get("plotly_chart")[1].proto.spec != spec
    assert "Expected calibration error, 15 bins" in texts(app)


def test_several_classes_have_a_choice_and_no_threshold() -> None:
    app = run("unet/shapes", "shapes")
    assert not [s for s in app.slider if s.key == "honesty_threshold"]
    assert "wrong class" in drawn(app)
    for index in (2, 4):
        sound(app.selectbox(key="honesty_class_5").set_value(index).run())
    assert "A cat" in drawn(app)


@pytest.mark.parametrize("weights", ["unet_plus_plus/shapes", "unet/shapes-small"])
def test_all_networks_of_shapes_are_scored_on_shapes(weights: str) -> None:
    app = run(weights, "coins")
    assert "stands in" not in texts(app)
    assert "A cat" in drawn(app)


def test_a_picture_without_truth_is_said_and_left_out() -> None:
    app = run(sample="coins")
    assert "has no exact mask" in texts(app)
    assert drawn(app).count("<figure>") == 6


@pytest.mark.parametrize("weights", ["lraspp_mobilenet_v3_large/coco-voc", "autoencoder/nuclei"])
def test_networks_without_generated_pictures_have_a_stand_in(weights: str) -> None:
    app = run(weights, "astronaut")
    assert "stands in" in texts(app)
    assert drawn(app).count("<figure>") == 6


def test_a_visitors_picture_with_its_mask_is_scored_too() -> None:
    image, truth = draw_nuclei(96, 128, seed=3, count=12)
    truth[:20] = 255
    app = AppTest.from_function(honesty_page, default_timeout=120)
    app.session_state["weights"] = SMALL
    app.session_state["sample"] = "coins"
    app.session_state["photo"] = png(image)
    app.session_state["active_picture"] = "camera"
    app.session_state["masks"] = {"camera": png(truth)}
    sound(app.run())
    assert drawn(app).count("<figure>") == 7
    assert "Camera" in drawn(app)


def test_a_name_is_never_read_as_markup() -> None:
    strip = picture_strip([("<script>x</script>", "Dice 1.000", b"")], binary=True)
    assert "<script>" not in strip
    assert "&lt;script&gt;" in strip

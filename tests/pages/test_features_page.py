"""The Feature maps page, headlessly: every control of every lens, one pass for one picture, and nothing breaks it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.inference import shared_engine
from segdemo.models import list_models
from segdemo.ui import features_units, study
from segdemo.ui.lecture import lecture_html

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
PAGE = str(MAIN.parents[2] / "pages" / "features.py")
SMALL = "unet/nuclei-small"
Png = Callable[[np.ndarray], bytes]


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=120)
    for key, value in {"weights": SMALL, "sample": "nuclei-stained", **query}.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(PAGE).run()
    return sound(app)


def sound(app: AppTest) -> AppTest:
    assert not app.exception, "\n".join("\n".join(e.stack_trace) for e in app.exception)
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.title)
    return " ".join(element.value for kind in kinds for element in kind)


def lens(app: AppTest, name: str) -> AppTest:
    return sound(app.segmented_control(key="lens").set_value(name).run())


def test_the_page_opens_on_a_walk_that_was_recorded_in_one_pass() -> None:
    before = shared_engine().studies
    app = run()
    assert shared_engine().studies == before + 1
    assert "**encoder2**" in texts(app)
    assert "14 × 14 px (exact)" in texts(app)
    assert "Recorded in one pass at 512 × 384 px" in texts(app)


def test_redrawing_runs_no_network() -> None:
    app = run()
    before = (shared_engine().studies, shared_engine().passes)
    for view in ("summary", "colours", "channels"):
        sound(app.radio(key="stage_view").set_value(view).run())
    for order in ("mean", "variance", "index"):
        sound(app.selectbox(key="channel_sort").set_value(order).run())
    for scope in ("map", "all", "stage"):
        sound(app.selectbox(key="colour_scope").set_value(scope).run())
    sound(app.button(key="step_1").click().run())
    assert "**encoder3**" in texts(app)
    assert (shared_engine().studies, shared_engine().passes) == before


def test_every_stage_opens_and_the_ends_of_the_walk_have_no_further_step() -> None:
    app = run(stage="encoder1")
    assert app.button(key="step_-1").disabled
    seen = []
    while not app.button(key="step_1").disabled:
        seen.append(app.session_state["stage"])
        sound(app.button(key="step_1").click().run())
    assert seen == ["encoder1", "encoder2", "encoder3", "encoder4", "bottleneck", "decoder4", "decoder3", "decoder2", "decoder1"]
    assert app.session_state["stage"] == "head"


def test_channels_by_contribution_ask_for_a_class() -> None:
    app = run()
    sound(app.selectbox(key="channel_sort").set_value("contribution").run())
    assert app.selectbox(key="sort_class").value == 1
    sound(app.selectbox(key="sort_class").set_value(0).run())


def test_one_channel_is_large_with_its_histogram_and_what_its_unit_sees() -> None:
    app = run(stage="decoder2")
    sound(app.radio(key="stage_view").set_value("one").run())
    sound(app.number_input(key="channel").set_value(5).run())
    assert "What its strongest unit looks at" in texts(app)
    assert "theoretical field" in texts(app)
    sound(app.slider(key="map_opacity").set_value(50).run())
    sound(app.segmented_control(key="lens").set_value("stage").run())
    app.session_state["stage"] = "encoder1"
    sound(app.run())
    assert app.number_input(key="channel").max == 9


def test_a_clicked_unit_is_kept_and_a_made_up_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, object] = {"m": {"unit": {"channel": 3, "x": 0.5, "y": 0.25}}}
    monkeypatch.setattr(features_units.st, "session_state", kept)
    features_units.unit_clicked("m", "encoder2", switch=True)
    assert kept["unit"] == ("encoder2", 3, 0.5, 0.25)
    assert kept["stage_view"] == "one"
    nowhere = float("nan")
    for wrong in ({"channel": "3", "x": 0, "y": 0}, {"channel": 3, "x": 7, "y": 0}, {"channel": 3, "x": nowhere, "y": 0}, None):
        kept["m"] = {"unit": wrong}
        features_units.unit_clicked("m", "encoder1", switch=True)
        assert kept["unit"] == ("encoder2", 3, 0.5, 0.25)


def test_colours_of_another_stage_and_of_another_picture() -> None:
    app = run(stage="decoder2")
    sound(app.radio(key="stage_view").set_value("colours").run())
    assert "of the variance" in texts(app)
    sound(app.selectbox(key="pca_colours").set_value("stage:encoder1").run())
    sound(app.selectbox(key="pca_colours").set_value("picture:gallery_nuclei-fluorescence").run())
    sound(app.slider(key="map_opacity").set_value(60).run())


def test_what_feeds_a_decoder_stage_is_shown_before_and_after() -> None:
    app = run(stage="decoder3")
    sound(app.radio(key="stage_view").set_value("join").run())
    assert "skip from encoder3, as it arrives" in texts(app)
    assert "from decoder4, as it arrives" in texts(app)
    app.session_state["stage"] = "encoder3"
    sound(app.run())
    assert app.radio(key="stage_view").value == "channels"


def test_a_held_pixel_shows_both_fields_and_its_values() -> None:
    app = lens(run(stage="decoder4"), "probe")
    assert "Click a pixel" in texts(app)
    app.session_state["pixel"] = (100, 200)
    sound(app.run())
    assert "from pixel x 200, y 100" in texts(app)
    assert "effective field" in texts(app)
    app.session_state["pixel"] = (100_000, 5)  # of a picture that was larger
    sound(app.run())
    assert "Click a pixel" in texts(app)


def test_switches_change_the_mask_and_the_scores_at_once() -> None:
    app = lens(run(), "whatif")
    assert {m.label: m.value for m in app.metric}["IoU"] > "0.5"
    sound(app.pills(key="switch_skips").set_value([("encoder1", "decoder1")]).run())
    low = {m.label: m.value for m in app.metric}["IoU"]
    studies = shared_engine().studies
    sound(app.pills(key="switch_skips").set_value([]).run())
    sound(app.pills(key="switch_skips").set_value([("encoder1", "decoder1")]).run())
    assert {m.label: m.value for m in app.metric}["IoU"] == low
    assert shared_engine().studies == studies  # remembered
    sound(app.segmented_control(key="switch_way").set_value("noise").run())
    sound(app.pills(key="switch_stages").set_value([("bottleneck", None)]).run())
    assert app.session_state["switches"] == {("encoder1", "decoder1"): "zero", ("bottleneck", None): "noise"}
    sound(app.button(key="switch_reset").click().run())
    assert app.session_state["switches"] == {}
    assert {m.label: m.delta for m in app.metric}["IoU"] == ""


def test_another_pictures_activation_can_take_a_maps_place() -> None:
    app = lens(run(), "whatif")
    sound(app.segmented_control(key="switch_way").set_value("other").run())
    sound(app.pills(key="switch_stages").set_value([("encoder3", None)]).run())
    assert not app.error
    other = next(key for key in app.selectbox(key="switch_other").options if "Fluo" in key or "fluo" in key)
    sound(app.selectbox(key="switch_other").select(other).run())
    assert not app.error


def test_upsampling_and_statistics_are_swapped() -> None:
    app = lens(run(), "whatif")
    for mode in ("nearest", "bilinear"):
        sound(app.segmented_control(key="swap_upsampling").set_value(mode).run())
        assert not app.error
    sound(app.toggle(key="own_statistics").set_value(True).run())
    assert not app.error


def test_why_states_its_target_and_an_absent_class_is_a_sentence() -> None:
    app = lens(run(weights="unet/shapes-small", sample="shapes"), "why")
    assert "Target: the score of" in texts(app)
    sound(app.radio(key="why_method").set_value("saliency").run())
    sound(app.radio(key="why_region").set_value("picture").run())
    app.session_state["pixel"] = (40, 40)
    sound(app.run())
    sound(app.radio(key="why_region").set_value("pixel").run())
    sound(app.radio(key="why_method").set_value("cam").run())
    assert "Raw values before cutting" in texts(app)
    app = lens(run(weights="unet/shapes-small", sample="coins"), "why")
    for index in range(1, 5):
        sound(app.selectbox(key="why_class").set_value(index).run())


@pytest.mark.parametrize(
    ("weights", "word"),
    [
        ("unet/nuclei-small", "linear read-out"),
        ("fcn8s/shapes", "scores of a finer pooling"),
        ("unet_plus_plus/nuclei", "head"),
        ("unet3_plus/nuclei", "head"),
    ],
)
def test_the_mask_grows_sharp(weights: str, word: str) -> None:
    app = lens(run(weights=weights), "time")
    assert word in texts(app)


def test_the_gate_is_offered_where_there_is_one_and_judges_pictures_with_and_without_nuclei() -> None:
    app = lens(run(weights="unet3_plus/nuclei"), "gate")
    sound(app.button(key="open_gated").click().run())
    assert app.session_state["weights"] == "unet3_plus/nuclei-gated"
    assert "After the gate" in texts(app)
    app = run(weights="unet/nuclei-small", lens="gate")
    assert app.segmented_control(key="lens").value == "stage"


def test_two_networks_walk_side_by_side_with_linked_stages() -> None:
    app = run(second=f"{SMALL}~untrained", stage="decoder2")
    assert "Untrained" in texts(app)
    for name in ("probe", "whatif", "why", "time", "stage"):
        lens(app, name)
    sound(app.selectbox(key="second").set_value("segnet/nuclei").run())
    sound(app.selectbox(key="second").set_value("").run())


OTHERS = ["autoencoder/nuclei", "mnist_cnn/nuclei", "dilatednet/shapes", "nnunet/shapes", "segnet/shapes"]


@pytest.mark.parametrize("weights", OTHERS)
def test_every_lens_of_other_networks(weights: str) -> None:
    app = run(weights=weights)
    for name in ("probe", "whatif", "why", "time", "stage"):
        lens(app, name)
        assert not app.error


@pytest.mark.parametrize("name", ["resnet18", "alexnet", "smp/manet", "lraspp_mobilenet_v3_large", "segformer"])
def test_architectures_without_weights_walk_untrained(name: str) -> None:
    app = run(second=f"{name}~untrained")
    assert not app.error
    assert "Untrained" in texts(app)


def test_what_is_not_downloaded_walks_untrained_meanwhile() -> None:
    app = run(weights="lraspp_mobilenet_v3_large/coco-voc")
    assert "Until then" in texts(app)
    assert app.button(key="fetch_lraspp_mobilenet_v3_large/coco-voc")


@pytest.mark.parametrize(
    "query",
    [
        {"stage": "nothing"},
        {"stage": "<b>"},
        {"lens": "nothing"},
        {"second": "nothing"},
        {"second": "../x~untrained"},
        {"lens": "9" * 99},
    ],
)
def test_an_impossible_address_is_said_and_harmless(query: dict[str, str]) -> None:
    app = run(**query)
    assert app.segmented_control(key="lens").value == "stage"


def test_a_huge_and_a_tiny_picture_are_recorded_at_a_stated_size(png: Png) -> None:
    app = run()
    big = np.repeat(np.repeat(draw_nuclei(300, 500, seed=1)[0], 5, axis=0), 5, axis=1)
    app.file_uploader(key="uploads").upload("large.png", png(big), "image/png").run()
    sound(app)
    assert "(the picture has 2500 × 1500)" in texts(app)
    app.file_uploader(key="uploads").upload("dot.png", png(np.full((1, 1, 3), 90, np.uint8)), "image/png").run()
    sound(app)
    for name in ("probe", "whatif", "why", "time", "stage"):
        lens(app, name)


def test_files_hold_what_is_on_the_screen() -> None:
    from segdemo.data import open_picture
    from segdemo.data.samples import get_sample
    from segdemo.ui.features_export import activations_npz

    one = study._make(open_picture(get_sample("nuclei-stained").load()[0], "<b>x</b>.png"), study.get_network(SMALL), ("test",))
    with np.load(io.BytesIO(activations_npz(one, "decoder3"))) as found:
        assert np.array_equal(found["activation"], one.recording.maps["decoder3"].numpy())
        assert list(found["extent"]) == [0, 0, 384, 512]
    assert zipfile.is_zipfile(io.BytesIO(activations_npz(one, "head")))
    page = lecture_html(one, "def record(): ...")
    assert page.count("data:image/png;base64,") == len(one.stages) + 2 + len(one.stages)
    assert "<b>x</b>" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_every_architecture_can_be_chosen_as_the_second() -> None:
    app = run()
    assert len(app.selectbox(key="second").options) > len(list_models())

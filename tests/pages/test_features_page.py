"""The Feature maps page, headlessly: every control of every lens, one pass for one picture, and nothing breaks it."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from segdemo.data import open_picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.preprocessing import to_input
from segdemo.data.samples import get_sample
from segdemo.features import Changes, Switch, anatomy_at, draw_mosaic
from segdemo.inference import shared_engine
from segdemo.models import list_models
from segdemo.ui import features_changes, features_importance, features_units, recordings, study
from segdemo.ui.features_changes import WhatIf
from segdemo.ui.lecture import lecture_html
from segdemo.ui.state import Choice, open_choice, open_sample

from .app_run import sound

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
    sound(app.segmented_control(key="lens").set_value("channels").run())
    app.session_state["stage"] = "encoder1"
    sound(app.run())
    assert app.number_input(key="channel").max == 9


def test_a_clicked_unit_is_kept_exactly_and_a_made_up_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = draw_mosaic(torch.rand(3, 97, 97))
    kept: dict[str, object] = {"m": {"unit": {"channel": 2, "x": 0.5, "y": 0.999}}}
    monkeypatch.setattr(features_units.st, "session_state", kept)
    features_units.unit_clicked("m", "encoder2", shown, switch=True)
    stage, channel, y, x = kept["unit"]  # type: ignore[misc]
    left, _top, right, bottom = shown.box(2)
    assert (stage, channel) == ("encoder2", 2)
    assert (2, int(y * 97), int(x * 97)) == shown.locate(left + (right - left) // 2, bottom - 1)
    assert kept["stage_view"] == "one"
    before, nowhere = kept["unit"], float("nan")
    for wrong in ({"channel": "3", "x": 0, "y": 0}, {"channel": 1, "x": 7, "y": 0}, {"channel": 1, "x": nowhere, "y": 0}, None):
        kept["m"] = {"unit": wrong}
        features_units.unit_clicked("m", "encoder1", shown, switch=True)
        assert kept["unit"] == before


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
    app.session_state["pixel"] = (100.5 / 384, 200.5 / 512)
    sound(app.run())
    assert "from pixel x 200, y 100" in texts(app)
    assert "effective field" in texts(app)
    sound(app.selectbox(key="sample").set_value("shapes").run())  # of another size: the same place
    assert "from pixel x 150, y 75" in texts(app)


def iou(app: AppTest) -> float:
    return float({m.label: m.value for m in app.metric}["IoU"])


def test_switches_change_the_mask_and_the_scores_at_once() -> None:
    app = lens(run(), "whatif")
    assert not app.metric
    sound(app.pills(key="switch_stages").set_value([("encoder4", None)]).run())
    mild = iou(app)
    sound(app.pills(key="switch_stages").set_value([]).run())
    sound(app.pills(key="switch_skips").set_value([("encoder1", "decoder1")]).run())
    low, studies = iou(app), shared_engine().studies
    assert low < mild
    sound(app.pills(key="switch_skips").set_value([]).run())
    sound(app.pills(key="switch_skips").set_value([("encoder1", "decoder1")]).run())
    assert iou(app) == low
    assert shared_engine().studies == studies  # remembered
    sound(app.segmented_control(key="switch_way").set_value("noise").run())
    assert app.session_state["switches"] == {("encoder1", "decoder1"): "noise"}
    sound(app.pills(key="switch_stages").set_value([("bottleneck", None)]).run())
    assert app.session_state["switches"] == {("encoder1", "decoder1"): "noise", ("bottleneck", None): "noise"}
    sound(app.button(key="switch_reset").click().run())
    assert app.session_state["switches"] == {}
    assert not app.metric


def test_another_network_begins_as_it_was_trained() -> None:
    app = lens(run(), "whatif")
    sound(app.pills(key="switch_stages").set_value([("encoder4", None)]).run())
    sound(app.selectbox(key="architecture").set_value("segnet").run())
    assert app.session_state["switches"] == {}


def test_what_matters_most_comes_first() -> None:
    places = [("encoder1", None), ("encoder1", "decoder1"), ("bottleneck", None)]
    figure = features_importance._bars(places, np.array([0.2, 0.7, 0.0]))
    assert list(figure.layout.yaxis.categoryarray)[::-1] == ["encoder1 → decoder1", "encoder1", "bottleneck"]
    assert [list(bar.text) for bar in figure.data] == [["0.700"], ["0.200", "0.000"]]


def test_two_photographs_under_one_name_are_two_other_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    def choice(seed: int) -> Choice:
        data = cv2.imencode(".png", draw_nuclei(128, 128, seed=seed)[0])[1].tobytes()
        return Choice("camera", "Camera", data, hashlib.sha256(data).hexdigest())

    held: recordings.Held[tuple[object, ...]] = recordings.Held()
    monkeypatch.setattr(study, "held_by_visitor", lambda: held)
    one = study.study_of(open_choice(choice(1)), SMALL)
    what_if = WhatIf(Changes((Switch("encoder2", None, "other"),)), "camera")
    found = []
    for seed in (2, 3):
        monkeypatch.setattr(features_changes, "other_pictures", lambda _than, seed=seed: {"camera": choice(seed)})
        found.append(features_changes.changed_logits(one, what_if))
    assert not torch.equal(found[0], found[1])


def test_a_shared_study_has_the_name_that_its_visitor_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    held: recordings.Held[tuple[object, ...]] = recordings.Held()
    monkeypatch.setattr(study, "held_by_visitor", lambda: held)
    data = cv2.imencode(".png", draw_nuclei(64, 64, seed=8)[0])[1].tobytes()
    names = [study.study_of(open_picture(data, name), SMALL).picture.name for name in ("secret.png", "mine.png")]
    assert names == ["secret.png", "mine.png"]


@pytest.mark.parametrize("name", ["unet", "unet3_plus", "unet_plus_plus", "deeplabv3_resnet50"])
@pytest.mark.parametrize("size", [(384, 384), (450, 450), (1200, 800)])
def test_a_recording_keeps_its_bound_in_bytes(name: str, size: tuple[int, int]) -> None:
    entry = study.get_network(f"{name}~untrained")
    preprocessing = study._recorded(entry, size)
    tensor = to_input(np.zeros((*size, 3), np.uint8), preprocessing)[0]
    needed = study._bytes_of(anatomy_at(entry.weights_id, (tensor.shape[-2], tensor.shape[-1])))
    assert needed <= study.RECORDED_BYTES


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
    app.session_state["pixel"] = (0.2, 0.2)
    sound(app.run())
    sound(app.radio(key="why_region").set_value("pixel").run())
    assert "around the held pixel" in texts(app)
    sound(app.radio(key="why_method").set_value("cam").run())
    sound(app.radio(key="why_region").set_value("class").run())
    absent = []
    for index in range(5):
        sound(app.selectbox(key="why_class").set_value(index).run())
        absent.append("The region is empty" in texts(app))
    labels = shared_engine().segment(open_sample(get_sample("shapes")), "unet/shapes-small").preds
    assert absent == [not (labels == index).any() for index in range(5)]


def test_networks_of_other_classes_are_asked_by_name_or_said_to_have_none() -> None:
    app = lens(run(weights="unet/shapes-small", sample="shapes", second=SMALL), "why")
    sound(app.selectbox(key="why_class").set_value(4).run())
    assert "This network has no class called" in texts(app)
    sound(app.selectbox(key="why_class").set_value(0).run())
    assert "This network has no class called" not in texts(app)
    lens(app, "channels")
    sound(app.selectbox(key="channel_sort").set_value("contribution").run())
    sound(app.selectbox(key="sort_class").set_value(3).run())
    assert "its channels stand by number" in texts(app)


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
    sound(app.button(key="gate_0_open").click().run())
    assert app.session_state["weights"] == "unet3_plus/nuclei-gated"
    assert "After the gate" in texts(app)
    both = lens(run(weights="unet3_plus/nuclei", second="unet3_plus/nuclei~untrained"), "gate")
    assert [button.key for button in both.button if "open" in str(button.key)] == ["gate_0_open", "gate_1_open"]
    app = run(weights="unet/nuclei-small", lens="gate")
    assert app.segmented_control(key="lens").value == "channels"


def test_two_networks_walk_side_by_side_with_linked_stages() -> None:
    app = run(second=f"{SMALL}~untrained", stage="decoder2")
    assert "Untrained" in texts(app)
    for name in ("probe", "whatif", "why", "time", "channels"):
        lens(app, name)
    for view in ("one", "summary", "colours", "join"):
        sound(app.radio(key="stage_view").set_value(view).run())
    sound(app.selectbox(key="second").set_value("segnet/nuclei").run())
    sound(app.selectbox(key="second").set_value("").run())


OTHERS = ["autoencoder/nuclei", "mnist_cnn/nuclei", "dilatednet/shapes", "nnunet/shapes", "segnet/shapes"]


@pytest.mark.parametrize("weights", OTHERS)
def test_every_lens_of_other_networks(weights: str) -> None:
    app = run(weights=weights)
    for name in ("probe", "whatif", "why", "time", "channels"):
        if name in app.segmented_control(key="lens").options:
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
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    sound(app.run())
    assert bool(app.warning) == (query != {"stage": "nothing"})  # another network may well have such a stage
    sound(app.switch_page(PAGE).run())
    assert app.segmented_control(key="lens").value == "channels"
    assert app.session_state["stage"] == "encoder2"


def test_a_huge_and_a_tiny_picture_are_recorded_at_a_stated_size(png: Png) -> None:
    app = run()
    big = np.repeat(np.repeat(draw_nuclei(300, 500, seed=1)[0], 5, axis=0), 5, axis=1)
    app.file_uploader(key="uploads").upload("large.png", png(big), "image/png").run()
    sound(app)
    assert "(the picture has 2500 × 1500)" in texts(app)
    app.file_uploader(key="uploads").upload("dot.png", png(np.full((1, 1, 3), 90, np.uint8)), "image/png").run()
    sound(app)
    for name in ("probe", "whatif", "why", "time", "channels"):
        lens(app, name)


def test_files_hold_what_is_on_the_screen() -> None:
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

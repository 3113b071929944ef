"""The Compare page, headlessly: every control, whose candidate fails alone, which classes are compared, one pass each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.data.samples import get_sample
from segdemo.errors import ImageError
from segdemo.evaluation.candidate import Candidate, parse_candidates
from segdemo.evaluation.titles import short_titles
from segdemo.inference import Engine, shared_engine
from segdemo.metrics import confusion_matrix, iou_per_class
from segdemo.types import Prediction
from segdemo.ui import compare_page
from segdemo.ui.compare_classes import class_colours
from segdemo.ui.compare_colours import colour_of_candidate
from segdemo.ui.compare_data import PictureComparison, compare_on
from segdemo.ui.compare_disagreement import consensus_of, matrix_figure
from segdemo.ui.compare_lineups import DOMAINS, lineups
from segdemo.ui.compare_panes import model_pane
from segdemo.ui.state import Choice, open_choice
from segdemo.weights import is_present, list_weights
from segdemo.weights.catalogue import get_weights

from .app_run import sound

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
PAGE = str(MAIN.parents[2] / "pages" / "compare.py")
SMALL, TINY = "unet/nuclei-small", "mnist_cnn/nuclei"
TWO = f"{SMALL},{TINY}"
Seen = list[PictureComparison]


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in {"models": TWO, "sample": "nuclei-stained", **query}.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(PAGE).run()
    return sound(app)


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.title)
    return " ".join(element.value for kind in kinds for element in kind)


def models(app: AppTest) -> list[str]:
    return str(app.session_state["models"]).split(",")


def widget(app: AppTest, kind: str, start: str) -> Any:
    """The widget whose key begins so: the rest counts how often the line-up changed."""
    found = [element for element in getattr(app, kind) if (element.key or "").startswith(start)]
    assert len(found) == 1, [element.key for element in getattr(app, kind)]
    return found[0]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What the page has compared, newest last."""
    comparisons: Seen = []

    def compare(*arguments: Any) -> PictureComparison:
        comparisons.append(compare_on(*arguments))
        return comparisons[-1]

    monkeypatch.setattr(compare_page, "compare_on", compare)
    return comparisons


def test_the_page_runs_each_network_once_and_redraws_without_any(seen: Seen) -> None:
    run()  # the first page segments, too
    before = shared_engine().passes
    app = run(models=f"{SMALL}@scale=0.75,{TINY}@scale=0.75")  # which no other test asks for
    assert shared_engine().passes == before + 2
    sound(app.segmented_control(key="compare").set_value("disagreement").run())
    assert "all agree" not in texts(app)  # that stands in the component
    assert "Closest to the vote" in texts(app)
    sound(widget(app, "slider", "compare_threshold_0").set_value(30).run())
    assert models(app)[0] == f"{SMALL}@threshold=0.3@scale=0.75"
    assert app.query_params["compare"] in ("disagreement", ["disagreement"])
    assert shared_engine().passes == before + 2
    assert seen[-1].outcomes[0].prediction.threshold == 0.3  # type: ignore[union-attr]


def test_without_a_line_up_in_the_address_the_default_is_compared(seen: Seen) -> None:
    app = run(models="", sample="coins")
    assert "models" not in app.query_params
    assert [o.entry.weights_id for o in seen[-1].outcomes] == ["fcn32s/nuclei", "fcn8s/nuclei", "unet/nuclei"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("unet/nuclei", "two to 6"),
        ("unet/nuclei,unet/nuclei", "two to 6 different sets of weights, not 1"),
        (",", "two to 6"),
        ("unet/nuclei,unet/none", "unet/none"),
        ("unet/nuclei,autoencoder/nuclei", "draws pictures"),
        ("unet/nuclei,unet/nuclei@scale=99", "@scale"),
        (",".join(f"unet/nuclei-small@threshold=0.{i}" for i in range(1, 9)), "not 8"),
    ],
)
def test_an_impossible_line_up_in_the_address_is_said(value: str, sentence: str) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["models"] = value
    sound(app.run())
    assert sentence in "".join(w.value for w in app.warning).replace("\\", "")
    assert app.session_state["models"] == "fcn32s/nuclei,fcn8s/nuclei,unet/nuclei"


def test_settings_duplicates_removal_and_adding() -> None:
    app = run()
    assert widget(app, "button", "compare_remove_0").disabled  # a comparison needs two
    sound(widget(app, "select_slider", "compare_scale_1").set_value(0.5).run())
    sound(widget(app, "segmented_control", "compare_precision_1").set_value("float32").run())
    assert models(app) == [SMALL, f"{TINY}@precision=float32@scale=0.5"]
    sound(widget(app, "button", "compare_duplicate_0").click().run())
    assert models(app) == [SMALL, f"{TINY}@precision=float32@scale=0.5", f"{SMALL}@threshold=0.3"], "nobody changes colour"
    assert app.toast[0].value == "The copy has threshold 0.3, so that the two differ."
    sound(widget(app, "slider", "compare_threshold_2").set_value(50).run())
    assert models(app)[2] == f"{SMALL}@threshold=0.3", "twice the same is refused"
    assert widget(app, "slider", "compare_threshold_2").value == 30
    sound(widget(app, "button", "compare_remove_0").click().run())
    assert models(app)[1] == f"{SMALL}@threshold=0.3"
    assert widget(app, "slider", "compare_threshold_1").value == 30
    sound(app.selectbox(key="compare_add_model").set_value("encoder_decoder").run())
    sound(app.button(key="compare_add").click().run())
    assert models(app)[-1] == "encoder_decoder/nuclei"
    assert app.button(key="compare_add").disabled
    sound(widget(app, "selectbox", "compare_weights_2").set_value("fcn8s/nuclei").run())
    assert models(app)[-1] == "fcn8s/nuclei"


def test_every_line_up_is_of_weights_that_are_here_and_one_click_away() -> None:
    here = {entry.weights_id for entry in list_weights() if is_present(entry) and entry.task == "segment"}
    for domain in DOMAINS:
        for lineup in lineups(domain):
            candidates = parse_candidates(list(lineup.models))
            assert {c.weights_id for c in candidates} <= here
            assert 2 <= len(candidates) <= 6
            assert len(set(short_titles(candidates))) == len(candidates)
    app = run()
    sound(app.button(key="lineup_thresholds").click().run())
    assert models(app) == ["unet/nuclei@threshold=0.3", "unet/nuclei", "unet/nuclei@threshold=0.7"]


def test_a_picture_that_no_candidate_was_trained_for_offers_networks_that_were(seen: Seen) -> None:
    app = run(sample="shapes")
    assert seen[-1].truth is None, "circles are no nuclei"
    sound(app.button(key="compare_suited").click().run())
    assert all("/shapes" in name for name in models(app))
    assert seen[-1].truth is not None


def test_one_failure_leaves_the_others(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Engine.segment

    def segment(self: Engine, picture: Any, weights_id: str, **settings: Any) -> Prediction:
        if weights_id == SMALL:
            raise ImageError("There is not enough memory for this picture and this network.")
        return whole(self, picture, weights_id, **settings)

    monkeypatch.setattr(Engine, "segment", segment)
    run()
    comparison = seen[-1]
    assert model_pane(comparison, 0)["problem"] == "There is not enough memory for this picture and this network."
    assert model_pane(comparison, 1)["problem"] is None
    assert "IoU" in str(model_pane(comparison, 1)["note"])


def test_weights_that_are_not_here_are_offered_and_the_others_shown(seen: Seen) -> None:
    app = run(models=f"{TINY},fcn_resnet50/coco-voc")
    assert "Fetch them below" in seen[-1].outcomes[1].problem
    assert app.button(key="fetch_fcn_resnet50/coco-voc")
    assert seen[-1].outcomes[0].prediction is not None


def test_classes_that_nobody_shares_are_said_and_not_compared(seen: Seen) -> None:
    app = run(models=f"{TINY},mnist_cnn/shapes")
    assert "not compared" in texts(app)
    assert [o.entry.weights_id for o in seen[-1].comparable] == [TINY]
    assert model_pane(seen[-1], 1)["table"] is None
    sound(app.segmented_control(key="compare").set_value("disagreement").run())
    assert "No two of these networks know a class in common" in texts(app)
    sound(app.button(key="disagreement_nuclei").click().run())
    assert models(app)[0] == TINY
    assert len(models(app)) == 2 and all("/nuclei" in name for name in models(app))
    assert "Closest to the vote" in texts(app)


def test_with_nothing_in_common_the_pictures_are_one_click_away(seen: Seen) -> None:
    app = run(models=f"{TINY},mnist_cnn/shapes", compare="disagreement", sample="coins")
    sound(app.button(key="disagreement_panes_view").click().run())
    assert app.session_state["compare"] == "panes"


def test_classes_of_different_names_never_share_a_colour(seen: Seen) -> None:
    run(models=f"{TINY},mnist_cnn/shapes", sample="coins")
    named = {
        c["name"]: tuple(c["color"])
        for i in range(2)
        for c in model_pane(seen[-1], i)["classes"][1:]  # type: ignore[index]
    }
    assert len(named) == 5
    assert len(set(named.values())) == 5
    assert class_colours([get_weights(TINY).classes])["nucleus"] == get_weights(TINY).classes[1].color


def test_what_is_named_twice_is_said() -> None:
    app = run(models=f"{SMALL},{SMALL},{TINY}")
    assert models(app) == [SMALL, TINY]
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["models"] = f"{SMALL},{SMALL},{TINY}"
    sound(app.run())
    assert "twice" in "".join(w.value for w in app.warning)


def test_a_sample_without_truth_leads_to_one_with(seen: Seen) -> None:
    app = run(sample="coins")
    assert "The networks were trained on cell nuclei and never saw a coin" in texts(app)
    assert seen[-1].truth is None
    sound(app.button(key="compare_known").click().run())
    assert seen[-1].truth is not None


def test_a_picture_in_which_nothing_is_found_says_so(seen: Seen, png: Callable[[np.ndarray], bytes]) -> None:
    app = run(compare="disagreement", models=f"{SMALL}@threshold=1,{TINY}@threshold=1")
    sound(app.file_uploader(key="uploads").set_value(("mine.png", png(np.zeros((9, 9, 3), np.uint8)), "image/png")).run())
    assert all(not o.prediction.preds.any() for o in seen[-1].outcomes)  # type: ignore[union-attr]
    assert "every IoU is undefined" in texts(app)


def test_widgets_take_their_candidates_settings_as_defaults() -> None:
    """What is put into the session instead reaches no widget that was not yet open, and that reports its scale's start."""
    app = run(models=f"{SMALL}@threshold=0.3@precision=float32@scale=0.5,{TINY}")
    for view in ("disagreement", "panes"):
        sound(app.segmented_control(key="compare").set_value(view).run())
        slider, scale = widget(app, "slider", "compare_threshold_0"), widget(app, "select_slider", "compare_scale_0")
        assert (slider.proto.default, slider.proto.set_value) == ([30], False)
        assert (scale.proto.options[int(scale.proto.default[0])], scale.proto.set_value) == ("0.5 ×", False)
        assert widget(app, "selectbox", "compare_weights_0").value == SMALL
    sound(widget(app, "slider", "compare_threshold_0").set_value(40).run())
    assert models(app)[0] == f"{SMALL}@threshold=0.4@precision=float32@scale=0.5"
    app.switch_page(str(MAIN.parents[2] / "pages" / "segment.py")).run()
    app.switch_page(PAGE).run()
    assert widget(app, "slider", "compare_threshold_0").proto.default == [40], "the page was left in between"


def test_a_mask_of_ones_own_scores_every_candidate(seen: Seen, png: Callable[[np.ndarray], bytes]) -> None:
    image = np.full((64, 64, 3), 20, np.uint8)
    image[20:40, 20:40] = 220
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 255
    app = run()
    sound(app.file_uploader(key="uploads").set_value(("mine.png", png(image), "image/png")).run())
    assert seen[-1].truth is None
    key = app.session_state["active_picture"]
    sound(app.file_uploader(key=f"mask_{key}").set_value(("mask.png", png(mask), "image/png")).run())
    comparison = seen[-1]
    matrix = confusion_matrix(comparison.outcomes[0].prediction.preds, mask // 255, 2)  # type: ignore[union-attr]
    assert comparison.iou(comparison.outcomes[0]) == pytest.approx(iou_per_class(matrix)[1])


def test_the_network_picker_gives_way_and_its_choice_stays() -> None:
    app = run(weights=TINY)
    assert not [box for box in app.selectbox if box.key in ("architecture", "weights")]
    app.switch_page(str(MAIN.parents[2] / "pages" / "segment.py")).run()
    assert app.selectbox(key="weights").value == TINY
    app.switch_page(PAGE).run()
    sound(widget(app, "button", "compare_use_0").click().run())
    app.switch_page(str(MAIN.parents[2] / "pages" / "segment.py")).run()
    assert app.selectbox(key="weights").value == SMALL
    assert app.query_params["weights"] in (SMALL, [SMALL])


def test_titles_tell_candidates_apart() -> None:
    def titles(*keys: str) -> list[str]:
        return short_titles(parse_candidates(list(keys)))

    assert titles("unet/nuclei", "fcn8s/nuclei") == ["U-Net", "FCN-8s"]
    assert titles("unet/nuclei", "unet/nuclei@threshold=0.3") == ["threshold 0.5", "threshold 0.3"]
    assert titles("unet/nuclei", "unet/nuclei@threshold=0.3", "unet/nuclei@scale=0.5@precision=float32") == [
        "U-Net", "U-Net @0.3", "U-Net float32 ×0.5",
    ]  # fmt: skip
    assert titles("unet/nuclei", "fcn8s/nuclei", "unet/nuclei@threshold=0.3") == ["U-Net", "FCN-8s", "U-Net @0.3"]
    assert titles("unet/nuclei-dice", "unet/nuclei-iou") == ["Dice", "IoU"]
    assert titles("unet/nuclei", "unet/nuclei-small") == ["U-Net", "small"]
    assert titles("unet/nuclei", "unet/shapes", "fcn8s/shapes")[2] == "FCN-8s · Shapes"
    assert len({colour_of_candidate(i) for i in range(6)}) == 6


def test_the_consensus_is_that_of_the_label_maps() -> None:
    sample = get_sample("nuclei-stained")
    data, _mask = sample.load()
    choice = Choice("sample", sample.title, data, "of this test", sample)
    picture = open_choice(choice)
    candidates = (Candidate(SMALL), Candidate(TINY), Candidate(SMALL, threshold=0.9))
    consensus = consensus_of(compare_on(choice, picture, candidates))
    maps = [shared_engine().segment(picture, c.weights_id, threshold=c.threshold).preds for c in candidates]
    votes = np.sum(maps, axis=0)
    assert np.array_equal(consensus.vote, votes >= 2)
    assert np.allclose(consensus.differ, np.where((votes == 0) | (votes == 3), 0, 2 / 3))
    either, both = (maps[0] | maps[1]).sum(), (maps[0] & maps[1]).sum()
    assert consensus.ious[0, 1] == pytest.approx(both / either)
    assert consensus.names[-2:] == ("Majority vote", "Truth")
    assert len(matrix_figure(consensus).data[0].z) == 5
    assert get_weights(SMALL).binary

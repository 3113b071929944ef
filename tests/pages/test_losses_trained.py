"""The Trained view: real masks of every network, the measured table, and a way to take one's weights along."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.inference import shared_engine
from segdemo.losses import LOSSES
from segdemo.ui.losses_trained import TRAINED, reliability_of
from segdemo.weights import get_weights

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
PAGE = str(MAIN.parents[2] / "pages" / "losses.py")


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=120)
    for key, value in {"view": "trained", **query}.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


@pytest.mark.parametrize(("loss", "name"), TRAINED.items())
def test_each_was_trained_with_its_loss_and_nothing_else_differs(loss: str, name: str) -> None:
    entry, other = get_weights(name), get_weights(TRAINED["bce"])
    settings, others = entry.card["settings"], other.card["settings"]
    assert isinstance(settings, dict) and isinstance(others, dict)
    assert loss in LOSSES
    assert settings["loss"] == loss
    both = (settings.keys() & others.keys()) - {"loss"}
    assert {"steps", "seed", "crop", "batch_size", "learning_rate", "augmentation"} <= both
    assert {key: settings[key] for key in both} == {key: others[key] for key in both}
    assert (entry.options, entry.params) == (other.options, other.params)
    assert reliability_of(entry) is not None


def test_the_masks_are_scored_where_the_truth_is_known() -> None:
    app = run(sample="nuclei-fluorescence")
    captions = [caption.value for caption in app.caption if caption.value.startswith("IoU 0.")]
    assert len(captions) == len(TRAINED)
    passes = shared_engine().passes
    app.slider(key="threshold").set_value(20).run()
    assert not app.exception
    assert [c.value for c in app.caption if c.value.startswith("IoU 0.")] != captions
    assert shared_engine().passes == passes


def test_without_a_truth_the_share_of_nuclei_is_said() -> None:
    app = run(sample="coins")
    assert sum("nucleus" in caption.value for caption in app.caption) >= len(TRAINED)


def test_weights_are_taken_to_the_other_pages() -> None:
    app = run()
    app.selectbox(key="trained_choice").set_value("ohem").run()
    app.button(key="trained_use").click().run()
    assert not app.exception
    assert app.session_state["weights"] == TRAINED["ohem"]


def test_several_are_taken_to_the_comparison() -> None:
    app = run()
    app.multiselect(key="trained_several").set_value(["dice"]).run()
    assert app.button(key="trained_compare").disabled, "one alone is no comparison"
    app.multiselect(key="trained_several").set_value(["dice", "ohem"]).run()
    app.button(key="trained_compare").click().run()
    assert not app.exception
    assert app.session_state["models"] == f"{TRAINED['dice']},{TRAINED['ohem']}"
    assert app.query_params["models"] == app.session_state["models"], "the page is the comparison, and its address says so"

"""Pages, headlessly: what is on them, that redrawing runs no network, and that nothing typed or dropped breaks them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.samples import list_samples
from segdemo.inference import shared_engine
from segdemo.weights import list_weights

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
Png = Callable[[np.ndarray], bytes]


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.subheader)
    return " ".join(element.value for kind in kinds for element in kind)


def test_the_first_view_segments_the_first_sample() -> None:
    app = run()
    assert list_samples()[0].title in texts(app)
    assert "Trained on" in texts(app)
    assert {m.label: m.value for m in app.metric}["Count"] != "0"


def test_opacity_style_and_threshold_run_no_network() -> None:
    app = run()
    passes = shared_engine().passes
    app.slider(key="opacity").set_value(20).run()
    app.slider(key="threshold").set_value(80).run()
    app.segmented_control(key="style").set_value("contour").run()
    assert not app.exception
    assert shared_engine().passes == passes
    assert app.query_params["opacity"] in ("20", ["20"])


def test_a_quick_change_is_not_undone_by_an_address_that_lags_behind() -> None:
    app = run()
    app.slider(key="threshold").set_value(54).run()
    app.query_params["threshold"] = "53"  # what the browser still showed when the next move was sent
    app.slider(key="threshold").set_value(55).run()
    assert app.slider(key="threshold").value == 55
    assert app.query_params["threshold"] in ("55", ["55"])


def test_the_address_restores_the_view() -> None:
    app = run(sample="nuclei-stained", opacity="20", threshold="70", style="contour")
    assert app.selectbox(key="sample").value == "nuclei-stained"
    assert (app.slider(key="opacity").value, app.slider(key="threshold").value) == (20, 70)
    assert app.segmented_control(key="style").value == "contour"


@pytest.mark.parametrize(
    "query",
    [
        {"sample": "none"},
        {"weights": "../../etc/passwd"},
        {"threshold": "900"},
        {"opacity": "-1"},
        {"threshold": "NaN"},
        {"style": "<b>"},
        {"threshold": "000000900"},
        {"threshold": "9" * 5000},
        {"weights": "[click](https://example.org)"},
    ],
)
def test_nonsense_in_the_address_is_said_and_replaced(query: dict[str, str]) -> None:
    app = run(**query)
    assert len(app.warning) == 1
    assert app.slider(key="threshold").value == 50
    assert app.metric


def test_a_sample_with_an_exact_mask_is_scored() -> None:
    app = run(sample="nuclei-fluorescence")
    scores = {m.label: m.value for m in app.metric}
    assert float(scores["IoU"]) > 0.8
    assert float(scores["Dice"]) > float(scores["IoU"])
    app.toggle(key="errors").set_value(True).run()
    assert not app.exception


def test_a_mask_for_other_classes_is_not_scored() -> None:
    app = run(sample="shapes")
    assert "IoU" not in {m.label for m in app.metric}


def test_several_uploads_one_of_them_broken(png: Png) -> None:
    app = run()
    good = png(draw_nuclei(64, 80, seed=1)[0])
    app.file_uploader(key="uploads").set_value([("good.png", good, "image/png"), ("bad.png", good[:100], "image/png")]).run()
    assert not app.exception
    assert any("bad.png" in e.value.replace("\\", "") and "damaged" in e.value for e in app.error)
    assert "good.png" in texts(app).replace("\\", "")


def test_a_visitors_mask_is_scored_and_a_wrong_one_is_a_sentence(png: Png) -> None:
    image, target = draw_nuclei(64, 80, seed=1)
    app = run()
    app.file_uploader(key="uploads").set_value([("mine.png", png(image), "image/png")]).run()
    (mask,) = [u for u in app.file_uploader if u.key and u.key.startswith("mask_")]
    mask.set_value(("mask.png", png(target * 255), "image/png")).run()
    assert "IoU" in {m.label for m in app.metric}
    (mask,) = [u for u in app.file_uploader if u.key and u.key.startswith("mask_")]
    mask.set_value(("mask.png", png(target[:10] * 255), "image/png")).run()
    assert not app.exception
    assert any("must be equal" in e.value for e in app.error)


def test_a_mask_survives_looking_at_another_picture(png: Png) -> None:
    image, target = draw_nuclei(64, 80, seed=1)
    app = run()
    app.file_uploader(key="uploads").set_value([("mine.png", png(image), "image/png")]).run()
    (mask,) = [u for u in app.file_uploader if u.key and u.key.startswith("mask_")]
    mask.set_value(("mask.png", png(target * 255), "image/png")).run()
    scores = {m.label: m.value for m in app.metric}
    key = app.session_state["active_picture"]
    app.session_state["active_picture"] = "sample"
    app.run()
    assert "IoU" not in {m.label for m in app.metric}
    app.session_state["active_picture"] = key
    app.run()
    assert {m.label: m.value for m in app.metric} == scores


def test_many_pictures_are_segmented_once_even_when_results_leave_memory(png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shared_engine()
    monkeypatch.setattr(engine.results, "max_bytes", 1)
    app = run()
    files = [(f"{i}.png", png(draw_nuclei(48, 48, seed=100 + i)[0]), "image/png") for i in range(6)]
    app.file_uploader(key="uploads").set_value(files).run()
    app.slider(key="opacity").set_value(30).run()
    passes = engine.passes
    app.slider(key="opacity").set_value(40).run()
    app.slider(key="threshold").set_value(40).run()
    assert engine.passes <= passes + 2  # at most the one on screen, never all of them


def test_a_sample_offers_weights_that_suit_it() -> None:
    app = run(sample="shapes")
    app.button(key="suggestion").click().run()
    assert not app.exception
    assert app.selectbox(key="weights").value == "unet/shapes"
    assert any(d for d in app.dataframe)


def test_file_names_are_text_not_markup(png: Png) -> None:
    app = run()
    name = "**bold** <script>alert(1) [x](y) $a$ :red[b].png"
    app.file_uploader(key="uploads").set_value([(name, png(draw_nuclei(64, 64)[0]), "image/png")]).run()
    assert not app.exception
    shown = next(m.value for m in app.markdown if "alert" in m.value)
    assert r"\<script" in shown and r"\*\*bold" in shown and r"\[x\]" in shown


def test_choosing_an_architecture_chooses_its_weights() -> None:
    app = run()
    app.selectbox(key="architecture").set_value("lraspp_mobilenet_v3_large").run()
    assert not app.exception
    assert app.selectbox(key="weights").value == "lraspp_mobilenet_v3_large/coco-voc"
    assert any("Fetch" in b.label for b in app.button)


def test_every_set_of_weights_has_a_card() -> None:
    page = AppTest.from_function(_weights_page, default_timeout=60).run()
    assert not page.exception
    shown = " ".join(m.value for m in page.markdown) + " ".join(c.value for c in page.caption)
    for entry in list_weights():
        assert entry.weights_id in shown
        assert entry.licence in shown


def _weights_page() -> None:
    from segdemo.ui.weights_page import show_weights_page

    show_weights_page()


@pytest.mark.parametrize("sample", [s.key for s in list_samples()])
def test_every_sample_is_shown(sample: str) -> None:
    app = run(sample=sample)
    assert app.metric or app.info


def test_a_training_stands_only_in_the_training_pages_address() -> None:
    app = run()
    app.session_state["run"] = "0123456789abcdef"
    app.run()
    assert "run" not in app.query_params

"""Bring your own weights, headlessly: recognised, asked about, previewed, used, and listed to nobody else."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import Tensor

from segdemo.inference import shared_engine
from segdemo.models import create_model
from segdemo.weights import get_weights, list_weights

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
WEIGHTS_PAGE = str(MAIN.parents[2] / "pages" / "weights.py")

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own, and a folder of weights that is not there yet."""
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEGDEMO_WEIGHTS_DIR", str(tmp_path / "mine"))
    yield tmp_path / "mine"


def state(seed: int = 0, model: str = "unet", **options: object) -> State:
    torch.manual_seed(seed)
    return dict(create_model(model, **{"width": 4, "depth": 2, "num_classes": 3, **options}).state_dict())  # type: ignore[arg-type]


def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def weights_page() -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    app.switch_page(WEIGHTS_PAGE).run()
    assert not app.exception, app.exception
    return app


def upload(app: AppTest, content: bytes, name: str = "mine.pth") -> AppTest:
    app.file_uploader(key="own_weights_file").set_value((name, content, "application/octet-stream")).run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning)
    return " ".join(element.value for kind in kinds for element in kind)


def widget(app: AppTest, kind: str, beginning: str) -> object:
    (found,) = [w for w in getattr(app, kind) if w.key and w.key.startswith(beginning)]
    return found


def test_an_upload_is_recognised_previewed_and_used() -> None:
    app = upload(weights_page(), saved({"state_dict": state(1), "epoch": 9}))
    assert "**U-Net** · named as in segdemo" in said(app) and "3 channels in, 3 out" in said(app)
    assert "Network **" in said(app), "the preview's own line about its cost"
    app.button(key="use_import").click().run()
    assert not app.exception
    chosen = app.selectbox(key="weights").value
    assert chosen.startswith("unet/imported-") and len(chosen) == len("unet/imported-") + 16
    assert app.selectbox(key="architecture").value == "unet"
    assert app.title[0].value == "What is where in this picture?"
    assert get_weights(chosen).title == "mine"


def test_it_is_listed_in_this_session_only() -> None:
    first = upload(weights_page(), saved(state(2)))
    first.button(key="use_import").click().run()
    chosen = first.selectbox(key="weights").value
    first.switch_page(WEIGHTS_PAGE).run()
    assert chosen in said(first)
    other = weights_page()
    assert chosen not in said(other) and chosen not in other.selectbox(key="weights").options
    assert chosen not in [entry.weights_id for entry in list_weights()]


def test_a_link_to_an_import_works() -> None:
    app = upload(weights_page(), saved(state(3)))
    app.button(key="use_import").click().run()
    chosen = app.selectbox(key="weights").value
    linked = AppTest.from_file(str(MAIN), default_timeout=60)
    linked.query_params["weights"] = chosen
    linked.run()
    assert not linked.exception and linked.selectbox(key="weights").value == chosen


def test_answers_change_the_preview_and_names_do_not_cost_a_pass() -> None:
    app = upload(weights_page(), saved(state(4)))
    passes = shared_engine().passes
    widget(app, "selectbox", "import_scale").set_value("bytes").run()  # type: ignore[attr-defined]
    assert shared_engine().passes == passes + 1
    widget(app, "text_area", "import_classes").set_value("background\ncell\nwall").run()  # type: ignore[attr-defined]
    widget(app, "text_input", "import_title").set_value("Cells & walls").run()  # type: ignore[attr-defined]
    assert shared_engine().passes == passes + 1 and not app.exception
    app.button(key="use_import").click().run()
    entry = get_weights(app.selectbox(key="weights").value)
    assert [info.name for info in entry.classes] == ["background", "cell", "wall"]
    assert entry.preprocessing.value_range == 255 and entry.title == "Cells & walls"


def test_own_numbers_and_wrong_ones() -> None:
    app = upload(weights_page(), saved(state(5)))
    widget(app, "selectbox", "import_scale").set_value("own").run()  # type: ignore[attr-defined]
    widget(app, "text_input", "import_mean").set_value("0.1, 0.2").run()  # type: ignore[attr-defined]
    assert "three numbers each" in said(app)
    widget(app, "text_input", "import_mean").set_value("0.1, 0.2, 0.3").run()  # type: ignore[attr-defined]
    widget(app, "text_input", "import_std").set_value("0.5").run()  # type: ignore[attr-defined]
    assert "three numbers each" not in said(app)
    app.button(key="use_import").click().run()
    entry = get_weights(app.selectbox(key="weights").value)
    assert entry.preprocessing.mean == (0.1, 0.2, 0.3) and entry.preprocessing.std == (0.5, 0.5, 0.5)


def test_the_number_of_names_must_be_the_networks() -> None:
    app = upload(weights_page(), saved(state(6)))
    widget(app, "text_area", "import_classes").set_value("background\ncell").run()  # type: ignore[attr-defined]
    assert "3 classes, and there are 2 names" in said(app)
    assert app.button(key="use_import").disabled


def test_an_unknown_layout_shows_the_difference_and_takes_another_try() -> None:
    renamed = {f"layer{i}.{key.rpartition('.')[2]}": value for i, (key, value) in enumerate(state(7).items())}
    app = upload(weights_page(), saved(renamed))
    assert "no layout known here" in said(app)
    assert len(app.dataframe[0].value) == len(renamed)
    tried = widget(app, "selectbox", "import_model")
    tried.set_value("segnet").run()  # type: ignore[attr-defined]
    widget(app, "button", "import_try").click().run()  # type: ignore[attr-defined]
    assert "come closest to SegNet, but do not fit" in said(app)
    widget(app, "selectbox", "import_model").set_value("unet").run()  # type: ignore[attr-defined]
    widget(app, "button", "import_try").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert "matched by their order and shapes" in said(app)
    app.button(key="use_import").click().run()
    assert not app.exception and app.selectbox(key="weights").value.startswith("unet/imported-")


@pytest.mark.parametrize("content", [b"", b"text", saved([1, 2]), saved(state())[:500]])
def test_a_bad_file_is_a_sentence(content: bytes) -> None:
    app = upload(weights_page(), content, "**bad**.pth")
    assert any(r"\*\*bad\*\*" in error.value for error in app.error)
    assert "unet/nuclei" in said(app), "the cards are still there"


def test_one_channel_and_one_class() -> None:
    app = upload(weights_page(), saved(state(8, in_channels=1, num_classes=1)))
    assert "luminance" in said(app)
    app.button(key="use_import").click().run()
    assert not app.exception
    assert app.slider(key="threshold")


def test_files_of_the_folder(places: Path) -> None:
    places.mkdir()
    torch.save(state(9), places / "good.pth")
    (places / "bad.pth").write_bytes(b"no weights")
    app = weights_page()
    before = sorted(path.name for path in places.iterdir())
    app.selectbox(key="own_weights_path").set_value(str(places / "bad.pth")).run()
    assert any("bad" in error.value for error in app.error) and not app.exception
    app.selectbox(key="own_weights_path").set_value(str(places / "good.pth")).run()
    assert sorted(path.name for path in places.iterdir()) == before, "looking writes nothing"
    app.button(key="use_import").click().run()
    assert not app.exception
    assert (places / "good.pth.segdemo.json").is_file()
    chosen = app.selectbox(key="weights").value
    assert chosen in [entry.weights_id for entry in list_weights()], "the folder's are everybody's"
    assert chosen in weights_page().selectbox(key="weights").options or chosen in said(weights_page())


def test_a_broken_card_in_the_folder_breaks_nothing(places: Path) -> None:
    places.mkdir()
    torch.save(state(10), places / "good.pth")
    (places / "good.pth.segdemo.json").write_text("{")
    app = weights_page()
    assert not app.exception

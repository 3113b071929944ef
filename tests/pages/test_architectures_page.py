"""The Architectures page, headlessly: every network, sizes that cannot work, two side by side, and hostile addresses."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.errors import SettingError
from segdemo.features.history import architecture_of
from segdemo.models import TITLES, list_models
from segdemo.ui.architectures_data import Request, anatomy_of, families, fields_of, nearest_sizes, residual_block_of, thumbnail_of
from segdemo.ui.diagram import draw_diagram
from segdemo.ui.diagram_layout import lay_out
from segdemo.ui.scores import score_groups, scores_markdown
from segdemo.ui.url import parse_input
from segdemo.ui.words import compact_number
from segdemo.weights import list_weights

pytestmark = pytest.mark.usefixtures("one_thread")
DEFAULT_WIDTH = 760


def _page() -> None:
    from segdemo.ui.architectures import show_architectures_page
    from segdemo.ui.url import read_url, show_url_messages, write_url

    read_url("architectures")
    show_url_messages()
    show_architectures_page()
    write_url()


def run(**query: str) -> AppTest:
    app = AppTest.from_function(_page, default_timeout=90)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def shown(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.error, app.warning, app.subheader)
    return " ".join(element.value for kind in kinds for element in kind)


@pytest.mark.parametrize("name", list_models())
def test_every_network_has_its_page(name: str) -> None:
    app = run(net=name)
    anatomy = anatomy_of(Request.of_paper(name))
    text = shown(app)
    assert TITLES[name] in text
    assert compact_number(anatomy.params) in text
    assert architecture_of(name).added in text
    stages = app.dataframe[0].value
    assert list(stages["Stage"]) == [part.stage.name for part in anatomy.parts]
    assert stages["Parameters"].sum() + anatomy.unused == anatomy.params
    assert not app.error and not app.warning


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("width", [DEFAULT_WIDTH, 476])
def test_every_diagram_is_sound(name: str, width: int) -> None:
    request = Request.of_paper(name)
    anatomy, fields = anatomy_of(request), fields_of(request)
    svg = ElementTree.fromstring(draw_diagram(anatomy, fields, TITLES[name], width=width))
    space = "{http://www.w3.org/2000/svg}"
    blocks = {g.get("data-name"): g for g in svg.iter(f"{space}g") if g.get("class") == "block"}
    assert {part.stage.name for part in anatomy.parts} <= set(blocks)
    assert all((g.find(f"{space}title").text or "").strip() for g in blocks.values())  # type: ignore[union-attr]
    edges = {(g.get("data-from"), g.get("data-to")) for g in svg.iter(f"{space}g") if g.get("class") == "edge"}
    for part in anatomy.parts:
        assert {(source, part.stage.name) for source in part.stage.skip_from} <= edges
    assert TITLES[name] in (svg.get("aria-label") or "")
    assert thumbnail_of(name).startswith("<svg")


@pytest.mark.parametrize("name", list_models())
def test_no_two_blocks_or_their_texts_meet(name: str) -> None:
    request = Request.of_paper(name)
    fields = fields_of(request)
    strides = {key: float(field.stride) if field.stride else None for key, field in fields.items()}
    layout = lay_out(anatomy_of(request), strides, DEFAULT_WIDTH, 408)
    blocks = sorted(layout.blocks.values(), key=lambda b: b.x)
    for i, a in enumerate(blocks):
        assert a.x - a.half >= 0 and a.x + a.half <= layout.width and a.bottom < layout.height
        for b in blocks[i + 1 :]:
            assert a.row != b.row or a.x + a.half < b.x - b.half, f"{a.name} and {b.name}"


def test_a_unet_is_drawn_as_one() -> None:
    request = Request.of_paper("unet")
    strides = {key: float(field.stride or 0) for key, field in fields_of(request).items()}
    blocks = lay_out(anatomy_of(request), strides, DEFAULT_WIDTH, 408).blocks
    rows = [blocks[f"{kind}{i}"].row for kind in ("encoder", "decoder") for i in (1, 2, 3, 4)]
    assert rows == [0, 1, 2, 3, 0, 1, 2, 3], "its own border loss must not shift the rows: 388 of 572 is the first"
    assert blocks["bottleneck"].row == 4
    heights = [blocks[name].height for name in ("encoder1", "encoder2", "encoder3", "encoder4", "bottleneck")]
    assert heights == sorted(heights, reverse=True)
    assert blocks["bottleneck"].width == max(b.width for b in blocks.values())


def test_sizes_that_cannot_work_are_explained_and_one_click_away() -> None:
    app = run(net="unet", input="512")
    assert "12 more than a multiple of 16" in app.error[0].value
    assert [b.label for b in app.button if b.key and b.key.startswith("size_")] == [
        "508 × 508 → 324 × 324",
        "524 × 524 → 340 × 340",
    ]
    app.button(key="size_unet_524_524").click().run()
    assert not app.exception and not app.error
    assert app.query_params["input"] in ("524", ["524"])
    assert "340" in shown(app)


@pytest.mark.parametrize("name", [names[0] for _entry, names in families()])
@pytest.mark.parametrize("size", ["1", "7x4096"])
def test_tiny_pictures_are_never_an_exception(name: str, size: str) -> None:
    app = run(net=name, input=size)
    for error in app.error:
        assert TITLES[name] in error.value


def test_a_network_that_wants_larger_pictures_says_from_where_on() -> None:
    request = Request("mnist_cnn", (5, 5), 1, 10)
    assert nearest_sizes(request) == ((28, 28),)


def test_numbers_have_three_digits_that_count() -> None:
    given = [0, 999, 999.6, 1000, 31_030_658, 134_489_759, 999_600, 4.089e9, 1.5e12]
    assert [compact_number(n) for n in given] == [
        "0", "999", "1.00 k", "1.00 k", "31.0 M", "134 M", "1.00 M", "4.09 G", "1.50 T",
    ]  # fmt: skip


def test_two_side_by_side() -> None:
    app = run(net="unet_plus_plus", beside="unet3_plus")
    text = shown(app)
    assert "Side by side" in text
    assert "9,041,601" in text and "26,971,777" in text
    assert {"U-Net++ · 2018", "U-Net 3+ · 2020"} <= {s.value for s in app.subheader}
    app.selectbox(key="beside").set_value("").run()
    assert not app.exception
    assert "Side by side" not in shown(app)


def test_options_change_the_network_and_stand_in_the_address() -> None:
    app = run()
    assert "31.0 M" in shown(app)
    app.selectbox(key="option_unet_padding").set_value("same").run()
    assert not app.exception
    assert app.query_params["options"] in ("padding:same", ["padding:same"])
    again = run(net="unet", options="padding:same,upsampling:bilinear", input="360x480")
    assert "17.3 M" in shown(again)
    assert "480" in shown(again)
    again.selectbox(key="option_unet_upsampling").set_value("transposed").run()
    assert again.query_params["options"] in ("padding:same", ["padding:same"])


def test_variants_of_a_family() -> None:
    app = run(net="resnet50")
    app.selectbox(key="variant_resnet50").set_value("resnet152").run()
    assert not app.exception
    assert app.query_params["net"] in ("resnet152", ["resnet152"])
    assert "60.2 M" in shown(app)


def test_channels_and_classes_are_counted() -> None:
    app = run(net="mnist_cnn")
    app.number_input(key="classes_mnist_cnn").set_value(26).run()
    assert not app.exception
    assert "→ 26" in shown(app)


@pytest.mark.parametrize("size", ["hello", "12x", "99999", "-3", "1e3", "0", "12x0", "4097", "3x4x5", "²"])
def test_a_size_that_is_none_is_a_sentence(size: str) -> None:
    with pytest.raises(SettingError, match="360x480"):
        parse_input(size)
    assert [parse_input(text) for text in ("", "7", "360x480", "4096")] == ["", "7", "360x480", "4096"]


@pytest.mark.parametrize(
    "query",
    [
        {"net": "none"},
        {"net": "../../etc/passwd"},
        {"net": "<script>alert(1)</script>"},
        {"beside": "[x](https://example.org)"},
        {"input": "0"},
        {"input": "5000"},
        {"input": "9" * 4000},
        {"input": "12x13x14"},
        {"input": "NaN"},
        {"options": "padding:full"},
        {"options": "depth:9999999999"},
        {"options": "__class__:x"},
        {"options": "a:b," * 500},
        {"options": "padding"},
        {"net": "resnet50", "options": "padding:same"},
    ],
)
def test_nonsense_in_the_address_is_said_and_replaced(query: dict[str, str]) -> None:
    app = run(**query)
    assert len(app.warning) == 1
    assert "<script" not in app.warning[0].value.replace("\\<", "")
    assert not app.error
    assert app.dataframe


def test_the_source_is_shown_on_request() -> None:
    app = run(net="segnet")
    assert not app.code
    app.session_state["source_segnet"] = True
    app.run()
    assert not app.exception


def test_published_numbers_carry_a_tick() -> None:
    table = next(m.value for m in run(net="unet").markdown if "Published" in m.value and "388" in m.value)
    assert table.count(":material/check:") == 5
    assert "31,030,658 | 31,030,658" in table
    honest = run(net="resnet50")
    assert any("≠" in m.value for m in honest.markdown)
    assert any("1×1" in c.value for c in honest.caption)


def test_the_gallery_is_in_order_and_holds_every_network() -> None:
    years = [entry.year for entry, _names in families()]
    assert years == sorted(years)
    assert sorted(name for _entry, names in families() for name in names) == sorted(list_models())


def test_the_tables_of_scores_have_every_set_of_weights_best_first() -> None:
    groups = score_groups()
    assert sum(len(rows) for _title, rows in groups) == len(list_weights())
    assert [title for title, _rows in groups[:2]] == ["Nuclei in microscopy", "Shapes"]
    for _title, rows in groups:
        scores = [list(row.values())[2] for row in rows]
        assert scores == sorted(scores, reverse=True)
    assert scores_markdown().count("\n| ") == len(list_weights()) + 2 * len(groups)
    assert sum(len(frame.value) for frame in run().dataframe[-len(groups) :]) == len(list_weights())


def test_visitors_who_open_one_network_at_once_do_not_meet() -> None:
    sizes = [(side, side) for side in range(64, 256, 16)]
    requests = [replace(Request.of_paper("unet_plus_plus"), size=size, options=(("width", 8),)) for size in sizes]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(anatomy_of, requests))
    assert [anatomy.logits_shape[-2:] for anatomy in found] == sizes
    assert len({anatomy.params for anatomy in found}) == 1


@pytest.mark.parametrize(
    ("name", "block"), [("resnet18", "BasicBlock"), ("resnet34", "BasicBlock"), ("resnet50", "Bottleneck"), ("unet", None)]
)
def test_residual_blocks_are_shown_as_source(name: str, block: str | None) -> None:
    found = residual_block_of(Request.of_paper(name))
    assert (found and found[0]) == block
    assert found is None or f"class {block}(nn.Module)" in found[1]

"""What all views of the Layers page do alike: settings outlive their controls, typed cells give way, links can be read."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ButtonGroup, Selectbox

from segdemo.layerlab.convolution import MOST_TAPS
from segdemo.ui.layers_typed import write_numbers
from segdemo.ui.url import LONGEST_VALUE

from .layers_run import Page, sound, started, warnings

pytestmark = pytest.mark.usefixtures("one_thread")
STARTS = {  # settings off their defaults, of controls that the choices hide
    "convolution": "n:7,kh:2,kw:4,c:2,f:2,bias:1", "mixing": "ci:3,n:2", "pooling": "n:8,k:3", "upsampling": "n:4,k:4,r:3",
    "coverage": "k:4,s:3", "field": "stack:three_small,c:32,against:plain", "normalise": "pictures:2,n:3", "shapes": "lines:unet",
}  # fmt: skip
NOT_SETTINGS = re.compile(r"layers_(view|\w+_(guess.*|known|kind|other|words))$")


def choices(app: AppTest) -> Iterator[ButtonGroup | Selectbox]:
    """The controls of one of a few words, as they stand now."""
    for control in [*app.segmented_control, *app.selectbox]:
        if str(control.key).startswith("layers_") and (
            control.key == "layers_normalise_kind" or not NOT_SETTINGS.match(control.key)
        ):
            yield control


def named(app: AppTest, key: str) -> ButtonGroup | Selectbox:
    """Of a control in something folded the key has a number, which grows where the page has changed its value."""
    return next(control for control in choices(app) if re.fullmatch(rf"{key}(_[0-9]+)?", str(control.key)))


def pairs(app: AppTest) -> set[str]:
    return {pair for pair in app.session_state["set"].split(",") if pair}


@pytest.mark.parametrize("layer", STARTS)
def test_every_choice_can_be_switched_there_and_back_without_a_word(layer: str) -> None:
    settings = STARTS[layer].replace("bias:1", "b:1")
    app = started(layer, settings)
    assert not warnings(app)
    kept = pairs(app)
    for key in [str(control.key) for control in choices(app)]:
        before = named(app, key).value
        for option in [option for option in _values(app, key) if option != before][:4]:
            sound(named(app, key).set_value(option).run())
            assert not warnings(app), f"{key}: {before} → {option}"
            sound(named(app, key).set_value(before).run())
            assert not warnings(app), f"{key}: {option} → {before}"
            assert pairs(app) == kept, f"{key}: {before} → {option} → {before}"


def _values(app: AppTest, key: str) -> list[str]:
    """The keys behind what a control shows, as its format function has them."""
    control = named(app, key)
    return [str(option) for option in KEYS.get(key, ())] or [control.value]


KEYS = {
    "layers_convolution_on": ("picture", "network"), "layers_convolution_axes": ("1", "3"),
    "layers_convolution_mode": ("reflect", "circular"), "layers_convolution_of": ("edge",), "layers_convolution_g": ("2",),
    "layers_mixing_part": ("counts", "residual"), "layers_mixing_on": ("picture",), "layers_mixing_seen": ("matrix",),
    "layers_pooling_kind": ("average", "global", "strided"), "layers_pooling_of": ("picture",),
    "layers_upsampling_how": ("nearest", "unpool", "transposed"), "layers_upsampling_of": ("ramp",),
    "layers_coverage_part": ("gridding",), "layers_field_from": ("network",), "layers_field_against": ("none",),
    "layers_field_w": ("random",), "layers_normalise_part": ("activations", "softmax", "dropout"),
    "layers_normalise_mode": ("eval",), "layers_normalise_kind": ("group", "layer"), "layers_normalise_of": ("bright",),
    "layers_shapes_edit": ("text",),
}  # fmt: skip


def test_the_question_is_in_the_link_and_hides_nothing_of_the_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch, "convolution")
    page.start("predict:1,kh:2")
    assert page.scene["covered"]
    app = started("field", "predict:1,against:plain")
    assert not warnings(app) and pairs(app) == {"predict:1", "against:plain"}


@pytest.mark.parametrize(
    ("layer", "typed", "control", "option", "grid"),
    [
        ("convolution", "w:9_9_9_9_9_9_9_9_9,x:of36_0_7", "of", "dot", "input0_0"),
        ("convolution", "on:picture,wk:9_9_9_9_9_9_9_9_9", "kernel", "box", "kernel0_0_0"),
        ("upsampling", "how:transposed,w:9_9_9_9_9_9_9_9_9", "kernel", "ones", "kernel"),
        ("pooling", "n:3,x:9_9_9_9_9_9_9_9_9", "of", "dot", "input0"),
    ],
)
def test_a_new_choice_takes_back_what_was_typed_over_the_last(
    monkeypatch: pytest.MonkeyPatch, layer: str, typed: str, control: str, option: str, grid: str
) -> None:
    page = Page(monkeypatch, layer)
    app = page.start(typed)
    sound(app.selectbox(key=page.control(control)).set_value(option).run())
    values = page.grid(grid)
    assert not warnings(app) and np.nanmax(values) <= 1 + 1e-6
    assert not any(pair.startswith(("x:", "wk:")) for pair in page.address())


def test_only_changed_cells_of_many_stand_in_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch, "convolution")
    page.start("n:9,ph:0,pw:0,kh:7,kw:7,c:4,f:4,w:of784_0_-7.5_783_2.25")
    assert page.grid("kernel0_0_0")[0, 0] == -7.5 and page.grid("kernel3_3_0")[-1, -1] == 2.25
    assert len("w:of784_0_-7.5_783_2.25") < LONGEST_VALUE < len(write_numbers([-12.3456] * 784))


@pytest.mark.parametrize(
    "settings", ["n:9,ph:4,pw:4,kh:7,kw:7,c:4,f:4", "n:9,ph:4,pw:4,kh:5,kw:5,c:4,f:4", "axes:3,na:4,pa:4,ka:7,ca:2,fa:2"]
)
def test_the_largest_settings_stay_small_enough_for_the_browser(monkeypatch: pytest.MonkeyPatch, settings: str) -> None:
    page = Page(monkeypatch, "convolution")
    app = page.start(settings)
    assert 2000 < len(page.scene["at"]) <= MOST_TAPS
    said = " ".join(warnings(app))
    assert (f"{MOST_TAPS:,} products" in said) or ("With three axes" in said)


def test_the_link_is_made_after_the_settings_were_mended() -> None:
    app = started("pooling", "k:4,n:3")
    link = next(code.value for code in app.code if "set=" in code.value)
    assert warnings(app) and "k:3" in link and "k:4" not in link


def test_reset_brings_every_setting_back() -> None:
    app = started("pooling", "k:3,n:8")
    sound(app.button(key="layers_reset").click().run())
    assert not pairs(app) and app.slider(key="layers_pooling_n").value == 6
    assert app.button(key="layers_reset").disabled


def test_a_default_that_cannot_be_now_is_replaced_without_a_word() -> None:
    app = started("normalise", "kind:group,c:5")
    assert not warnings(app)
    assert app.segmented_control(key="layers_normalise_g").value == "1"


@pytest.mark.parametrize("logits", ["1_1_1", "0_0_0"])
def test_equal_logits_stay_equal_at_every_temperature(logits: str) -> None:
    app = started("normalise", f"part:softmax,z:{logits},predict:1")
    pills = next(group for group in app.button_group if "guess" in str(group.key))
    sound(pills.set_value("same").run())
    assert "Right." in " ".join(element.value for element in app.success)


@pytest.mark.parametrize(
    ("layer", "settings", "says"),
    [
        ("mixing", "part:residual,slope:9", "Weight w of each layer is now 1.5 instead of 9. It goes from −1.5 to 1.5."),
        ("normalise", "part:activations,at:999", "Input x is now 6 instead of 999. It goes from −6 to 6."),
        ("normalise", "part:softmax,t:0", "instead of 0. It goes from 0."),
        ("field", "from:nowhere", "Layers of cannot be nowhere here. It is one of: Own stack,"),
    ],
)
def test_an_impossible_value_is_said_with_the_words_on_the_screen(layer: str, settings: str, says: str) -> None:
    app = started(layer, settings)
    assert says in warnings(app)[0]
    assert settings.rpartition(":")[2] not in [pair.rpartition(":")[2] for pair in pairs(app)]


def test_a_large_number_is_too_large_and_no_word() -> None:
    assert "Draws for the mean is now 500 instead of 99999999" in warnings(started("normalise", "part:dropout,draws:99999999"))[0]

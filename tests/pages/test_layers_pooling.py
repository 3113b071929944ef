"""The Pooling view: torch's numbers at every setting, limits with their reasons, the move by a pixel, the question."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from .layers_run import Page

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch, "pooling")


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None]


def test_it_opens_on_a_maximum_with_its_winners(page: Page) -> None:
    page.start()
    expected, places = F.max_pool2d(tensor(page.grid("input0")), 2, 2, return_indices=True)
    assert np.array_equal(page.grid("output0"), expected[0, 0].numpy())
    assert page.flags("input0", "marked") == set(places.ravel().tolist())
    assert len(page.scene["links"]) == 9
    assert page.scene["formula"].endswith("= 3")


@pytest.mark.parametrize(
    ("settings", "torch_says"),
    [
        ("k:3,s:1,d:2,n:9", lambda x: F.max_pool2d(x, 3, 1, dilation=2)),
        ("kind:average,k:3,s:2", lambda x: F.avg_pool2d(x, 3, 2)),
        ("kind:average,k:2,s:2,ceil:1,n:7", lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True)),
        ("kind:global,n:8", lambda x: F.adaptive_avg_pool2d(x, 1)),
    ],
)
def test_settings_in_the_address_are_what_is_drawn(page: Page, settings: str, torch_says) -> None:
    page.start(settings)
    values = page.grid("input0")
    image = values[~np.isnan(values).all(axis=1)][:, ~np.isnan(values).all(axis=0)]
    np.testing.assert_allclose(page.grid("output0"), torch_says(tensor(image))[0, 0].numpy(), rtol=1e-5)
    assert page.address() == set(settings.split(","))


def test_a_strided_convolution_has_a_kernel(page: Page) -> None:
    page.start("kind:strided,k:3,p:1")
    result = F.conv2d(tensor(page.grid("input0")), tensor(page.grid("kernel")), stride=2)
    assert np.array_equal(page.grid("output0"), result[0, 0].numpy())
    assert "has no ceil mode" in page.texts()
    assert page.sound().toggle(key=page.control("ceil")).disabled


def test_padding_of_a_maximum_never_wins_and_of_an_average_may_count(page: Page) -> None:
    page.start("k:3,p:1")
    assert np.isneginf(page.grid("input0")[0]).all()
    app = page.start("kind:average,k:3,p:1")
    image = tensor(page.grid("input0")[1:-1, 1:-1])
    np.testing.assert_allclose(page.grid("output0"), F.avg_pool2d(image, 3, 2, 1)[0, 0].numpy(), rtol=1e-5)
    app.toggle(key=page.control("pad")).set_value(False).run()
    expected = F.avg_pool2d(image, 3, 2, 1, count_include_pad=False)[0, 0].numpy()
    np.testing.assert_allclose(page.grid("output0"), expected, rtol=1e-5)
    assert page.address() == {"kind:average", "k:3", "p:1", "pad:0"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("k:9", "Window is now 5 instead of 9"),
        ("n:3,k:5", "The window has to fit into 3 cells."),
        ("k:2,p:2", "Padding is at most half of the window"),
        ("kind:average,d:2", "Average pooling has no dilation."),
        ("n:4,k:3,d:3", "With a dilation of 2 the window would span 5 cells, but there are only 4."),
        ("kind:least", "How cannot be least here. It is one of: Maximum, Average, Global, Strided."),
        ("q:1", "This view has no setting q."),
    ],
)
def test_what_cannot_work_cannot_be_chosen_and_is_explained(page: Page, settings: str, says: str) -> None:
    page.start(settings)
    assert says in page.texts()
    assert page.drawn


@pytest.mark.parametrize(
    "settings", ["", "n:7", "kind:global", "k:1,s:1", "n:3,k:3,s:1", "kind:strided,k:3,p:2,n:3", "n:3,k:3,s:4"]
)
def test_the_question_has_four_different_answers(page: Page, settings: str) -> None:
    app = page.start(f"{settings},predict:1".lstrip(","))
    pills = next(group for group in app.button_group if "guess" in str(group.key))
    assert len(set(pills.options)) == len(pills.options) == 4
    right = len(page.grid("output0"))
    assert f"{right} × {right}" in pills.options


def test_each_kind_has_its_own_words_and_reasons(page: Page) -> None:
    for kind, words in {
        "max": "keeps its largest cell",
        "average": "keeps the mean of its cells",
        "global": "a single number",
    }.items():
        page.start(f"kind:{kind}")
        assert words in page.texts() and "nothing is learned" in page.texts()
    page.start("kind:strided,p:9")
    assert "weights that are learned" in page.texts() and "nothing is learned" not in page.texts()
    assert "Padding is now 2 instead of 9. More than 2 cells of padding are not drawn here." in page.texts()
    assert "half of the window" not in page.texts()
    page.start("k:3")
    assert "half of the window" not in page.texts(), "nothing is said of a limit that is not reached"


def test_a_switch_that_is_neither_on_nor_off_is_mended(page: Page) -> None:
    page.start("ceil:2")
    assert "Ceil mode is now 1 instead of 2. A switch is 0 or 1." in page.texts()
    assert page.address() == {"ceil:1"}


def test_moving_the_picture_shows_what_changes(page: Page) -> None:
    app = page.start()
    app.slider(key=page.control("by")).set_value(1).run()
    before, after = page.grid("output0"), page.grid("output1")
    changed = before != after
    assert page.flags("output1", "marked") == set(np.flatnonzero(changed).tolist())
    assert np.array_equal(page.grid("input0")[:, :-1], page.grid("input1")[:, 1:])
    assert f"| Maximum | {changed.sum()} of 9, by {np.abs(before - after).mean():.2g} on average |" in page.texts()
    assert "shifts the output by exactly one cell" in page.texts()
    app.slider(key=page.control("by")).set_value(2).run()
    assert np.array_equal(page.grid("output0")[:, :-1], page.grid("output1")[:, 1:])


def test_the_question_covers_the_output_until_it_is_answered(page: Page) -> None:
    app = page.start("n:7")
    app.toggle(key=page.control("predict")).set_value(True).run()
    assert page.scene["covered"]
    app.pills(key=f"{page.control('guess')}_n:7,predict:1").set_value("4").run()
    assert not page.scene["covered"]
    assert "You chose 4 × 4; the answer is 3 × 3." in page.texts()


def test_numbers_typed_over_and_a_picture(page: Page) -> None:
    page.start("n:3,x:1_2_3_4_5_6_7_8_9")
    assert np.array_equal(page.grid("input0"), np.arange(1.0, 10).reshape(3, 3))
    page.start("of:picture,n:12")
    values = page.grid("input0")
    assert values.shape == (12, 12)
    assert 0 <= values.min() < values.max() <= 1
    assert page.scene["grids"][0]["kind"] == "picture"
    assert page.scene["editable"] == []


def test_it_explains_itself_with_its_own_source(page: Page) -> None:
    app = page.start()
    app.session_state[page.control("explained")] = True
    app.run()
    page.sound()
    assert any("def max_pool(" in block.value for block in app.code)
    assert app.latex

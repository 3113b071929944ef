"""The Up-sampling view: every method against torch, sizes and limits with reasons, both ways of a transposed convolution."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segdemo.ui.layers_typed import parse_cells
from segdemo.ui.layers_upsampling_transposed import largest_padding

from .layers_run import Page

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch, "upsampling")


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))[None, None]


def enlarged(page: Page, aligned: bool, factor: int = 2) -> np.ndarray:
    result = F.interpolate(tensor(page.grid("map")), scale_factor=factor, mode="bilinear", align_corners=aligned)
    return result[0, 0].numpy()


def test_it_opens_on_all_methods_of_one_map(page: Page) -> None:
    page.start()
    small = tensor(page.grid("map"))
    assert np.array_equal(page.grid("nearest"), F.interpolate(small, scale_factor=2)[0, 0].numpy())
    np.testing.assert_allclose(page.grid("edges"), enlarged(page, False), rtol=1e-5)
    np.testing.assert_allclose(page.grid("corners"), enlarged(page, True), rtol=1e-5)
    assert np.array_equal(F.max_pool2d(tensor(page.grid("unpooled")), 2)[0, 0].numpy(), page.grid("map"))
    assert page.grid("transposed").shape == page.grid("shuffled").shape == (6, 6)
    assert page.scene["walk"] == "scatter"


def test_bilinear_both_ways_with_the_weights_of_a_cell(page: Page) -> None:
    page.start("how:bilinear,r:3")
    np.testing.assert_allclose(page.grid("bilinear1"), enlarged(page, False, 3), rtol=1e-5)
    np.testing.assert_allclose(page.grid("bilinear2"), enlarged(page, True, 3), rtol=1e-5)
    lines = {cell: (count, line) for cell, count, line in page.scene["cells"]}
    assert lines[9 + 2 * 9 + 3][0] == 4  # the map has 9 cells; row 2, column 3 of what is 9 cells wide
    assert lines[9 + 2 * 9 + 3][1].startswith("looks at row 0.333, column 0.667 of the map: ")


def test_unpooling_draws_its_switches(page: Page) -> None:
    page.start("how:unpool")
    pooled, places = F.max_pool2d(tensor(page.grid("picture")), 2, return_indices=True)
    assert np.array_equal(page.grid("unpooled"), F.max_unpool2d(pooled, places, 2)[0, 0].numpy())
    assert page.flags("picture", "marked") == page.flags("unpooled", "marked") == set(places.ravel().tolist())
    assert len(page.scene["links"]) == 2 * 9


def test_shuffle_of_alike_channels_is_nearest(page: Page) -> None:
    app = page.start("how:shuffle")
    channels = np.stack([page.grid(f"channel{n}") for n in range(4)])
    assert np.array_equal(page.grid("shuffled"), F.pixel_shuffle(torch.from_numpy(channels)[None], 2)[0, 0].numpy())
    app.toggle(key=page.control("alike")).set_value(True).run()
    assert np.array_equal(page.grid("shuffled"), np.kron(page.grid("channel0"), np.ones((2, 2))))


@pytest.mark.parametrize("settings", ["", ",k:4,p:1", ",s:3,op:2,d:2,kernel:ones", ",k:1", ",s:1,k:5,p:3,kernel:bilinear"])
def test_a_transposed_convolution_seen_both_ways(page: Page, settings: str) -> None:
    page.start(f"how:transposed{settings}")
    given = dict(part.split(":") for part in settings.split(",") if part)
    moves = [int(given.get(name, default)) for name, default in (("s", 2), ("p", 0), ("op", 0))]
    dilation = int(given.get("d", 1))
    expected = F.conv_transpose2d(tensor(page.grid("map")), tensor(page.grid("kernel")), None, *moves, 1, dilation)[0, 0].numpy()
    drawn = page.grid("transposed").ravel()
    kept = [place for place in range(drawn.size) if place not in page.flags("transposed", "border")]
    np.testing.assert_allclose(drawn[kept], expected.ravel(), rtol=1e-5, atol=1e-9)
    assert page.scene["formula"].endswith(f"= {len(expected)}")
    page.start(f"how:transposed,way:stretch{settings}")
    np.testing.assert_allclose(page.grid("transposed"), expected, rtol=1e-5, atol=1e-9)
    assert f"Both ways give the same {len(expected)} × {len(expected)} numbers" in page.texts()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("how:transposed,p:9", "Padding cuts off at most 2 cells per side"),
        ("how:transposed,s:2,op:2", "Output padding has to be smaller than the stride or the dilation."),
        ("how:transposed,n:5,k:5,s:4", "Stride is now 3 instead of 4. Beyond 17 cells"),
        ("how:transposed,k:5,s:4,d:3", "Dilation is now 2 instead of 3. Beyond 17 cells"),
        ("how:transposed,k:1,d:3", "A kernel of one cell has no gaps to widen."),
        ("how:unpool,uk:3,up:2", "Padding is now 1 instead of 2. Padding is at most half the window: 1."),
        ("how:unpool,n:5,us:4,uk:4", "Stride is now 3 instead of 4. Beyond 16 cells"),
        ("n:5,r:4", "Beyond 12 cells per side, their numbers could not be read."),
        ("how:cubic", "Method cannot be cubic here."),
    ],
)
def test_what_cannot_work_cannot_be_chosen_and_is_explained(page: Page, settings: str, says: str) -> None:
    page.start(settings)
    assert says in page.texts()
    assert page.drawn


def test_the_largest_padding_leaves_a_cell() -> None:
    for size in range(1, 6):
        for kernel in range(1, 6):
            for stride in range(1, 5):
                most = largest_padding(size, kernel, stride, 2)
                assert (size - 1) * stride - 2 * most + 2 * (kernel - 1) + 1 >= 1
                assert most <= 2 * (kernel - 1)


def test_typed_numbers_of_map_and_kernel_come_back(page: Page) -> None:
    page.start("how:transposed,n:2,k:2,x:1_0_0_2,w:1_-1_0.5_2")
    assert np.array_equal(page.grid("map"), [[1, 0], [0, 2]])
    assert np.array_equal(page.grid("kernel"), [[1, -1], [0.5, 2]])


def test_changing_the_method_keeps_the_map_and_says_nothing(page: Page) -> None:
    app = page.start("how:transposed,k:4,n:2")
    app.segmented_control(key=page.control("how")).set_value("nearest").run()
    page.sound()
    assert page.address() == {"how:nearest", "k:4", "n:2"}
    assert not app.warning


@pytest.mark.parametrize(
    ("settings", "kernel", "stride", "padding", "says"),
    [("", 2, 2, 0, "a winner of its own: 9"), (",uk:3", 3, 2, 0, "Windows overlap"),
     (",uk:3,up:1,us:1", 3, 1, 1, "Windows overlap"),
     (",uk:2,us:3,up:1,n:4", 2, 3, 1, "There are gaps between windows")],
)  # fmt: skip
def test_unpooling_with_any_window_and_stride(
    page: Page, settings: str, kernel: int, stride: int, padding: int, says: str
) -> None:
    page.start(f"how:unpool{settings}")
    drawn, edge = page.grid("picture"), slice(padding, -padding or None)
    pooled, switches = F.max_pool2d(tensor(drawn[edge, edge]), kernel, stride, padding, return_indices=True)
    assert np.array_equal(page.grid("map"), pooled[0, 0].numpy())
    back = F.max_unpool2d(pooled, switches, kernel, stride, padding)[0, 0].numpy()
    assert np.array_equal(page.grid("unpooled"), back)
    assert page.flags("unpooled", "marked") == set(switches.ravel().tolist())
    assert page.scene["formula"].endswith(f"= {len(back)}")
    assert says in page.texts()


def test_a_number_typed_into_a_padded_map_is_that_of_its_own_cell(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, edits = [], []
    monkeypatch.setattr("segdemo.ui.layers_upsampling.theatre", lambda _scene, **given: edits.append(given))
    page.start("how:unpool,n:2,uk:3,us:2,up:1,x:9_0_0_0_0_0_0_0_1")
    assert edits[-1]["editable"] == (0,)
    monkeypatch.setattr("segdemo.ui.layers_typed.keep", lambda name, text: kept.append((name, text)))
    edits[-1]["on_edit"](0, 3, 1, 5)  # with a row and a column of padding before it
    typed = parse_cells(kept[0][1])
    assert (kept[0][0], typed.count, typed.changed[6]) == ("x", 9, 5)


def test_alike_channels_are_explained_in_words(page: Page) -> None:
    app = page.start("how:shuffle,r:3")
    assert "9 channels differ by chance" in page.texts()
    app.toggle(key=page.control("alike")).set_value(True).run()
    assert "Pixel shuffle starts as **nearest**: its 9 channels" in page.texts()


@pytest.mark.parametrize("how", ["all", "bilinear"])
def test_both_bilinear_titles_name_the_option_and_the_default_is_said(page: Page, how: str) -> None:
    page.start(f"how:{how}")
    titles = [grid["title"] for grid in page.scene["grids"]]
    assert [sum(title.endswith(f"align_corners={flag}") for title in titles) for flag in (False, True)] == [1, 1]
    assert "`align_corners=False` is PyTorch's default" in page.texts()


def test_the_question_of_unpooling(page: Page) -> None:
    app = page.start("how:unpool")
    app.toggle(key=page.control("predict")).set_value(True).run()
    assert page.scene["covered"]
    app.pills(key=f"{page.control('guess')}_how:unpool,predict:1").set_value("9").run()
    assert "Right." in page.texts()
    assert not page.scene["covered"]


@pytest.mark.parametrize(
    "settings",
    ["", "how:nearest,r:3", "how:shuffle", "how:transposed,p:1", "how:transposed,k:2,s:1,n:2,p:1", "how:transposed,k:1,s:1,n:2",
     "how:unpool,uk:1,us:1,n:2", "how:unpool,uk:3,us:1"],
)  # fmt: skip
def test_a_question_has_three_choices_and_nothing_on_the_page_answers_it(page: Page, settings: str) -> None:
    app = page.start(f"{settings},predict:1".lstrip(","))
    assert page.scene["covered"]
    options = app.pills[0].options
    assert len(set(options)) >= 3
    page.start(settings)
    size = page.scene["formula"].split("\n")[0].rsplit("= ", 1)[1]
    assert "unpool" in settings or f"{size} × {size}" in options


def test_the_right_size_is_not_always_the_middle_one(page: Page) -> None:
    places = set()
    for settings in ("how:nearest", "how:transposed", "how:transposed,p:2", "how:transposed,op:1"):
        page.start(settings)
        size = page.scene["formula"].rsplit("= ", 1)[1]
        app = page.start(f"{settings},predict:1")
        places.add(app.pills[0].options.index(f"{size} × {size}"))
    assert len(places) > 1


def test_a_cell_says_what_it_adds_and_all_why_transposed_is_larger_by_itself(page: Page) -> None:
    page.start("how:transposed")
    assert dict(page.scene["told"])[1] == "3 × kernel = 3 6 9 / 12 15 18 / 21 24 27, added to what is already there"
    assert "turned by 180°: left–right and top–bottom" in page.texts()
    side = len(page.grid("transposed"))
    page.start()
    assert dict(page.scene["told"])[4].startswith("1 goes into: nearest 4 cells, bilinear 16 and 16, unpooled 1, ")
    assert f"no padding, which makes {side} × {side} cells of it" in page.texts()
    assert "two have learned weights" not in page.texts()


def test_it_explains_itself_with_its_own_source(page: Page) -> None:
    app = page.start()
    app.session_state[page.control("explained")] = True
    app.run()
    page.sound()
    source = " ".join(block.value for block in app.code)
    assert all(f"def {name}(" in source for name in ("nearest", "bilinear", "pixel_shuffle", "max_unpool", "scatter", "stretch"))

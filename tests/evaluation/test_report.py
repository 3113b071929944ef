"""The report: complete, bounded, and deaf to whatever a file is called."""

import base64
import contextvars
import gettext
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from segdemo.evaluation.colours import CANDIDATE_COLOURS
from segdemo.evaluation.examples import make_example, worst_pictures
from segdemo.evaluation.report.charts import difference_chart
from segdemo.evaluation.report.context import comparisons_of
from segdemo.evaluation.report.page import report_html
from segdemo.evaluation.report.pictures import bounded_panels, error_picture
from segdemo.evaluation.scores.differences import Comparison
from segdemo.evaluation.scores.results import Evaluation
from segdemo.metrics import Difference
from segdemo.text import set_language
from segdemo.types import ClassInfo

from .hand_made import CLASSES, THREE, evaluation_of, notice, result_of, square, two_candidates

HOSTILE = "<script>alert(1)</script>\"' onload=x {{ 7*7 }}.png"
WHEN = datetime(2026, 1, 2, 3, 4)


class Outline(HTMLParser):
    """Tags, attributes and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def picture(size: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size, size, 3)).astype(np.uint8)


def hostile() -> Evaluation:
    """Everything that comes from outside bears the hostile name."""
    classes = (CLASSES[0], ClassInfo(HOSTILE, (1, 2, 3)))
    pairs = {HOSTILE: (square(4, 6), square(4, 4)), "b": (square(4, 4), square(4, 4))}
    known = {"failed": {HOSTILE: notice(HOSTILE)}, "unknown": (HOSTILE,), "extra": (HOSTILE,), "shrunk": (HOSTILE,)}
    results = [result_of("unet/nuclei", pairs, classes, **known), result_of("segnet/nuclei", pairs, classes)]
    return evaluation_of(results, classes, left_out={HOSTILE: notice(HOSTILE)}, refused={HOSTILE: notice(HOSTILE)},
                         notices=(notice(HOSTILE),))  # fmt: skip


def test_it_says_what_was_found() -> None:
    evaluation = two_candidates()
    page = Outline(report_html(evaluation, title="My comparison", created=WHEN))
    assert "My comparison" in page.text and "2026-01-02 03:04" in page.text
    assert "U-Net scores highest, with an IoU of 1.000 on 6 pictures." in page.text
    assert "U-Net is better than SegNet @0.3 by 47.6 (" in page.text
    for result in evaluation.results:
        assert result.entry.sha256 in page.text and result.candidate.key in page.text
    assert re.search(r"torch \d", page.text) and "Nothing: every picture could be used" in page.text
    assert "IoU with background" in page.text and "within 2 pixels" in page.text


def test_long_names_are_whole_in_the_chart_of_differences() -> None:
    found = Comparison(0, 1, "a" * 40, "b " * 50 + "end", "iou", False, Difference(0.1, 0.05, 0.2, 1.0, 100, 6))
    assert difference_chart([], CANDIDATE_COLOURS) == ""
    lines = re.findall(r'<text class="name" x="12" y="([0-9.]+)">([^<]*)<', difference_chart([found], CANDIDATE_COLOURS))
    assert "".join(text for _y, text in lines).replace(" ", "") == "a" * 40 + "−" + "b" * 50 + "end"
    assert max(len(text) for _y, text in lines) <= 52 and len({y for y, _text in lines}) == len(lines) > 2
    short = difference_chart(comparisons_of(two_candidates()), CANDIDATE_COLOURS)
    assert re.findall(r'class="name"[^>]*>([^<]*)<', short) == ["U-Net − SegNet @0.3"]


def test_unequal_pictures_have_no_best() -> None:
    pairs = {name: (square(4, 4), square(4, 5)) for name in "abcd"}
    few = {name: (square(4, 4), square(4, 4)) for name in "a"}
    worse = {name: (square(4, 9), square(4, 4)) for name in pairs}
    same = evaluation_of([result_of("unet/nuclei", pairs), result_of("segnet/nuclei", worse)])
    unequal = evaluation_of([result_of("unet/nuclei", pairs), result_of("segnet/nuclei", few)])
    assert 'class="n best"' in report_html(same) and 'class="n best"' not in report_html(unequal)


def test_it_loads_nothing_and_allows_no_script_but_its_own() -> None:
    example = make_example("a", picture(), square(4, 4), {0: square(4, 4)}, CLASSES)
    page = Outline(report_html(two_candidates(), [example], created=WHEN))
    addresses = [value for _tag, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "srcset")]
    assert addresses and all(address and address.startswith("data:image/") for address in addresses)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy and "default-src 'none'" in policy and "script-src 'sha256-" in policy
    assert not [attrs for _tag, attrs in page.tags if any(name.startswith("on") for name in attrs)]


def test_hostile_names_are_words() -> None:
    evaluation = hostile()
    image, labels = picture(), square(4, 4)
    example = make_example(HOSTILE, image, labels, {0: labels, 1: labels}, evaluation.classes)
    page = Outline(report_html(evaluation, [example], title=HOSTILE, created=WHEN))
    assert [tag for tag, _attrs in page.tags].count("script") == 1
    assert not [attrs for _tag, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert page.text.count("{{ 7*7 }}") >= 10 and "49.png" not in page.text
    assert any(HOSTILE in (attrs.get("alt") or "") for tag, attrs in page.tags if tag == "img")


def test_pictures_have_alternatives_and_scores() -> None:
    evaluation = two_candidates()
    examples = [make_example(name, picture(), square(4, 4), {1: square(4, 9)}, CLASSES) for name in worst_pictures(evaluation, 2)]
    page = Outline(report_html(evaluation, examples, created=WHEN))
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == 2 * 3  # picture, truth, the one candidate that segmented it
    assert all(attrs["alt"] and attrs["width"] == "32" for attrs in images)
    data = base64.b64decode((images[0]["src"] or "").partition(",")[2])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), picture())


@pytest.mark.parametrize("results", [0, 1])
def test_it_is_written_with_one_candidate_or_none(results: int) -> None:
    evaluation = evaluation_of(two_candidates().results[:results])
    text = Outline(report_html(evaluation, created=WHEN)).text
    assert "Is the difference real?" not in text
    assert ("reaches an IoU of 1.000" if results else "Nothing could be scored.") in text


def test_several_classes_and_undefined_scores() -> None:
    pairs = {"a": (square(4, 4, value=2), square(4, 4, value=2)), "b": (square(4, 4), square(4, 4, value=2))}
    evaluation = evaluation_of([result_of("unet/nuclei", pairs, THREE), result_of("segnet/nuclei", pairs, THREE)], THREE)
    example = make_example("b", picture(), pairs["b"][1], {0: pairs["b"][0]}, THREE)
    page = Outline(report_html(evaluation, [example], created=WHEN))
    assert "wrong class" in page.text and "debris taken for nucleus, most in b (64 px)" in page.text
    assert "is undefined, not zero" in page.text and "Precision and recall" not in page.text
    assert any("one foreground class" in (attrs.get("title") or "") for tag, attrs in page.tags if tag == "abbr")


def test_it_stays_small() -> None:
    names = [f"{i:04d}.png" for i in range(6)]
    examples = [make_example(name, picture(900), square(4, 4, size=900), {0: square(4, 4, size=900)}, CLASSES) for name in names]
    assert examples[0].image.shape == (320, 320, 3) and examples[0].full_size == (900, 900)
    few = bounded_panels(examples, ["unet/nuclei"], limit=700_000)
    assert 1 <= len(few) < len(examples)
    assert sum(len(panel.source) for row in few for panel in row) <= 700_000
    assert len(report_html(two_candidates(), [])) < 120_000


def test_an_example_keeps_labels_and_averages_the_photograph() -> None:
    image, target = np.zeros((640, 320, 3), np.uint8), np.zeros((640, 320), np.uint8)
    image[::2], target[100:200, 50:60] = 200, 255
    example = make_example("x", image, target, {2: target}, CLASSES)
    assert example.image.shape == (320, 160, 3) and set(np.unique(example.image)) == {100}
    assert set(np.unique(example.target)) == {0, 255} and example.target.shape == (320, 160)
    assert list(example.preds) == [2]


def test_errors_have_the_colours_of_their_kinds() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    target, preds = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    target[0, :2], preds[0, 1:3], target[3, 3] = 1, 1, 255
    shown = error_picture(image, preds, target)
    missed, found, invented = shown[0, 0], shown[0, 1], shown[0, 2]
    assert missed[0] > missed[1] and found[2] > found[0] and invented[0] > invented[2]
    assert np.array_equal(shown[3, 3], shown[2, 2])  # ignored: nothing is shown


def test_worst_pictures_are_the_lowest_then_those_that_divide() -> None:
    names = ["a", "b", "c", "d"]
    first = {n: (square(4, 4 + s), square(4, 4)) for n, s in zip(names, (7, 0, 3, 0), strict=True)}
    second = {n: (square(4, 4 + s), square(4, 4)) for n, s in zip(names, (7, 6, 3, 1), strict=True)}
    evaluation = evaluation_of([result_of("unet/nuclei", first), result_of("segnet/nuclei", second)])
    assert worst_pictures(evaluation, 3) == ["a", "c", "b"]  # b: 1 against 2/14
    assert worst_pictures(evaluation, 9) == ["a", "c", "b", "d"]
    nothing = np.zeros((8, 8), np.uint8)
    assert worst_pictures(evaluation_of([result_of("unet/nuclei", {"empty": (nothing, nothing)})]), 3) == []


def test_many_classes_and_long_lists_stay_readable() -> None:
    classes = tuple(ClassInfo(f"class {i}", (i, i, i)) for i in range(9))
    pairs = {"a": (square(4, 4, value=8), square(4, 4, value=8))}
    left_out = {f"{i:03d}.png": notice("It is broken.") for i in range(203)}
    text = Outline(report_html(evaluation_of([result_of("unet/nuclei", pairs, classes)], classes, left_out=left_out))).text
    assert "in percent, blank below one half" in text and "199.png" in text
    assert "200.png" not in text and "And 3 more." in text and "Files left out: 203" in text


def test_it_says_its_language_its_time_zone_and_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdemo.text._catalogue", lambda _language: gettext.NullTranslations())
    summer = datetime(2026, 7, 2, 3, 4, tzinfo=timezone(timedelta(hours=2), "CEST"))
    evaluation = replace(two_candidates(), machine="A fast one")

    def korean() -> str:
        set_language("ko-KR")
        return report_html(evaluation, created=summer)

    found = Outline(contextvars.copy_context().run(korean))
    assert ("html", {"lang": "ko"}) in found.tags
    assert "2026-07-02 03:04 CEST" in found.text and "A fast one" in found.text
    assert ("html", {"lang": "en"}) in Outline(report_html(evaluation)).tags
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d [A-Z+-]\S*", Outline(report_html(evaluation)).text)

"""What is said besides the scores: each thing once, with its reason, under the names that the reader knows."""

import io
from dataclasses import replace

from rich.console import Console

from segdemo.cli_evaluate import print_results, remarks
from segdemo.evaluation.scores.remarks import Omission, class_remarks, limits, listed, omissions
from segdemo.evaluation.scores.results import Evaluation

from .hand_made import evaluation_of, notice, result_of, square, two_candidates

KEY = "unet/nuclei"


def incomplete() -> Evaluation:
    pairs = {"a": (square(4, 4), square(4, 4))}
    known = {"failed": {"b": notice("Too large.")}, "unknown": ("x", "y", "z"), "extra": ("debris",), "shrunk": ("a",)}
    found = evaluation_of([result_of(KEY, pairs, **known)], left_out={"c": notice("Broken.")},
                          refused={"unet/shapes": notice("It knows circles.")}, notices=(notice("Read by colour."),))  # fmt: skip
    return replace(found, total=5)


def test_omissions_have_reasons_and_titles() -> None:
    files, networks, failed, reduced = omissions(incomplete(), {KEY: "U-Net", "unet/shapes": "Shapes"})
    assert files == Omission("Files of the data", (("c", "Broken."),))
    assert networks.rows == (("Shapes", "It knows circles."),)
    assert (failed.title, failed.rows) == ("Pictures that U-Net could not segment", (("b", "Too large."),))
    assert reduced.title == "Pictures that U-Net saw reduced" and reduced.rows[0][0] == "a"
    assert omissions(two_candidates()) == []


def test_classes_that_count_as_background_are_named() -> None:
    data, unknown, extra = class_remarks(incomplete(), most=2)
    assert data == "Read by colour."
    assert unknown.startswith("unet/nuclei does not know x, y, …:") and extra.startswith("unet/nuclei also knows debris,")
    assert class_remarks(incomplete(), {KEY: "U-Net"})[2].startswith("U-Net also knows")
    assert listed(("a", "b")) == listed(("a", "b"), 2) == "a, b" and listed((), 2) == ""


def test_limits_are_counted() -> None:
    assert [sentence.split(":")[0] for sentence in limits(incomplete())] == [
        "The evaluation was stopped after 1 of 5 pictures.", "Files left out", "Networks that could not be compared",
    ]  # fmt: skip
    assert limits(two_candidates()) == []


def test_the_command_line_says_all_of_it() -> None:
    lines = "\n".join(remarks(incomplete()))
    for words in ("c: Broken.", "unet/shapes: It knows circles.", "b: Too large.", "Read by colour.", "debris", "x, y, z"):
        assert words in lines


def test_the_table_has_short_heads_and_whole_names() -> None:
    console = Console(file=io.StringIO(), width=60)
    print_results(console, two_candidates())
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "segnet/nuclei@threshold=0.3" in printed and "Object" in printed and "mean over pictures" not in printed
    assert "Pictures: 6. Classes: nucleus. Outline: 2 px." in printed

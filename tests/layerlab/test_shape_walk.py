"""Shapes, costs and fields line by line against torch: on "meta", and by autograd in float64. The code that is shown is run."""

import contextlib
import io
import re
import time
import tracemalloc
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segdemo.errors import SettingError
from segdemo.layerlab.shape_code import code_of
from segdemo.layerlab.shape_examples import EXAMPLES, example_lines, example_name
from segdemo.layerlab.shape_language import KINDS, MOST_LINES, Line, write_line, write_lines, write_token
from segdemo.layerlab.shape_reading import check_name, parse_lines, parse_token
from segdemo.layerlab.shape_walk import Walk, other_size, walk
from segdemo.models import create_model

few = st.integers(1, 4)


def with_words(kind: str, numbers: tuple[int, ...], options: dict[str, int], words: list[str], other: str, name: str) -> Line:
    line = Line(kind, numbers, other=other, name=name).having(options)
    for word in words:
        line = line.saying(word)
    return line


def lines_of(
    kind: str, options: dict[str, st.SearchStrategy[int]], words: list[str], numbers: int = 0, other: bool = False
) -> Any:
    return st.builds(
        with_words, st.just(kind), st.tuples(*[st.integers(1, 8)] * numbers), st.fixed_dictionaries({}, optional=options),
        st.lists(st.sampled_from(words), max_size=2) if words else st.just([]),
        st.sampled_from(["a", "b", "c1"]) if other else st.just(""), st.sampled_from(["", "", "a", "b", "c1"]),
    )  # fmt: skip


MOVES = {"k": few, "s": st.integers(1, 3), "p": st.integers(0, 3)}
ANY_LINE = st.one_of(
    lines_of("conv", MOVES | {"d": st.integers(1, 3), "g": st.integers(1, 2), "in": st.integers(1, 8)}, ["nobias", "relu"], 1),
    lines_of("conv", {"k": few, "p": st.integers(0, 3)}, ["nobias", "bn", "relu"], 1),
    lines_of("upconv", MOVES, ["nobias", "bn", "relu"], 1),
    lines_of("maxpool", MOVES, ["ceil"]), lines_of("avgpool", MOVES, []), lines_of("upsample", {"s": few}, ["bilinear"]),
    *(lines_of(kind, {}, []) for kind in ("bn", "relu", "dropout", "gap", "flatten")),
    lines_of("linear", {"in": st.integers(1, 40)}, ["nobias", "relu"], 1),
    lines_of("concat", {}, ["crop", "pad"], other=True), lines_of("add", {}, ["crop", "pad"], other=True),
    lines_of("take", {}, [], other=True),
)  # fmt: skip
SINGLE = st.one_of(
    lines_of("conv", {"k": st.integers(1, 9), "g": few, "d": few, "in": few, "p": st.integers(0, 2)}, [], 1),
    lines_of("upconv", {"k": few, "s": few, "p": st.integers(0, 20), "in": few}, [], 1),
    lines_of("maxpool", {"k": st.integers(1, 30), "p": st.integers(0, 5)}, ["ceil"]),
    lines_of("avgpool", {"k": st.integers(1, 30), "p": st.integers(0, 5)}, []),
)  # fmt: skip
INPUT = st.tuples(few, st.integers(6, 20), st.integers(6, 20)).map(lambda numbers: Line("input", numbers, name="a"))
NETWORKS = st.tuples(INPUT, st.lists(ANY_LINE, min_size=1, max_size=9)).map(lambda pair: (pair[0], *pair[1]))


def run_code(found: Walk, device: str) -> tuple[nn.Module, str]:
    """What the shown code builds, and what it prints."""
    printed, space = io.StringIO(), {"__name__": "shown"}
    with torch.device(device), contextlib.redirect_stdout(printed):
        code = compile(code_of(found.steps), "shown", "exec")
        exec(code, space)
    return space["net"], printed.getvalue().strip()  # type: ignore[return-value]


def same_as_torch(found: Walk) -> None:
    try:
        net, printed = run_code(found, "meta")
    except ValueError as error:  # batch normalisation in training wants more than one value a channel
        assert "more than 1 value" in str(error)
        return
    assert printed == f"torch.Size([1, {', '.join(map(str, found.steps[-1].shape))}])"
    assert found.params == sum(p.numel() for p in net.parameters())
    with FlopCounterMode(display=False) as counter:
        output = net(torch.zeros(1, *found.steps[0].shape, device="meta"))
    assert 2 * found.macs == counter.get_total_flops()
    assert found.steps[-1].memory_bytes == output.numel() * output.element_size()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(NETWORKS)
def test_as_far_as_a_network_fits_torch_agrees(lines: tuple[Line, ...]) -> None:
    same_as_torch(walk(lines))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_run(name: str) -> None:
    found = walk(parse_lines(EXAMPLES[name].text))
    same_as_torch(found)
    assert (found.problem is not None) == (name in ("odd", "count"))


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(NETWORKS)
def test_the_field_is_the_one_that_autograd_finds(lines: tuple[Line, ...]) -> None:
    found = walk(lines)
    assume(len(found.steps) > 1 and len(found.steps[-1].shape) == 3)
    net, _printed = run_code(Walk(tuple(found.steps)), "cpu") if min(found.steps[-1].shape[1:]) > 1 else (None, "")
    assume(net is not None)
    net = net.double().eval()  # type: ignore[union-attr]
    for name, module in list(net.named_modules()):
        if isinstance(module, nn.MaxPool2d):  # every input counts, not only the largest
            net.set_submodule(name, nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode))
        for parameter in module.parameters(recurse=False):
            nn.init.ones_(parameter)
    image = torch.ones(1, *found.steps[0].shape, dtype=torch.float64, requires_grad=True)
    output, widest = net(image), 0
    for axis in (2, 3):
        for place in range(output.shape[axis]):
            (gradient,) = torch.autograd.grad(output.select(axis, place).sum(), image, retain_graph=True, allow_unused=True)
            seen = torch.nonzero(gradient.abs().sum((0, 1, 5 - axis))).flatten() if gradient is not None else []
            widest = max(widest, int(seen[-1] - seen[0]) + 1 if len(seen) else 0)
    assert found.steps[-1].field_px == widest


@settings(deadline=None, max_examples=150)
@given(NETWORKS)
def test_what_does_not_fit_is_said_and_every_fix_helps(lines: tuple[Line, ...]) -> None:
    problem = walk(lines).problem
    assume(problem is not None)
    assert problem is not None and problem.sentence.endswith(".")
    assert problem.at == len(walk(lines).steps)
    for fix in problem.fixes:
        after = walk(fix.lines).problem
        assert after is None or (after.at, after.sentence, len(fix.lines)) != (problem.at, problem.sentence, len(lines))
        assert parse_lines(write_lines(fix.lines)) == fix.lines


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.tuples(INPUT, SINGLE))
def test_where_we_see_a_problem_torch_does_as_well(lines: tuple[Line, Line]) -> None:
    """Kernels, groups, sizes and channels: the line that does not fit is run on what arrives. Torch refuses, or gives nothing."""
    line, shape = lines[1], lines[0].numbers
    assume(walk(lines).problem is not None and not line.name)  # a name that is taken twice means nothing to torch
    with pytest.raises((RuntimeError, ValueError)):
        k, s, p = (line.option(letter) for letter in "ksp")
        if line.kind == "conv":
            expects = line.option("in") or shape[0]
            nn.Conv2d(expects, line.numbers[0], k, s, p, line.option("d"), line.option("g"))(torch.zeros(1, *shape))
        elif line.kind == "upconv":
            made = nn.ConvTranspose2d(line.option("in") or shape[0], line.numbers[0], k, s, p)(torch.zeros(1, *shape))
            if not made.numel():
                raise ValueError("Torch gives a picture without a pixel, which nothing could follow.")
        else:
            pool = nn.MaxPool2d if line.kind == "maxpool" else nn.AvgPool2d
            pool(k, s, p, ceil_mode="ceil" in line.words)(torch.zeros(1, *shape))


def test_the_first_lesson() -> None:
    shapes = [step.shape for step in walk(parse_lines(EXAMPLES["mnist"].text)).steps]
    assert shapes == [(1, 28, 28), (32, 28, 28), (32, 14, 14), (64, 14, 14), (64, 7, 7), (3136,), (10,)]
    fields = [step.field_px for step in walk(parse_lines(EXAMPLES["mnist"].text)).steps]
    assert fields == [1, 3, 4, 8, 10, 10, 28]


def test_the_unets_have_the_parameters_of_the_registry() -> None:
    with torch.device("meta"):
        paper = create_model("unet", in_channels=1, num_classes=2, padding="valid")
    found = walk(parse_lines(EXAMPLES["paper"].text))
    assert found.params == sum(p.numel() for p in paper.parameters()) and found.steps[-1].shape == (2, 388, 388)
    assert max(step.field_px for step in found.steps if step.line.kind == "maxpool") == 76 and found.steps[14].field_px == 140


@pytest.mark.parametrize(("text", "sentence", "fixed"), [
    ("input 3 57 57\nconv 8 p1 as e1\nmaxpool\nupconv 8\nconcat e1", "57 and 56; crop or pad", (16, 56, 56)),
    (EXAMPLES["count"].text, "Flattened 3136, but the linear layer expects 3000", (10,)),
    ("input 3 4 4\nconv 8 k5", "spans 5 does not fit into a map of 4 × 4", (8, 2, 2)),
    ("input 6 9 9\nconv 4 g3", "3 groups do not divide 6 input channels and 4 filters", (4, 7, 7)),
    ("input 6 9 9\nconv 4 in3", "expects 3 channels, but 6 arrive", (4, 7, 7)),
    ("input 6 9 9\nlinear 4", "flatten it first", (4,)),
    ("input 6 9 9\nflatten\nconv 4", "a list of 486 numbers arrives", (4, 7, 7)),
    ("input 6 9 9 as e1\nconv 8 p1\nadd e1", "8 channels cannot be added to 6", (6, 9, 9)),
    ("input 6 9 9 as e1\nconv 8 p1\nadd e7", "No earlier line is called e7. These have a name: e1.", None),
    ("input 6 9 9\nconv 8 p1\nadd e7", "No line has a name yet", (8, 9, 9)),
    ("input 6 9 9\nmaxpool k2 p2", "at most half its kernel: 1, not 2", (6, 5, 5)),
    ("input 6 2 2\nupconv 2 p9", "cuts off everything", (2, 4, 4)),
    ("input 6 9 9 as a\nrelu as a", "Two lines are called a", (6, 9, 9)),
    ("conv 3", "The first line, and only the first, is the input.", None),
    ("input 1 4096 4096\nupsample s4\nupsample s2", "The map would be 32768 × 32768", (1, 16384, 16384)),
    ("input 1 64 64\nupconv 1 k64 s16\nupconv 1 k64 s16", "at most 16384 rows and columns", (1, 1072, 1072)),
    ("input 1 64 64\nupconv 1 k64 s16\nupsample s16", "The map would be 17152 × 17152", (1, 1072, 1072)),
])  # fmt: skip
def test_sentences_and_the_first_fix(text: str, sentence: str, fixed: tuple[int, ...] | None) -> None:
    problem = walk(parse_lines(text)).problem
    assert problem is not None and sentence in problem.sentence
    if fixed:
        after = walk(problem.fixes[0].lines)
        assert after.problem is None and after.steps[-1].shape == fixed


def test_another_input_that_fits() -> None:
    fix = other_size(parse_lines(EXAMPLES["odd"].text))
    assert fix is not None and fix.lines[0].numbers == (3, 56, 56) and walk(fix.lines).problem is None
    assert other_size(parse_lines("input 3 8 8\nlinear 3")) is None and other_size(()) is None


def test_other_sizes_are_tried_without_following_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = parse_lines(EXAMPLES["odd"].text + "\nrelu")  # not asked for before, so not remembered
    monkeypatch.setattr("segdemo.layerlab.shape_walk.identity", lambda size: pytest.fail("pixels were followed"))
    fix = other_size(lines)
    assert fix is not None and fix.lines[0].numbers == (3, 56, 56)


def test_the_largest_network_is_walked_in_good_time_and_remembered() -> None:
    """60 kernels of 64 on 4096 pixels: with an array of kernel × pixels for each line this took minutes and gigabytes."""
    lines = parse_lines("input 1 4096 4096\n" + "\n".join(["conv 1 k64 p32", "upconv 1 k64 s1 p32"] * 29))
    tracemalloc.start()
    start = time.process_time()
    found = walk(lines)
    took, (_now, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.problem is None and found.steps[-1].field_px == 1 + 58 * 63
    assert took < 3 and peak < 50e6
    assert walk([*lines]) is found


def test_lists_from_maps_of_different_size_are_joined() -> None:
    found = walk(parse_lines("input 1 8 8\nflatten as a\ntake a\nconcat a"))
    assert found.problem is None and found.steps[-1].shape == (128,)
    parted = "input 1 8 8 as x\nmaxpool k2\nflatten as a\ntake x\nflatten\nconcat a"
    assert walk(parse_lines(parted)).steps[-1].shape == (80,)
    same_as_torch(walk(parse_lines(parted)))


def test_examples_are_found_by_their_lines() -> None:
    for key, example in EXAMPLES.items():
        assert example_lines(key) == parse_lines(example.text) and example_name([*example_lines(key)]) == key
    assert example_name(parse_lines("input 1 2 3")) == ""


def test_an_empty_network_offers_a_start() -> None:
    problem = walk(()).problem
    assert problem is not None and walk(problem.fixes[0].lines).problem is None


@given(NETWORKS)
def test_text_and_address_say_the_same_network(lines: tuple[Line, ...]) -> None:
    assert parse_lines(write_lines(lines)) == lines
    assert parse_token(write_token(lines)) == lines


@pytest.mark.parametrize(("text", "sentence"), [
    ("input 3 4", "Line 1: input needs whole numbers (channels, height, width), and there are too few"),
    ("input 3 4 4\n\n# so\nconv", "Line 4: conv needs whole numbers"), ("input 3 4 4\nconv k3 8", "and “k3” is not one"),
    ("input 3 4 4\nconv 8 q3", "Line 2: conv does not know “q3”. What can follow: k3 (kernel), s1 (stride), p2 (padding)"),
    ("input 3 4 4\nmaxpool =a", "Line 2: maxpool does not know “=a”"), ("input 3 4 4 e1", "input does not know “e1”. Only “as”"),
    ("input 3 4 4\nconv 8 k0", "“k0” does not work: kernel is a number from 1 to 64. For example “conv 32 k3 p1 relu”"),
    ("dense 4", "“dense” is not a layer. A line begins with one of: input, conv"),
    ("input 3 4 4\nconvv 4", "Did you mean conv, as in"),
    ("input 3 9999 4", "height is a number from 1"), ("input 3 4 4 as 5", "comes one name of your choice"),
    ("input 3 4 4\nconcat", "needs the name of an earlier line"), ("input 3 4 4\nrelu as", "“relu as skip1”"),
    ("__import__('os').system('ls')", "is not a layer"),
])  # fmt: skip
def test_what_is_no_line_gets_a_sentence_with_an_example(text: str, sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_lines(text)
    said = str(caught.value)
    assert sentence in said and said.startswith("Line ")
    example = re.split("[Ff]or example|as in", said)[-1].split("“")[1].split("”")[0]
    earlier = "input 3 4 4 as e1\n" if not example.startswith("input") else ""
    assert parse_lines(earlier + example)


def test_more_lines_than_there_may_be_are_counted() -> None:
    with pytest.raises(SettingError, match=r"at most 60 lines here; this one has 61\."):
        parse_lines("\n".join(["relu"] * (MOST_LINES + 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_is_a_line_of_it(kind: str) -> None:
    (line,) = parse_lines(KINDS[kind].example)
    assert line.kind == kind and write_line(line) == KINDS[kind].example


def test_a_letter_and_its_number_may_have_a_sign_between_them() -> None:
    assert parse_lines("conv 8 k=5 p=2") == parse_lines("conv 8 k5 p2")


def test_a_typed_name_is_one_that_a_line_can_have() -> None:
    assert [check_name(text) for text in ("e1", " Skip ", "")] == ["e1", "skip", ""]
    for text in ("5", "a b", "e-1", "averyverylongname", "as x"):
        with pytest.raises(SettingError, match=r"such as e1\.$"):
            check_name(text)
    assert parse_lines("relu as skip")[0].name == check_name("skip")


@given(st.text(alphabet="abcdefiknopstuv 0123456789_.\n#x", max_size=60))
def test_any_text_is_lines_or_a_sentence(text: str) -> None:
    with contextlib.suppress(SettingError):
        assert parse_lines(write_lines(parse_lines(text))) == parse_lines(text)


def test_a_size_may_be_written_with_crosses() -> None:
    assert parse_lines("INPUT 3x572x572") == parse_lines("input 3 572 572")

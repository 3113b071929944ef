"""The Shape walk view: a small network line by line, what shape leaves each, and what it costs."""

import streamlit as st

from segdemo.layerlab.shape_code import code_of
from segdemo.layerlab.shape_examples import EXAMPLES, example_lines
from segdemo.layerlab.shape_language import KINDS, Line, write_token
from segdemo.layerlab.shape_rules import RULES
from segdemo.layerlab.shape_walk import Problem, Walk, other_size, walk
from segdemo.text import _
from segdemo.ui.components import shape_walk
from segdemo.ui.layers_frame import asked, explain, framed, introduce, wants_to_predict
from segdemo.ui.layers_parameter import key_of
from segdemo.ui.layers_settings import choice_setting
from segdemo.ui.layers_shapes_data import walk_data
from segdemo.ui.layers_shapes_edit import edit_line
from segdemo.ui.layers_shapes_question import Question, question_of
from segdemo.ui.layers_shapes_state import choose, line_now, lines_now, replace_lines
from segdemo.ui.layers_shapes_text import edit_as_text
from segdemo.ui.words import plain

__all__ = ["SETTINGS", "show_shapes"]

SETTINGS = ("lines", "line", "edit")
COMPONENT = "layers_shapes_walk"

Lines = tuple[Line, ...]


def show_shapes() -> None:
    """Two sentences, the network with its editor, what does not fit and what would help, the code, the explanation."""
    introduce(_("A network is a list of steps: each makes a tensor of channels × height × width from the one before. "
                "Choose a line to change it."))  # fmt: skip
    frame = framed()
    lines, name = lines_now()
    at = line_now(len(lines))
    with frame.side:
        _known(name)
        modes = {"line": _("One line"), "text": _("All as text")}
        mode = choice_setting(
            "edit", _("Edit"), modes, "line", compact=True, help=_("The chosen line with controls, or all lines as text.")
        )
        unread = edit_as_text(lines) if mode == "text" else edit_line(lines, at)
    with frame.place:
        found = walk(lines)
        unreadable = mode == "text" and bool(unread)
        question = question_of(found)
        covered = question if _asked(frame.top, question, found, unreadable) else None
        if unread:
            st.error(plain(unread, 600), icon=":material/block:")
        if found.problem:
            _show_problem(lines, found.problem)
        if lines:
            data = walk_data(lines, found, at, covered, stale=unreadable)
            shape_walk(
                key=COMPONENT, data=data, on_chosen_change=lambda: choose(int(st.session_state[COMPONENT].get("chosen") or 0))
            )
        if name and not covered:
            st.caption(f"**{_(EXAMPLES[name].title)}**: {_(EXAMPLES[name].point)}")
        if not covered:
            _show_code(found)
    _explain()


def _known(name: str) -> None:
    key = key_of("known")
    st.session_state[key] = name or None
    st.selectbox(
        _("Start from"), list(EXAMPLES), key=key, format_func=lambda option: _(EXAMPLES[option].title),
        placeholder=_("A network of your own"), help=_("Ready networks, and two that do not fit."),
        on_change=lambda: replace_lines(example_lines(st.session_state[key]), 0) if st.session_state[key] else None,
    )  # fmt: skip


def _show_problem(lines: Lines, problem: Problem) -> None:
    """The sentence, and a button for everything that would help."""
    where = _("Line {n}", n=problem.at + 1) if lines else ""
    st.error(f"**{where}**: {problem.sentence}" if where else problem.sentence, icon=":material/rule:")
    fixes = [*problem.fixes]
    joins = problem.at < len(lines) and KINDS[lines[problem.at].kind].joins
    if joins and lines[problem.at].kind != "take" and (resized := other_size(lines)):
        fixes.append(resized)
    with st.container(horizontal=True, gap="small"):
        for number, fix in enumerate(fixes):
            st.button(
                fix.label,
                key=key_of(f"fix{number}"),
                icon=":material/build:",
                on_click=lambda lines=fix.lines: replace_lines(lines),
            )


def _asked(top: st.delta_generator.DeltaGenerator, question: Question | None, found: Walk, unreadable: bool) -> bool:
    """Whether what the question asks for has to stay hidden. While a text cannot be read nothing is asked, nor told."""
    if question is None or unreadable:
        with top:
            return wants_to_predict()
    about = write_token([step.line for step in found.steps])
    return asked(top, question.text, question.choices, question.answer, question.why, about)


def _show_code(found: Walk) -> None:
    if not found.steps:
        return
    with st.expander(_("The same in PyTorch"), icon=":material/code:", key=key_of("code"), on_change="rerun") as box:
        if box.open:
            if found.problem:
                st.caption(_("Up to the line that does not fit."))
            st.code(code_of(found.steps), language="python")


def _explain() -> None:
    text = _(
        "**Shape**: channels × height × width of one picture's tensor; a batch puts N in front. Channels come from the number of "
        "filters, height and width from kernel, stride, padding and dilation. **Parameters** do not depend on the picture; "
        "**memory** and **multiply-adds** (MACs) do. Memory is that of the outputs as 32-bit numbers, all of which "
        "training keeps.\n\n"
        "**Skips** need equal sizes: a concatenation equal height and width, a sum equal channels as well. Pooling rounds odd "
        "sizes down, and up-sampling cannot know that: 57 becomes 28, and 28 becomes 56. Crop the larger map, as the U-Net paper "
        "does, pad the smaller one, or choose a size that can be halved often enough.\n\n"
        "**Flatten** turns a map into a list; a linear layer after it fixes the size of the picture once and for all. That is "
        "why segmentation networks do without it."
    )
    formulas = (
        r"\text{conv, pool: } \left\lfloor \frac{n + 2p - d\,(k-1) - 1}{s} \right\rfloor + 1",
        r"\text{transposed: } (n - 1)\,s - 2p + k",
        r"\text{weights of a convolution} = \frac{c_{in}\, c_{out}\, k^2}{g}\; (+\, c_{out})",
        r"\text{MACs} = \text{weights} \cdot h_{out}\, w_{out}",
    )
    papers = (
        ("Ronneberger, Fischer, Brox: U-Net, MICCAI 2015", "https://arxiv.org/abs/1505.04597"),
        ("Long, Shelhamer, Darrell: Fully Convolutional Networks, CVPR 2015", "https://arxiv.org/abs/1411.4038"),
        ("LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning, Proc. IEEE 1998", "https://doi.org/10.1109/5.726791"),
    )
    explain(text, formulas, papers, (RULES["conv"], RULES["upconv"], RULES["maxpool"]))

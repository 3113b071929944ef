"""The Receptive field view: what one unit sees of the input, through a stack of layers or the encoder of a network."""

from segdemo.layerlab.stack_influence import influence
from segdemo.layerlab.stack_levels import best_unit, seen_by
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import _
from segdemo.ui.layers_field_encoder import show_encoder
from segdemo.ui.layers_field_own import show_own_stack
from segdemo.ui.layers_frame import explain, framed, introduce
from segdemo.ui.layers_settings import choice_setting

__all__ = ["SETTINGS", "show_field"]

SETTINGS = ("from", "stack", "w", "seed", "c", "side", "against", "at", "net", "ask", "look", "stage")


def show_field() -> None:
    """Two sentences, the stack or the encoder with the squares that it sees, and the explanation."""
    introduce(_("Each layer sees a small window of the one below; through all of them one unit sees a growing square of the "
                "input. The pixels in its middle count most: more paths connect them to the unit."))  # fmt: skip
    frame = framed()
    with frame.side:
        words = {"stack": _("Own stack"), "network": _("Encoder")}
        source = choice_setting("from", _("Layers of"), words, "stack", compact=True, help=_(
            "A stack that you build, or the encoder of a network as in its paper."))  # fmt: skip
    (show_own_stack if source == "stack" else show_encoder)(frame)
    _explain()


def _explain() -> None:
    text = _(
        "Three numbers go up with the layers: the **field** r, the **jump** j between neighbouring units, in pixels of the "
        "input, and where the first unit lies. A kernel of k adds k − 1 jumps, a dilation d multiplies that by d; a stride "
        "multiplies the jump, so that every *later* layer grows faster. After up-sampling, fields differ from unit to unit; the "
        "largest one is shown.\n\nWhat a unit *can* see is not what it listens to. Without activations its gradient is a sum "
        "over all paths down to a pixel: few lead to the corners, many to the middle. Stacked kernels blur into a bell, whose "
        "width grows with the root of the depth. Training, skips and dilation widen it again. Max-pooling counts as a mean here: "
        "which input wins depends on the picture."
    )
    formulas = (r"r_l = r_{l-1} + (k_l - 1)\, d_l\, j_{l-1}", r"j_l = j_{l-1}\, s_l",
                r"\text{start}_l = \text{start}_{l-1} + \left(\tfrac{k_l - 1}{2} d_l - p_l\right) j_{l-1}",
                r"\text{weights} = k^2 c^2, \quad \text{multiply-adds (MACs)} = k^2 c^2\, h\, w")  # fmt: skip
    papers = (
        ("Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019", "https://distill.pub/2019/computing-receptive-fields/"),
        ("Luo, Li, Urtasun, Zemel: Understanding the Effective Receptive Field, NeurIPS 2016", "https://arxiv.org/abs/1701.04128"),
        ("Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015", "https://arxiv.org/abs/1409.1556"),
    )  # fmt: skip
    explain(text, formulas, papers, (StackLayer.inputs_of, seen_by, best_unit, influence))

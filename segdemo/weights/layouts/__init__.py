"""Layouts: whose names a checkpoint's tensors have, told by the names alone."""

from segdemo.weights.layouts.base import Layout, Reading, Shape, Shapes
from segdemo.weights.layouts.jvanvugt import JVANVUGT
from segdemo.weights.layouts.mateuszbuda import MATEUSZBUDA
from segdemo.weights.layouts.milesial import MILESIAL
from segdemo.weights.layouts.nested_unet import NESTED_UNET, UNET_OF_NESTED_UNET
from segdemo.weights.layouts.nnunet import NNUNET
from segdemo.weights.layouts.own import OWN
from segdemo.weights.layouts.pytorch_fcn import PYTORCH_FCN
from segdemo.weights.layouts.segnet import SEGNET
from segdemo.weights.layouts.smp import SMP
from segdemo.weights.layouts.torchvision import TORCHVISION
from segdemo.weights.layouts.unet3_plus import UNET3_PLUS

__all__ = ["LAYOUTS", "Layout", "Reading", "Shape", "Shapes", "nearest", "recognise"]

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        MILESIAL, MATEUSZBUDA, JVANVUGT, UNET_OF_NESTED_UNET, NESTED_UNET, UNET3_PLUS, TORCHVISION, SMP, NNUNET, SEGNET,
        PYTORCH_FCN, OWN,
    )
}  # fmt: skip


def recognise(shapes: Shapes) -> Layout | None:
    """The layout whose landmarks a file holds. Of several, the one that more of the names follow."""
    found = [layout for layout in LAYOUTS.values() if layout.recognises(shapes)]
    return max(found, key=lambda layout: layout.likeness(shapes), default=None)


def nearest(shapes: Shapes) -> Layout | None:
    """The layout that most of the names follow; None where no name follows any."""
    best = max(LAYOUTS.values(), key=lambda layout: layout.likeness(shapes))
    return best if best.likeness(shapes) else None

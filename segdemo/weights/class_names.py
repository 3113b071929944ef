"""What the classes of unknown weights are probably called: told by their number, changed by the visitor."""

from segdemo.text import N_
from segdemo.types import ClassInfo
from segdemo.weights.palette import distinct_colors

__all__ = ["guess_classes", "named_classes"]

# Lists of classes that many networks are trained on, by their length.
KNOWN = {
    1: (N_("background"), N_("foreground")),
    2: (N_("background"), N_("foreground")),
    11: tuple("sky,building,pole,road,pavement,tree,sign,fence,car,pedestrian,cyclist".split(",")),  # CamVid
    19: tuple(
        "road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,person,rider,car,truck,"
        "bus,train,motorcycle,bicycle".split(",")
    ),  # Cityscapes
    21: tuple(
        "background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,dining table,dog,horse,motorbike,person,"
        "potted plant,sheep,sofa,train,TV monitor".split(",")
    ),  # Pascal VOC
}


def guess_classes(num_classes: int) -> tuple[ClassInfo, ...]:
    """Names and colours for a network of `num_classes` logits; one logit means background and foreground."""
    count = max(2, num_classes)
    names = KNOWN.get(num_classes) or ("background", *(f"class {number}" for number in range(1, count)))
    return named_classes(names)


def named_classes(names: tuple[str, ...] | list[str]) -> tuple[ClassInfo, ...]:
    """Classes with these names and colours that can be told apart, as far as there are such."""
    return tuple(ClassInfo(name, color) for name, color in zip(names, distinct_colors(len(names)), strict=True))

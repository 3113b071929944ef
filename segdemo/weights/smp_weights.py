"""smp's published SegFormers as catalogue entries: fetched on request, not part of this package.

Only those are listed of which every fact could be established: address, SHA-256 and size from the hub's page of the
file (huggingface.co/smp-hub), architecture from smp's own conversion script, scaling and normalisation from NVIDIA's
configuration (NVlabs/SegFormer), classes from the ADE20K benchmark. The scores in the paper are of the original
checkpoints and partly with several scales, so none is given here: nobody has measured these files.

The hub's model card squeezes every picture into a square; here the aspect ratio is kept, as in NVIDIA's own evaluation.
"""

from segdemo.types import ClassInfo, Preprocessing, WeightsEntry
from segdemo.weights.palette import distinct_colors

__all__ = ["smp_entries"]

HUB = "https://huggingface.co/smp-hub"
TITLE = "ADE20K scenes, 150 classes"
TRAINED_ON = "Indoor and outdoor scenes, every pixel named: walls, sky, furniture, vehicles and 146 more (ADE20K)"
LICENCE = "NVIDIA Source Code License for SegFormer: for research and evaluation only, not for commercial use"

# variant: (repository, side, parameters, size of the file in bytes, SHA-256)
PUBLISHED = {
    "b2": (
        "segformer-b2-512x512-ade-160k", 512, 27_461_974, 109_889_000,
        "79bd178a8e8786328604d3ade6d37394bbc356aaa03ec6fcece1e13609f950d9",
    ),
    "b5": (
        "segformer-b5-640x640-ade-160k", 640, 84_708_694, 338_950_344,
        "fbcb3f167715ea3f3a221af7fd808d4594f7030527cb0455e09c64ba7960cabb",
    ),
}  # fmt: skip

# In the benchmark's order. There is no background: every pixel belongs to something, or is not labelled at all.
ADE20K = tuple(
    "wall,building,sky,floor,tree,ceiling,road,bed,windowpane,grass,cabinet,sidewalk,person,earth,door,table,mountain,plant,"
    "curtain,chair,car,water,painting,sofa,shelf,house,sea,mirror,rug,field,armchair,seat,fence,desk,rock,wardrobe,lamp,"
    "bathtub,railing,cushion,base,box,column,signboard,chest of drawers,counter,sand,sink,skyscraper,fireplace,refrigerator,"
    "grandstand,path,stairs,runway,case,pool table,pillow,screen door,stairway,river,bridge,bookcase,blind,coffee table,"
    "toilet,flower,book,hill,bench,countertop,stove,palm,kitchen island,computer,swivel chair,boat,bar,arcade machine,hovel,"
    "bus,towel,light,truck,tower,chandelier,awning,streetlight,booth,television receiver,airplane,dirt track,apparel,pole,"
    "land,bannister,escalator,ottoman,bottle,buffet,poster,stage,van,ship,fountain,conveyer belt,canopy,washer,plaything,"
    "swimming pool,stool,barrel,basket,waterfall,tent,bag,minibike,cradle,oven,ball,food,step,tank,trade name,microwave,pot,"
    "animal,bicycle,lake,dishwasher,screen,blanket,sculpture,hood,sconce,vase,traffic light,tray,ashcan,fan,pier,crt screen,"
    "plate,monitor,bulletin board,shower,radiator,glass,clock,flag".split(",")
)


def smp_entries() -> list[WeightsEntry]:
    """From the smallest download to the largest."""
    return [_entry(variant) for variant in PUBLISHED]


def _entry(variant: str) -> WeightsEntry:
    repository, side, params, size_bytes, sha256 = PUBLISHED[variant]
    colors = distinct_colors(len(ADE20K) + 1)[1:]  # the first is black, for a background
    return WeightsEntry(
        weights_id=f"smp/segformer/ade20k-{variant}",
        model="smp/segformer",
        options={"encoder_name": f"mit_{variant}", "decoder_segmentation_channels": 768, "num_classes": len(ADE20K)},
        classes=tuple(ClassInfo(name, color) for name, color in zip(ADE20K, colors, strict=True)),
        # The longer side was at most 2048 in the evaluation; the shorter one is 512 or 640.
        preprocessing=Preprocessing(short_side=side, max_pixels=2048 * side, multiple_of=32),
        title=TITLE,
        trained_on=TRAINED_ON,
        licence=LICENCE,
        params=params,
        sha256=sha256,
        size_bytes=size_bytes,
        score=None,
        score_name="mean IoU",
        url=f"{HUB}/{repository}/resolve/main/model.safetensors",
        card={"source": f"{HUB}/{repository}"},
    )

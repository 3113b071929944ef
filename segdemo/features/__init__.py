"""Looking inside a network: what its stages put out, what they cost, and how much of the picture each of them sees."""

from segdemo.features.anatomy import Anatomy, Part, dissect
from segdemo.features.receptive_field import ReceptiveField, receptive_field, receptive_fields, strides
from segdemo.features.record import record
from segdemo.features.resampling import Resampling
from segdemo.features.shapes_only import without_memory

__all__ = [
    "Anatomy", "Part", "ReceptiveField", "Resampling", "dissect", "receptive_field", "receptive_fields", "record", "strides",
    "without_memory",
]  # fmt: skip

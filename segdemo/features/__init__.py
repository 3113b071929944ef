"""Looking inside a network: what its stages put out, what they cost, how much of the picture each of them sees, what they
are good for."""

from segdemo.features.ablation import Allowed, Changes, Switch, Switchable, allows, run_changed, switchable
from segdemo.features.anatomy import Anatomy, Part, dissect
from segdemo.features.cam import Cam, Target, contributions, grad_cam, saliency
from segdemo.features.channels import ChannelStatistics, histogram, ordered, statistics_of, summary
from segdemo.features.colour import kind_of, value_range
from segdemo.features.course import Course, trace
from segdemo.features.effective_field import EffectiveField, effective_field
from segdemo.features.gate import Gate, inspect_gate
from segdemo.features.joins import Join, join_at
from segdemo.features.known_networks import anatomy_at
from segdemo.features.mosaic import Mosaic, draw_mosaic, mosaic
from segdemo.features.placement import Placement, Rect, placements
from segdemo.features.probe import values_at
from segdemo.features.projection import Basis, aligned, fit_basis, project, to_rgb
from segdemo.features.receptive_field import ReceptiveField, receptive_field, receptive_fields, strides
from segdemo.features.record import record
from segdemo.features.recording import Recording, record_all
from segdemo.features.resampling import Resampling
from segdemo.features.shapes_only import without_memory
from segdemo.features.timelapse import Frame, frames

__all__ = [
    "Allowed", "Anatomy", "Basis", "Cam", "Changes", "ChannelStatistics", "Course", "EffectiveField", "Frame", "Gate", "Join",
    "Mosaic", "Part", "Placement", "ReceptiveField", "Recording", "Rect", "Resampling", "Switch", "Switchable", "Target",
    "aligned", "allows", "anatomy_at", "contributions", "dissect", "draw_mosaic", "effective_field", "fit_basis", "frames",
    "grad_cam", "histogram", "inspect_gate", "join_at", "kind_of", "mosaic", "ordered", "placements", "project",
    "receptive_field", "receptive_fields", "record", "record_all", "run_changed", "saliency", "statistics_of", "strides",
    "summary", "switchable", "to_rgb", "trace", "value_range", "values_at", "without_memory",
]  # fmt: skip

"""The one colour scale over all stages of a study, found once."""

from segdemo.inference.cache import BoundedCache
from segdemo.ui.features_parts import Scale, scale_over
from segdemo.ui.study import Study

__all__ = ["scale_of_all"]

SCALES = 2000  # that are remembered; each is three values

_scales: BoundedCache[tuple[object, ...], Scale] = BoundedCache(SCALES, lambda _scale: 1)


def scale_of_all(study: Study) -> Scale:
    """From the lowest to the highest value of any stage, but for the share CLIP."""
    return _scales.get_or_make(study.key, lambda: scale_over(*study.recording.maps.values()))

"""Pictures: decoding uploads safely, samples, generated scenes with exact masks, data-set folders."""

from segdemo.data.images import FORMATS, MAX_PIXELS, Picture, open_picture, read_image, read_labels
from segdemo.errors import ImageError

__all__ = ["FORMATS", "MAX_PIXELS", "ImageError", "Picture", "open_picture", "read_image", "read_labels"]

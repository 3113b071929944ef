"""Weights: what there is, how to get it, and how to put it into its network safely."""

from segdemo.errors import CheckpointError, DownloadError
from segdemo.weights.catalogue import get_weights, list_weights, weights_path
from segdemo.weights.download import fetch, is_present
from segdemo.weights.loading import load_model

__all__ = [
    "CheckpointError", "DownloadError", "fetch", "get_weights", "is_present", "list_weights", "load_model", "weights_path",
]  # fmt: skip

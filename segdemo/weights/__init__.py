"""Weights: what there is, how to get it, and how to put it into its network safely."""

from segdemo.errors import CheckpointError, DownloadError, UnknownLayoutError
from segdemo.weights.catalogue import get_weights, list_weights, weights_path
from segdemo.weights.class_names import named_classes
from segdemo.weights.download import fetch, is_present
from segdemo.weights.imported import answered, draft_of_file, draft_of_upload, folder_files, keep, register
from segdemo.weights.importing import ImportedCheckpoint, import_checkpoint
from segdemo.weights.loading import load_model
from segdemo.weights.untrained import get_network, is_ready, load_network, untrained

__all__ = [
    "CheckpointError", "DownloadError", "ImportedCheckpoint", "UnknownLayoutError",
    "answered", "draft_of_file", "draft_of_upload", "fetch", "folder_files", "get_network", "get_weights",
    "import_checkpoint", "is_present", "is_ready", "keep", "list_weights", "load_model", "load_network", "named_classes",
    "register", "untrained", "weights_path",
]  # fmt: skip

"""Everything that can go wrong for a visitor, in one tree. The message is the sentence the visitor reads.

SegdemoError
├── ImageError        a picture or mask that cannot be used
├── DataSetError      a data-set folder that cannot be used
├── CheckpointError   weights that cannot be read, or do not fit their architecture
├── DownloadError     weights that could not be fetched
└── SettingError      a setting outside what works, a name that does not exist
"""

__all__ = ["CheckpointError", "DataSetError", "DownloadError", "ImageError", "SegdemoError", "SettingError"]


class SegdemoError(Exception):
    """Base of all errors whose message is meant for the visitor."""


class ImageError(SegdemoError):
    """A picture or mask cannot be used; says what was wrong and what would work."""


class DataSetError(SegdemoError):
    """A data set does not have the expected files or shapes."""


class CheckpointError(SegdemoError):
    """Weights cannot be read, or do not fit the architecture they claim."""


class DownloadError(SegdemoError):
    """A download failed: offline, broken off, or not the file that was promised."""


class SettingError(SegdemoError, ValueError):
    """A setting is outside the range that works, or names something that does not exist."""

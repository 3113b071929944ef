"""Everything that can go wrong for a visitor, in one tree. The message is the sentence the visitor reads.

SegdemoError
├── ImageError        a picture or mask that cannot be used
├── DataSetError      a data-set folder that cannot be used
├── CheckpointError   weights that cannot be read, or do not fit their architecture
│   └── UnknownLayoutError   … whose names or shapes follow no known layout; carries the difference to the nearest
├── DownloadError     weights that could not be fetched
└── SettingError      a setting outside what works, a name that does not exist
"""

from collections.abc import Mapping, Sequence

__all__ = [
    "CheckpointError", "DataSetError", "DownloadError", "ImageError", "SegdemoError", "SettingError", "UnknownLayoutError",
]  # fmt: skip


class SegdemoError(Exception):
    """Base of all errors whose message is meant for the visitor."""

    def __str__(self) -> str:
        """The very sentence that it was given, which can be said again in another language; not a copy of its letters."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else super().__str__()


class ImageError(SegdemoError):
    """A picture or mask cannot be used; says what was wrong and what would work."""


class DataSetError(SegdemoError):
    """A data set does not have the expected files or shapes."""


class CheckpointError(SegdemoError):
    """Weights cannot be read, or do not fit the architecture they claim."""


class UnknownLayoutError(CheckpointError):
    """A sound file whose tensors fit no architecture that it was held against.

    `shapes` are all its tensors by name, `nearest` is the title of the layout or architecture that comes closest ("" if
    none does). `missing` and `unknown` are names that this one needs or does not know, `mismatched` sentences such as
    "conv.weight 3×1×1×1 ≠ 3×64×1×1". `import_checkpoint(…, model=…)` tries again with an architecture.
    """

    def __init__(
        self,
        message: str,
        *,
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        nearest: str = "",
        missing: Sequence[str] = (),
        unknown: Sequence[str] = (),
        mismatched: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.shapes = dict(shapes or {})
        self.nearest = nearest
        self.missing, self.unknown, self.mismatched = tuple(missing), tuple(unknown), tuple(mismatched)


class DownloadError(SegdemoError):
    """A download failed: offline, broken off, or not the file that was promised."""


class SettingError(SegdemoError, ValueError):
    """A setting is outside the range that works, or names something that does not exist."""

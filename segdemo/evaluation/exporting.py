"""Predictions as files while a data set is gone through: label maps as PNG, COCO and GeoJSON, for each candidate by itself.

MASKS/CANDIDATE/PICTURE.png      indexed PNG: pixel values are the network's own classes
GEOJSON/CANDIDATE/PICTURE.geojson
FILE.json                        COCO; of several candidates FILE-CANDIDATE.json
"""

import queue
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType

from segdemo.errors import SettingError
from segdemo.evaluation.annotations.coco import write_coco
from segdemo.evaluation.annotations.geojson import geojson_text
from segdemo.evaluation.annotations.regions import AnnotatedPicture, annotated
from segdemo.evaluation.evaluate import JudgedPicture
from segdemo.inference.export import label_png, unique_stems
from segdemo.text import _

__all__ = ["PredictionFiles", "candidate_file_name"]


def candidate_file_name(key: str) -> str:
    """A candidate's key as a file or folder name: "unet-nuclei@threshold=0.3"."""
    return re.sub(r"[^\w.@=-]+", "-", key)


class PredictionFiles(AbstractContextManager["PredictionFiles"]):
    """Where predictions go; None: not written. Nothing is opened before the first picture; `close`, or the end of the context,
    waits until all is written."""

    def __init__(
        self,
        names: Sequence[str],
        keys: Sequence[str],
        *,
        masks: Path | None = None,
        coco: Path | None = None,
        geojson: Path | None = None,
    ) -> None:
        """names: of all pictures. keys: of all candidates."""
        self._stems = dict(zip(names, unique_stems(names), strict=True))
        self._keys, self._masks, self._geojson, self._coco_path = tuple(keys), masks, geojson, coco
        self._coco: dict[str, CocoFile] = {}
        self._opened, self._written = False, 0

    @property
    def bytes_written(self) -> int:
        """Of all files so far, but for the few kilobytes that are on their way."""
        return self._written + sum(file.bytes_written for file in self._coco.values())

    def add(self, judged: JudgedPicture) -> None:
        """Write one picture. Raises SettingError where a file or folder cannot be written."""
        stem = self._stems[judged.picture.name]
        try:
            self._open()
            for key, prediction in judged.predictions.items():
                picture = annotated(judged.picture.name, prediction)
                if self._masks:
                    self._write(_below(self._masks, key) / f"{stem}.png", label_png(prediction))
                if self._geojson:
                    self._write(_below(self._geojson, key) / f"{stem}.geojson", geojson_text(picture).encode())
                if key in self._coco:
                    self._coco[key].add(picture)
        except OSError as error:
            raise _cannot_write(error) from error

    def close(self) -> None:
        """Wait until all is written. Raises SettingError where that failed; called again, it does nothing."""
        files, failures = list(self._coco.values()), []
        for file in files:
            file.close()
            self._written += file.bytes_written
            failures += [file.failure] if file.failure is not None else []
        self._coco = {}
        if failures:
            raise failures[0]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is None:
            self.close()
            return
        with suppress(Exception):  # the error that ended it says more
            self.close()

    def _open(self) -> None:
        if self._opened:
            return
        for folder in (self._masks, self._geojson):
            for key in self._keys if folder else ():
                _below(folder, key).mkdir(parents=True, exist_ok=True)
        for key in [key for key in self._keys if key not in self._coco] if self._coco_path else ():
            self._coco[key] = CocoFile(_numbered(self._coco_path or Path(), key, len(self._keys)))
        self._opened = True

    def _write(self, path: Path, content: bytes) -> None:
        self._written += path.write_bytes(content)


class CocoFile:
    """One COCO file, written by a thread of its own, which takes pictures as they come."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.failure: Exception | None = None
        self._path, self._file = path, path.open("w", encoding="utf-8")
        self._waiting: queue.Queue[AnnotatedPicture | None] = queue.Queue(2)
        self._thread = threading.Thread(target=self._write, name="segdemo-coco", daemon=True)
        self._thread.start()

    @property
    def bytes_written(self) -> int:
        """As they lie on the disk."""
        return self._path.stat().st_size if self._path.is_file() else 0

    def add(self, picture: AnnotatedPicture) -> None:
        """One more picture; waits while others are being written. Raises what has gone wrong with one before it."""
        if self.failure is not None:
            raise self.failure
        self._waiting.put(picture)

    def close(self) -> None:
        """Wait until all is written."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            with self._file:
                write_coco(self._pictures(), self._file)
        except OSError as error:
            self.failure = _cannot_write(error)
        except Exception as error:  # whoever adds the next picture, or closes the file, hears of it
            self.failure = error
        for _rest in self._pictures() if self.failure else ():
            pass  # nobody may wait for a writer that has given up

    def _pictures(self) -> Iterator[AnnotatedPicture]:
        while (picture := self._waiting.get()) is not None:
            yield picture


def _below(folder: Path | None, key: str) -> Path:
    return (folder or Path()) / candidate_file_name(key)


def _numbered(path: Path, key: str, count: int) -> Path:
    return path if count == 1 else path.with_name(f"{path.stem}-{candidate_file_name(key)}{path.suffix}")


def _cannot_write(error: OSError) -> SettingError:
    return SettingError(_("{path} cannot be written: {reason}.", path=error.filename or "", reason=error.strerror or error))

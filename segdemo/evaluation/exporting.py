"""Predictions as files while a data set is gone through: label maps as PNG, COCO and GeoJSON, for each candidate by itself.

MASKS/CANDIDATE/PICTURE.png      indexed PNG: pixel values are the network's own classes
GEOJSON/CANDIDATE/PICTURE.geojson
FILE.json                        COCO; of several candidates FILE-CANDIDATE.json
"""

import queue
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from segdemo.errors import SegdemoError, SettingError
from segdemo.evaluation.coco import write_coco
from segdemo.evaluation.evaluate import JudgedPicture
from segdemo.evaluation.geojson import geojson_text
from segdemo.evaluation.regions import AnnotatedPicture
from segdemo.inference.export import label_png, unique_stems
from segdemo.text import _

__all__ = ["PredictionFiles", "candidate_file_name"]


def candidate_file_name(key: str) -> str:
    """A candidate's key as a file or folder name: "unet-nuclei@threshold=0.3"."""
    return re.sub(r"[^\w.@=-]+", "-", key)


class PredictionFiles(AbstractContextManager["PredictionFiles"]):
    """Where predictions go; None: not written. Raises SettingError where a file or folder cannot be made."""

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
        self._masks, self._geojson = masks, geojson
        try:
            for folder in (masks, geojson):
                for key in keys if folder else ():
                    _below(folder, key).mkdir(parents=True, exist_ok=True)
            self._coco = {key: CocoFile(_numbered(coco, key, len(keys))) for key in keys} if coco else {}
        except OSError as error:
            raise _cannot_write(error) from error

    def add(self, judged: JudgedPicture) -> None:
        """Write one picture. Raises SettingError where that fails."""
        name = judged.picture.name
        for key, prediction in judged.predictions.items():
            annotated = AnnotatedPicture(name, prediction.preds, prediction.classes, prediction.scores)
            try:
                if self._masks:
                    (_below(self._masks, key) / f"{self._stems[name]}.png").write_bytes(label_png(prediction))
                if self._geojson:
                    path = _below(self._geojson, key) / f"{self._stems[name]}.geojson"
                    path.write_text(geojson_text(annotated), encoding="utf-8")
            except OSError as error:
                raise _cannot_write(error) from error
            if key in self._coco:
                self._coco[key].add(annotated)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for file in self._coco.values():
            file.close()
        failures = [file.failure for file in self._coco.values() if file.failure is not None]
        if failures and error is None:
            raise failures[0]


class CocoFile:
    """One COCO file, written by a thread of its own, which takes pictures as they come."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.failure: SegdemoError | None = None
        self._file = path.open("w", encoding="utf-8")
        self._waiting: queue.Queue[AnnotatedPicture | None] = queue.Queue(2)
        self._thread = threading.Thread(target=self._write, name="segdemo-coco", daemon=True)
        self._thread.start()

    def add(self, picture: AnnotatedPicture) -> None:
        """One more picture; waits while others are being written."""
        self._waiting.put(picture)

    def close(self) -> None:
        """Wait until all is written."""
        self._waiting.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            with self._file:
                write_coco(self._pictures(), self._file)
        except SegdemoError as error:
            self.failure = error
        except OSError as error:
            self.failure = _cannot_write(error)
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

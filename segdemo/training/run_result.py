"""What a training leaves: weights with their card, as files to take away, and as an entry for the picker."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from segdemo.errors import CheckpointError
from segdemo.text import _
from segdemo.training.run_folder import RunFolder
from segdemo.types import WeightsEntry
from segdemo.weights import ImportedCheckpoint, answered, draft_of_upload
from segdemo.weights.cards import file_sha256, read_card
from segdemo.weights.imported import CARD_FIELDS
from segdemo.weights.tensorfiles import read_tensors

__all__ = ["card_of", "entry_of", "event_files", "weights_of"]


def weights_of(run: RunFolder) -> Path | None:
    """The best weights so far, None where none were kept yet."""
    return next((path for path in sorted(run.weights.glob("*/*.safetensors")) if path.with_suffix(".json").is_file()), None)


def card_of(run: RunFolder) -> dict[str, Any]:
    """The card of the best weights so far; empty where there is none."""
    path = weights_of(run)
    card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) if path else {}
    return card


def entry_of(run: RunFolder) -> WeightsEntry:
    """The best weights as imported ones are, ready to be kept: their file is copied to where imports lie.

    Raises CheckpointError where there are none, or the file cannot be copied.
    """
    path = weights_of(run)
    if path is None:
        raise CheckpointError(_("This training has left no weights."))
    trained = read_card(path.with_suffix(".json"))
    checkpoint = ImportedCheckpoint(
        layout="", layout_title="", model=trained.model, options=trained.options, state=read_tensors(path),
        sha256=file_sha256(path), params=trained.params, preprocessing=trained.preprocessing, classes=trained.classes,
    )  # fmt: skip
    draft = draft_of_upload(checkpoint, trained.title)
    card = {**{key: value for key, value in trained.card.items() if key not in CARD_FIELDS}, **draft.card}
    draft = replace(
        draft, title=trained.title, trained_on=trained.trained_on, licence=trained.licence, score=trained.score,
        score_name=trained.score_name, card=card,
    )  # fmt: skip
    return answered(draft, trained.classes)


def event_files(run: RunFolder) -> bytes | None:
    """TensorBoard's files as a ZIP, None where there are none."""
    files = sorted(path for path in run.events.glob("**/*") if path.is_file())
    if not files:
        return None
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(run.events).as_posix())
    return buffer.getvalue()

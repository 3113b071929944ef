"""A card: one JSON file beside each bundled set of weights that says what it is, what it was trained on and how well it
does. Written by the training, read by the catalogue; every figure in it was measured."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from segdemo.errors import CheckpointError
from segdemo.types import ClassInfo, Preprocessing, WeightsEntry

__all__ = ["file_sha256", "read_card", "write_card"]


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card, dataclasses within it as plain values."""
    text = json.dumps(card, indent=2, ensure_ascii=False, default=asdict)
    path.write_text(text + "\n", encoding="utf-8")


def read_card(path: Path) -> WeightsEntry:
    """The catalogue entry of a card. Raises CheckpointError where the card is not one."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        preprocessing: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in card["preprocessing"].items()}
        return WeightsEntry(
            weights_id=card["weights_id"],
            model=card["model"],
            options=card["options"],
            classes=tuple(ClassInfo(c["name"], tuple(c["color"])) for c in card["classes"]),
            preprocessing=Preprocessing(**preprocessing),
            title=card["title"],
            trained_on=card["trained_on"],
            licence=card["licence"],
            params=card["params"],
            sha256=card["sha256"],
            size_bytes=card["size_bytes"],
            score=card["scores"]["score"],
            score_name=card["score_name"],
            layout=card.get("layout", ""),
            card=card,
            task=card.get("task", "segment"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path.name} is not a weights card: {error!r}.") from error

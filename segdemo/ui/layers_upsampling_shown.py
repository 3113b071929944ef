"""What each method of the Up-sampling view hands over: the scene, what is said of it, what is asked, what can be typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segdemo.layerlab.scene import Scene
from segdemo.text import _
from segdemo.ui.layers_typed import Cells

__all__ = ["Question", "Shown", "size_question", "unreadable"]

CHOICES = 3


@dataclass(frozen=True)
class Question:
    """What can be predicted: choices and the right one by their keys, and why it is right."""

    words: str
    choices: Mapping[str, str]
    answer: str
    why: str


@dataclass(frozen=True)
class Shown:
    """What is drawn, the sentence under it, the question, the cells that can be typed over, and the padding around them."""

    scene: Scene
    note: str
    question: Question
    image: Cells
    kernel: Cells | None = None
    padding: int = 0


def size_question(size: int, mistaken: Sequence[int], why: str) -> Question:
    """How large the output will be; mistaken: sizes that come out where something is forgotten, the likeliest first."""
    wrong = [n for n in dict.fromkeys((*mistaken, size + 2, size + 1, size + 3)) if n > 0 and n != size]
    choices = {str(n): f"{n} × {n}" for n in sorted((size, *wrong[: CHOICES - 1]))}
    return Question(_("How large will the output be?"), choices, str(size), why)


def unreadable(most: int) -> str:
    """Why an output ends at `most` cells a side."""
    return _("Beyond {n} cells per side, their numbers could not be read.", n=most)

"""One label space for networks that name their classes differently: classes are brought together by their names.

    network A   background  nucleus          ─▶  0  1
    network B   background  nucleus  debris  ─▶  0  1  0      "debris" is extra: it counts as background
    data        background  nucleus  border  ─▶  0  1  0      "border" is unknown to both networks

Index 0 is the background, which here means anything else. A class counts only where all sides know it, so that every
network is judged by the same question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.text import N_, _
from segdemo.types import IGNORE_INDEX, ClassInfo, LabelMap, Notice, WeightsEntry
from segdemo.weights.palette import colors_of

__all__ = ["LabelSpace", "LookupTable", "background_of", "common_space", "space_of_data"]

LookupTable = NDArray[np.uint8]  # (256,): own label → common label
BACKGROUND_NAMES = frozenset({"background", "bg", "other", "others", "void", "none", "nothing", "unlabeled", "unlabelled"})
GENERIC_NAMES = frozenset({"foreground", "object", "class 1", "1", "mask", "positive", "target"})
SHOWN = 8  # names in a sentence
BLACK = (0, 0, 0)
ANYTHING_ELSE = N_("anything else")


@dataclass(frozen=True)
class LabelSpace:
    """The classes that all sides share, and how each side's labels become theirs.

    classes: class 0 is the background. tables: by weights_id; every label that is not shared goes to 0. target_table: of the
    data, IGNORE_INDEX stays. unknown: by weights_id, the data's classes that a network does not know. extra: by weights_id,
    a network's classes that are not shared. refused: by weights_id, why it cannot be compared. Names of classes are translated
    where they are shown.
    """

    classes: tuple[ClassInfo, ...]
    tables: Mapping[str, LookupTable]
    target_table: LookupTable
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Mapping[str, Notice] = field(default_factory=dict)

    def labels(self, weights_id: str, preds: LabelMap) -> LabelMap:
        """A network's label map (H, W) in the common classes."""
        return np.asarray(cv2.LUT(preds, self.tables[weights_id]), np.uint8)

    def target(self, target: LabelMap) -> LabelMap:
        """The data's label map (H, W) in the common classes; ignored pixels stay ignored."""
        return np.asarray(cv2.LUT(target, self.target_table), np.uint8)


@dataclass(frozen=True)
class _Side:
    """The names of a network's or of data's classes."""

    names: tuple[str, ...]

    @property
    def first(self) -> int:
        """Index of the first class that is not the background."""
        return 0 if background_of(self.names) is None else 1

    @property
    def foreground(self) -> tuple[str, ...]:
        """Names as they are compared, without what is background by name."""
        found = (_plain(name) for name in self.names[self.first :])
        return tuple(dict.fromkeys(name for name in found if name not in BACKGROUND_NAMES))

    @property
    def generic(self) -> bool:
        """Whether this is two classes of which the second has no name of its own."""
        return len(self.names) == 2 and _plain(self.names[1]) in GENERIC_NAMES

    def indices(self, name: str) -> list[int]:
        """Where a compared name stands, at or after `first`."""
        return [i for i, own in enumerate(self.names) if i >= self.first and _plain(own) == name]


def background_of(names: Sequence[str]) -> int | None:
    """Index of the class that is nothing: the first of two, or a first one so named. Some networks name every pixel: None."""
    return 0 if len(names) <= 2 or _plain(names[0]) in BACKGROUND_NAMES else None


def common_space(entries: Sequence[WeightsEntry]) -> LabelSpace:
    """The classes that networks share. One that shares none with those before it is refused, and the others go on."""
    return _space(entries, None)


def space_of_data(entries: Sequence[WeightsEntry], class_names: Sequence[str]) -> LabelSpace:
    """The classes that networks share with data of these class names, index 0 first.

    Two-class data without a name for its foreground, as a data set has it that comes without a list of names, match every
    two-class network. A network that shares no class is refused.
    """
    return _space(entries, _Side(tuple(class_names)))


def _space(entries: Sequence[WeightsEntry], data: _Side | None) -> LabelSpace:
    sides = {entry.weights_id: _Side(tuple(info.name for info in entry.classes)) for entry in entries}
    shared: tuple[str, ...] | None = data.foreground if data else None
    wild = data is not None and data.generic
    accepted: list[WeightsEntry] = []
    refused: dict[str, Notice] = {}
    for entry in {entry.weights_id: entry for entry in entries}.values():
        side = sides[entry.weights_id]
        left = side.foreground if shared is None else _shared(shared, side, wild)
        if entry.task != "segment":
            refused[entry.weights_id] = Notice(N_("{id} draws pictures instead of labelling them."), {"id": entry.weights_id})
        elif not left:
            refused[entry.weights_id] = _nothing_shared(entry.weights_id, side, shared or (), data)
        else:
            shared = left
            accepted.append(entry)
    names = shared or ()
    tables = {entry.weights_id: _table(sides[entry.weights_id], names) for entry in accepted}
    return LabelSpace(
        _classes(accepted, names, data),
        tables,
        _table(data, names) if data else _identity(),
        {entry.weights_id: _lacking(data, sides[entry.weights_id], wild) for entry in accepted} if data else {},
        {entry.weights_id: _unused(sides[entry.weights_id], tables[entry.weights_id], data) for entry in accepted},
        refused,
    )


def _plain(name: str) -> str:
    """A name as it is compared."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split()).strip()


def _shared(names: tuple[str, ...], side: _Side, wild: bool) -> tuple[str, ...]:
    """Those of `names` that a side knows. Of one name and two classes, a name that says nothing matches any."""
    if len(names) == 1 and len(side.names) == 2 and (wild or side.generic or names[0] in GENERIC_NAMES):
        return side.foreground if names[0] in GENERIC_NAMES else names
    return tuple(name for name in names if name in side.foreground)


def _table(side: _Side, names: tuple[str, ...]) -> LookupTable:
    table = np.zeros(256, np.uint8)
    table[IGNORE_INDEX] = IGNORE_INDEX
    for place, name in enumerate(names, start=1):
        table[side.indices(name)] = place
    if len(names) == 1 and not table[:IGNORE_INDEX].any() and len(side.names) == 2:
        table[1] = 1  # a name that says nothing
    return table


def _identity() -> LookupTable:
    return np.arange(256, dtype=np.uint8)


def _classes(accepted: list[WeightsEntry], names: tuple[str, ...], data: _Side | None) -> tuple[ClassInfo, ...]:
    """With the names and colours of the first network; of data that no network fits, its own names."""
    if not accepted:
        own = data.names if data else ("background",)
        return tuple(ClassInfo(name, color) for name, color in zip(own, colors_of(len(own)), strict=True))
    first = accepted[0]
    side = _Side(tuple(info.name for info in first.classes))
    background = first.classes[0] if side.first == 1 else ClassInfo(ANYTHING_ELSE, BLACK)
    found = [first.classes[(side.indices(name) or [1])[0]] for name in names]
    return background, *found


def _lacking(data: _Side, side: _Side, wild: bool) -> tuple[str, ...]:
    """The data's classes that a network does not know."""
    if _shared(data.foreground, side, wild) and len(data.foreground) == 1:
        return ()
    return tuple(name for name in data.names[data.first :] if _plain(name) in set(data.foreground) - set(side.foreground))


def _unused(side: _Side, table: LookupTable, data: _Side | None) -> tuple[str, ...]:
    """A network's classes that go to the background, but for those that the data have and another network lacks."""
    known = set(data.foreground) if data else set()
    own = enumerate(side.names[side.first :], start=side.first)
    return tuple(name for i, name in own if not table[i] and _plain(name) not in known | BACKGROUND_NAMES)


def _nothing_shared(weights_id: str, side: _Side, shared: tuple[str, ...], data: _Side | None) -> Notice:
    values = {"id": weights_id, "own": _listed(side.foreground), "wanted": _listed(shared)}
    if data is None:
        return Notice(N_("{id} shares no class with the networks before it: it knows {own}, they share {wanted}."), values)
    if shared == data.foreground:
        return Notice(N_("{id} knows none of the data's classes: it knows {own}, the masks hold {wanted}. If these are the same, "
                         "give the masks' classes the network's names."), values)  # fmt: skip
    return Notice(N_("{id} knows none of the classes that the data and the networks before it share: it knows {own}, they share "
                     "{wanted}."), values)  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(names[:SHOWN])
    return text + (", …" if len(names) > SHOWN else "") if names else _("none")

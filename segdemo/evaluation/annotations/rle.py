"""COCO's run-length code of a mask: lengths of runs outside and inside in turn, column by column, as text.

The text holds each length, from the fourth on its difference to the length before the last, in groups of five bits, lowest first:
one character each, 48 + group, and 32 more where another group follows; the sign is the fifth bit of the last group.

Not with `pycocotools.mask` (which the tests hold this against): it takes one mask of the picture's size for each object, where
here all objects are read off in one pass, and it ends the program on a damaged code, which a visitor's file may have.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import ImageError
from segdemo.text import _

__all__ = ["compressed", "decompressed", "run_lengths", "runs_inside"]

Counts = NDArray[np.int64]  # (n,) lengths of runs in pixels, the first outside, and possibly 0
BITS, GROUPS = 5, 8  # 39 bits and a sign: more pixels than any picture has


def run_lengths(ids: NDArray[np.int32], count: int) -> Iterator[Counts]:
    """The runs of each region 1 … `count` of a map (H, W); together they are as long as the map has pixels."""
    columns = ids.T.ravel()
    bounds = np.concatenate([[0], np.flatnonzero(columns[1:] != columns[:-1]) + 1, [columns.size]])
    owner = columns[bounds[:-1]]
    order = np.argsort(owner, kind="stable")
    ranges = np.stack([bounds[:-1], bounds[1:]], axis=1)[order]
    last = np.searchsorted(owner[order], np.arange(count + 1), side="right")
    for begin, end in pairwise(last.tolist()):
        counts = np.diff(ranges[begin:end].ravel(), prepend=0, append=columns.size)
        yield counts if counts[-1] else counts[:-1]  # a code does not end with an empty run


def compressed(counts: Counts) -> str:
    """The lengths as text."""
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2]
    rest = values[:, None] >> (BITS * np.arange(GROUPS + 1))  # (n, GROUPS + 1): what is left before each group
    group = rest[:, :-1] & 31
    done = rest[:, 1:] == np.where(group & 16, -1, 0)  # only the sign is left
    written = np.cumsum(done, axis=1) - done == 0
    characters: NDArray[np.int64] = group + 48 + 32 * ~done
    return bytes(characters[written].astype(np.uint8)).decode("ascii")


def decompressed(text: str) -> Counts:
    """The lengths that `compressed` wrote. Raises ImageError where a text is none of its."""
    codes = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(codes & 32 == 0)
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or not len(ends) or ends[-1] != len(codes) - 1:
        raise ImageError(_("The run-length code of a mask is damaged."))
    begins = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(len(codes)) - np.repeat(begins, ends - begins + 1)
    if place.max() >= GROUPS:
        raise ImageError(_("The run-length code of a mask is damaged."))
    values = np.add.reduceat((codes & 31) << (BITS * place), begins)
    values -= ((codes[ends] & 16) >> 4) << (BITS * (place[ends] + 1))
    values[1::2], values[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return values


def runs_inside(counts: Sequence[int] | Counts, pixels: int) -> NDArray[np.int64]:
    """Begin and end (n, 2) of the runs inside a mask of so many pixels, column by column. Raises ImageError."""
    lengths = np.asarray(counts)
    if lengths.ndim != 1 or lengths.dtype.kind != "i" or lengths.min(initial=0) < 0 or sum(lengths.tolist()) != pixels:
        raise ImageError(_("The run-length code of a mask does not have the size of its picture."))
    ends = np.cumsum(lengths, dtype=np.int64)
    inside = ends[1::2]
    return np.stack([ends[0::2][: len(inside)], inside], axis=1)

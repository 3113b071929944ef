"""What happens when memory is short: fewer pixels on the same device, then the same on the CPU, then a sentence."""

from collections.abc import Callable
from typing import TypeVar

import torch

from segdemo.errors import ImageError
from segdemo.text import _

__all__ = ["SHRINK", "is_out_of_memory", "no_memory", "with_less"]

T = TypeVar("T")
SHRINK = 4  # to a quarter of the pixels
WORDS = ("not enough memory", "can't allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """torch has a type for CUDA's; the CPU's and Apple's allocators raise a plain RuntimeError."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(words in str(error) for words in WORDS)


def no_memory() -> ImageError:
    """The sentence for a picture that is too large whatever is tried."""
    return ImageError(_("There is not enough memory for this picture and this network. A smaller network or picture works."))


def with_less(device: torch.device, max_pixels: int, run: Callable[[torch.device, int, bool], T]) -> T:
    """What `run` returns of a device, the pixels a network may see, and whether these are fewer than it should.

    Raises ImageError where memory is never enough, and what else `run` raises.
    """
    tries = [(device, max_pixels), (device, max_pixels // SHRINK)]
    tries += [(torch.device("cpu"), max_pixels // SHRINK)] if device.type != "cpu" else []
    short: Exception | None = None
    for where, pixels in tries:
        try:
            return run(where, pixels, short is not None)
        except (RuntimeError, MemoryError) as error:  # torch's own is a RuntimeError
            if not is_out_of_memory(error):
                raise
            short = error
        if where.type == "cuda":
            torch.cuda.empty_cache()
    raise no_memory() from short

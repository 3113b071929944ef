"""What is tried, in which order, where memory is short; and what is no shortage of memory."""

import pytest
import torch

from segdemo.errors import ImageError
from segdemo.inference.retrying import is_out_of_memory, with_less

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
Try = tuple[str, int, bool]


def tried(device: torch.device, enough_after: int, error: Exception) -> tuple[list[Try], Try]:
    tries: list[Try] = []

    def run(where: torch.device, pixels: int, shrunk: bool) -> Try:
        tries.append((where.type, pixels, shrunk))
        if len(tries) <= enough_after:
            raise error
        return tries[-1]

    return tries, with_less(device, 1000, run)


@pytest.mark.parametrize(("failures", "found"), [(0, ("cuda", 1000, False)), (1, ("cuda", 250, True)), (2, ("cpu", 250, True))])
def test_fewer_pixels_then_the_cpu(failures: int, found: Try) -> None:
    tries, result = tried(CUDA, failures, torch.OutOfMemoryError("CUDA out of memory"))
    assert result == tries[-1] == found and len(tries) == failures + 1


@pytest.mark.parametrize(("device", "last"), [(CPU, 2), (CUDA, 3)])
def test_never_enough_is_a_sentence_with_its_cause(device: torch.device, last: int) -> None:
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
    with pytest.raises(ImageError, match="not enough memory") as caught:
        tried(device, last, error)
    assert caught.value.__cause__ is error


def test_other_errors_are_not_tried_again() -> None:
    with pytest.raises(RuntimeError, match="shape mismatch"):
        tried(CUDA, 1, RuntimeError("shape mismatch"))
    assert is_out_of_memory(MemoryError()) and not is_out_of_memory(RuntimeError("shape mismatch"))

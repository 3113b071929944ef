"""Reading the tensors of a file without running anything in it, and without the memory that a hostile one would ask for.

Both readers map the file into memory instead of copying it: until the caller has compared names and shapes and copies
what fits, nothing larger than the file's directory has been allocated.
"""

import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from segdemo.errors import CheckpointError
from segdemo.text import _

__all__ = ["MAX_TENSORS", "read_tensors"]

MAX_TENSORS = 10_000
MAX_DIRECTORY_BYTES = 4 * 2**20  # names and shapes of 10,000 tensors; 300,000 take seconds to read


def read_tensors(path: Path, *, trusted_origin: bool = False) -> dict[str, Tensor]:
    """State dict of a .safetensors or PyTorch file, on the CPU, backed by the file.

    `trusted_origin` also allows PyTorch's format from before 2020, which states the memory it wants before anything
    can be compared; set it where the file's hash is known. Raises CheckpointError.
    """
    try:
        state = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path, trusted_origin)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes the readers fail in every way there is
        raise CheckpointError(_("{name} cannot be read as weights: it is damaged or no such file.", name=path.name)) from error
    if not isinstance(state, dict) or not all(isinstance(k, str) and _is_plain(v) for k, v in state.items()):
        raise CheckpointError(_("{name} holds something other than the named tensors of one network.", name=path.name))
    if len(state) > MAX_TENSORS:
        raise CheckpointError(_("{name} holds more than {limit} tensors.", name=path.name, limit=MAX_TENSORS))
    return state


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as file:
        _check_directory(path, int.from_bytes(file.read(8), "little"))
    return load_file(path)


def _read_torch(path: Path, trusted_origin: bool) -> object:
    zipped = zipfile.is_zipfile(path)
    if zipped:
        _check_zip(path)
    elif not trusted_origin:
        raise CheckpointError(_("{name} is in PyTorch's old format: save it again with a current PyTorch.", name=path.name))
    return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)


def _check_zip(path: Path) -> None:
    """Refuse an archive that unfolds into more than its own size: PyTorch stores tensors uncompressed."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > path.stat().st_size:
        raise CheckpointError(_("{name} is packed in a way that PyTorch does not pack weights.", name=path.name))
    _check_directory(path, max((m.file_size for m in members if m.filename.endswith("data.pkl")), default=0))


def _check_directory(path: Path, size: int) -> None:
    if size > MAX_DIRECTORY_BYTES:
        raise CheckpointError(_("{name} holds more than {limit} tensors.", name=path.name, limit=MAX_TENSORS))


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized and not value.is_meta

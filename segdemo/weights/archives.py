"""The two file formats of PyTorch, opened without PyTorch: the zip archive of today, and the older row of pickles.

    zip:   directory ─▶ data.pkl ─▶ description of all tensors      ─▶ the numbers of those that are wanted
    older: magic, version, system ─▶ description ─▶ keys of storages ─▶ for each its length and its numbers

The file is mapped into memory. Until the numbers of a tensor are asked for, only directory and description are read,
both of bounded size, and the numbers are then the file's own bytes: nothing is unpacked or copied.
"""

import io
import mmap
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from segdemo.errors import CheckpointError
from segdemo.text import _
from segdemo.weights.pickles import StorageClaim, TensorClaim, describe_pickle

__all__ = ["Archive", "open_older", "open_zip", "tensor_of"]

DTYPES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32, "ShortStorage": torch.int16,
    "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64, "ComplexDoubleStorage": torch.complex128,
}  # fmt: skip
OLDER_MAGIC = 0x1950A86A20F9469CFC6C
END_OF_DIRECTORY, END_OF_LARGE_DIRECTORY = b"PK\5\6", b"PK\6\6"
END_BYTES = 66_000  # the end record, with the longest comment there can be
LOCAL_HEADER = struct.Struct("<26xHH")  # a member's own header ends in the lengths of its name and of its extra field


@dataclass(frozen=True)
class Archive:
    """What a file describes, the names it wants imported, and a way to the bytes of one storage."""

    content: object
    names: frozenset[str]
    storage: Callable[[StorageClaim], memoryview]


def open_zip(path: Path, max_directory: int) -> Archive:
    """A zip archive as `torch.save` writes it. Raises CheckpointError for any other, and what damage makes fail."""
    with path.open("rb") as file:
        memory = _mapped(file)
        members = _directory(path, file, memory, max_directory)
    names = [name for name in members if name.rpartition("/")[2] == "data.pkl"]
    if len(names) != 1 or any(name.rpartition("/")[2] == "constants.pkl" for name in members):
        raise CheckpointError(_no_checkpoint(path, list(members)))
    folder = names[0].removesuffix("data.pkl")
    if (order := members.get(f"{folder}byteorder")) is not None and bytes(_member(memory, order)) != b"little":
        raise CheckpointError(_("{name} was written on a machine that orders bytes differently.", name=path.name))
    if members[names[0]].file_size > max_directory:
        raise CheckpointError(_("{name} describes more than any network has.", name=path.name))
    content, wanted = describe_pickle(bytes(_member(memory, members[names[0]])))
    return Archive(content, wanted, lambda claim: _member(memory, members[f"{folder}data/{claim.key}"]))


def open_older(path: Path, max_directory: int) -> Archive:
    """The format of PyTorch before 1.6 (2020). Raises as `open_zip` does."""
    with path.open("rb") as file:
        memory = _mapped(file)
    stream = io.BytesIO(memory[:max_directory])  # what lies behind it can only be numbers
    magic, _version, _system = (describe_pickle(stream)[0] for _part in range(3))
    if magic != OLDER_MAGIC:
        raise CheckpointError(_("{name} is a pickle, but no checkpoint of PyTorch.", name=path.name))
    content, names = describe_pickle(stream)
    keys, _names = describe_pickle(stream)
    sizes = _storage_sizes(content)
    starts, position = {}, stream.tell()
    for key in keys if isinstance(keys, list) else []:
        starts[key] = position + 8
        position += 8 + int.from_bytes(memory[position : position + 8], "little") * sizes.get(key, 0)
    return Archive(content, names, lambda claim: memoryview(memory)[starts[claim.key] :])


def tensor_of(claim: TensorClaim, archive: Archive) -> Tensor:
    """A tensor over the file's own bytes. Raises ValueError where it would reach beyond them."""
    dtype = DTYPES[claim.storage.kind]
    if 0 in claim.shape:
        return torch.empty(claim.shape, dtype=dtype)
    last = claim.offset + sum((n - 1) * step for n, step in zip(claim.shape, claim.stride, strict=True))
    data = archive.storage(claim.storage)
    if last >= claim.storage.count or claim.storage.count * dtype.itemsize > len(data):
        raise ValueError("the file ends before the tensor does")
    flat = torch.frombuffer(data, dtype=dtype, count=last + 1)
    return flat.as_strided(claim.shape, claim.stride, claim.offset)


def _mapped(file: BinaryIO) -> mmap.mmap:
    """The file as memory that may be written to without the file being changed, as torch wants it."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _directory(path: Path, file: BinaryIO, memory: mmap.mmap, max_directory: int) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive that unfolds into no more than its own size: PyTorch stores tensors uncompressed."""
    if _directory_bytes(memory) > max_directory:
        raise CheckpointError(_("{name} describes more than any network has.", name=path.name))
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    packed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if packed or sum(member.file_size for member in members) > len(memory):
        raise CheckpointError(_("{name} is packed in a way that PyTorch does not pack weights.", name=path.name))
    return {member.filename: member for member in members}


def _directory_bytes(memory: mmap.mmap) -> int:
    """The largest size that any end record states; which of them a reader believes is then no matter."""
    end = memory[-END_BYTES:]
    found = [0]
    for signature, offset, length in ((END_OF_DIRECTORY, 12, 4), (END_OF_LARGE_DIRECTORY, 40, 8)):
        at = end.find(signature)
        while at >= 0:
            size = int.from_bytes(end[at + offset : at + offset + length], "little")
            found.append(0 if size == 0xFFFF_FFFF and length == 4 else size)
            at = end.find(signature, at + 1)
    return max(found)


def _member(memory: mmap.mmap, member: zipfile.ZipInfo) -> memoryview:
    """The bytes of a member. Raises ValueError where the file ends before."""
    name_bytes, extra_bytes = LOCAL_HEADER.unpack_from(memory, member.header_offset)
    start = member.header_offset + LOCAL_HEADER.size + name_bytes + extra_bytes
    if start + member.file_size > len(memory):
        raise ValueError("the file ends before its member does")
    return memoryview(memory)[start : start + member.file_size]


def _no_checkpoint(path: Path, members: list[str]) -> str:
    inside = next((name for name in members if name.endswith((".pt", ".pth", ".safetensors"))), None)
    if inside is not None:
        return _("{name} is an archive: unpack it, and choose the file {inside} that is in it.", name=path.name, inside=inside)
    if any(name.rpartition("/")[2] == "constants.pkl" for name in members):
        return _("{name} is a compiled program (TorchScript), not weights: save the network's state_dict() instead.",
                 name=path.name)  # fmt: skip
    return _("{name} is an archive, but no checkpoint of PyTorch.", name=path.name)


def _storage_sizes(content: object) -> dict[str, int]:
    """Bytes of one number in each storage that the description mentions."""
    sizes, waiting, seen = {}, [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, TensorClaim):
            value = value.storage
        if isinstance(value, StorageClaim):
            sizes[value.key] = DTYPES[value.kind].itemsize if value.kind in DTYPES else 0
        elif id(value) not in seen:
            seen.add(id(value))
            waiting.extend(_parts(value))
    return sizes


def _parts(value: object) -> list[object]:
    match value:
        case dict():
            return list(value.values())
        case list() | tuple():
            return list(value)
        case _:
            return [state] if (state := getattr(value, "state", None)) is not None else []

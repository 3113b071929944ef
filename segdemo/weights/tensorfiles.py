"""Reading the tensors of a file without running anything in it, and without the memory that a hostile one would ask for.

    first bytes ─▶ safetensors | zip archive | older PyTorch ─▶ names and shapes ─▶ tensors over the file's own bytes

The kind is told by the content, never by the name. Every reader maps the file into memory instead of copying it: until
the caller has compared names and shapes and copies what fits, nothing larger than the file's directory has been read.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from segdemo.errors import CheckpointError
from segdemo.text import _
from segdemo.weights.archives import Archive, open_older, open_zip, tensor_of
from segdemo.weights.pickles import TensorClaim
from segdemo.weights.wrappers import MAX_TENSORS, check_count, check_name, state_of, stripped

__all__ = ["MAX_FILE_BYTES", "MAX_TENSORS", "Checkpoint", "as_file", "read_checkpoint", "read_tensors"]

MAX_FILE_BYTES = 4 * 2**30
MAX_DIRECTORY_BYTES = 4 * 2**20  # names and shapes of 10,000 tensors; 300,000 take seconds to read

# Names under which a pickle reaches the system. A checkpoint that holds one is not just old or careless.
ATTACKS = frozenset(
    "os posix nt subprocess sys shutil socket pty runpy importlib ctypes multiprocessing webbrowser urllib requests code "
    "codeop commands pickle marshal types functools operator inspect pydoc timeit asyncio bdb pdb pip".split()
)
HARMLESS_BUILTINS = frozenset("bool bytearray bytes complex dict float frozenset int list object range set str tuple".split())
FOREIGN = {
    b"\x89HDF": "Keras / HDF5", b"GGUF": "GGUF", b"\x08\x07\x12\x07": "ONNX", b"\x08\x08\x12\x07": "ONNX",
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"%PDF": "PDF", b"\x1f\x8b": "gzip",
}  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """The named tensors of one network, backed by their file, and what else was in it and left out."""

    state: dict[str, Tensor]
    left_out: tuple[str, ...] = ()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """State dict of a .safetensors or PyTorch file that holds nothing else, on the CPU, backed by the file.

    Raises CheckpointError.
    """
    content = _read(path, _plain_state)
    return content.state


def read_checkpoint(path: Path) -> Checkpoint:
    """As `read_tensors`, of any training's checkpoint: unwrapped, `module.` stripped, without what is no tensor."""
    return _read(path, _found_state)


@contextmanager
def as_file(source: bytes | str | Path) -> Iterator[Path]:
    """The path of a file, or a temporary file with these bytes. Raises CheckpointError where there is none."""
    if not isinstance(source, bytes):
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="segdemo-") as folder:
        path = Path(folder) / _("The file")
        path.write_bytes(source)
        yield path


def _read(path: Path, state_from: Callable[[Archive, Path], Checkpoint]) -> Checkpoint:
    try:
        start = _start_of(path)
        if start[8:9] == b"{":  # asked first, because the length before it can look like any other beginning
            _check_directory(path, int.from_bytes(start[:8], "little"))
            return _checked(path, Checkpoint(load_file(path)))
        if start.startswith(b"PK"):
            return _checked(path, state_from(open_zip(path, MAX_DIRECTORY_BYTES), path))
        if start.startswith(b"\x80"):
            return _checked(path, state_from(open_older(path, MAX_DIRECTORY_BYTES), path))
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file makes the readers fail in every way there is
        raise CheckpointError(_("{name} cannot be read as weights: it is damaged or no such file.", name=path.name)) from error
    raise CheckpointError(_foreign(path, start))


def _start_of(path: Path) -> bytes:
    """The first bytes. Raises CheckpointError where there is no file, nothing in it, or too much."""
    if not path.is_file():
        raise CheckpointError(_("The file {name} does not exist.", name=path.name))
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError(_("{name} is empty.", name=path.name))
    if size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES / 2**30
        raise CheckpointError(_("{name} is larger than {limit:.0f} GB.", name=path.name, limit=limit))
    with path.open("rb") as file:
        return file.read(16)


def _foreign(path: Path, start: bytes) -> str:
    for magic, kind in FOREIGN.items():
        if start.startswith(magic):
            return _("{name} is a file of another kind ({kind}). PyTorch's .pt and .pth and .safetensors work.",
                     name=path.name, kind=kind)  # fmt: skip
    return _("{name} cannot be read as weights: it is damaged or no such file.", name=path.name)


def _plain_state(archive: Archive, path: Path) -> Checkpoint:
    """The tensors of a file that is one state dict and nothing more."""
    content = archive.content
    if not isinstance(content, dict) or not all(isinstance(v, TensorClaim) for v in content.values()):
        raise CheckpointError(_("{name} holds something other than the named tensors of one network.", name=path.name))
    return Checkpoint(_tensors(content, archive, path))


def _found_state(archive: Archive, path: Path) -> Checkpoint:
    """The tensors of the network somewhere in a training's checkpoint."""
    if attacks := sorted(filter(_attacks, archive.names)):
        raise CheckpointError(
            _("{name} would run commands when it is opened with Python ({calls}). Nothing in it was run. "
              "Do not open it elsewhere either.", name=path.name, calls=", ".join(attacks)[:200])
        )  # fmt: skip
    claims, left_out = state_of(archive.content, path.name)
    return Checkpoint(_tensors(claims, archive, path), left_out)


def _tensors(claims: Mapping[str, TensorClaim], archive: Archive, path: Path) -> dict[str, Tensor]:
    """The tensors that are described. Raises CheckpointError where one repeats numbers to be larger than the file."""
    check_count(len(claims), path.name)
    state = {key: tensor_of(claim, archive) for key, claim in claims.items()}
    if any(claim.storage.count < state[key].numel() for key, claim in claims.items()):
        raise CheckpointError(_("{name} claims tensors that are larger than the file.", name=path.name))
    return state


def _attacks(name: str) -> bool:
    module, _dot, attribute = name.rpartition(".")
    if module in ("builtins", "__builtin__"):
        return attribute not in HARMLESS_BUILTINS
    return module.split(".")[0] in ATTACKS


def _checked(path: Path, checkpoint: Checkpoint) -> Checkpoint:
    state = checkpoint.state
    if not state or not all(isinstance(k, str) and _is_plain(v) for k, v in state.items()):
        raise CheckpointError(_("{name} holds something other than the named tensors of one network.", name=path.name))
    check_count(len(state), path.name)
    check_name(max(map(len, state)), path.name)
    return Checkpoint(stripped(state), checkpoint.left_out)


def _check_directory(path: Path, size: int) -> None:
    if size > MAX_DIRECTORY_BYTES:
        raise CheckpointError(_("{name} holds more than {limit} tensors.", name=path.name, limit=MAX_TENSORS))


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized and not value.is_meta

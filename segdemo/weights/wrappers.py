"""Where in a checkpoint the network's state dict lies, and what trainings put around its names."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TypeVar

from segdemo.errors import CheckpointError
from segdemo.text import _
from segdemo.weights.pickles import Opaque, TensorClaim

__all__ = ["MAX_NAME", "MAX_TENSORS", "check_count", "check_name", "state_of", "stripped"]

T = TypeVar("T")

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "network_weights", "model", "net", "network", "weights", "params")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "segmentation_model.")
DUPLICATES = ".all_modules."  # nnU-Net lists each of its layers a second time under this name
MAX_NESTING = 40
MAX_TENSORS = 10_000
MAX_NAME = 1000  # characters


def state_of(content: object, file: str) -> tuple[dict[str, TensorClaim], tuple[str, ...]]:
    """The named tensors of the network that a checkpoint describes, and the names of what else stood among them.

    `file` is the file's name, for the sentence where there is more than any network has: raises CheckpointError.
    """
    found = _unwrapped(content, file)
    named = {str(key): value for key, value in found.items()}
    tensors = {key: value for key, value in named.items() if isinstance(value, TensorClaim) and DUPLICATES not in key}
    left_out = tuple(key for key, value in named.items() if not isinstance(value, TensorClaim))
    return tensors, left_out


def stripped(state: Mapping[str, T]) -> dict[str, T]:
    """Without the prefixes that all names share because the network was wrapped for training."""
    first, last, end = min(state, default=""), max(state, default=""), 0  # what these share, all between them share
    while prefix := next((p for p in PREFIXES if first.startswith(p, end) and last.startswith(p, end)), None):
        end += len(prefix)
    return {key[end:]: value for key, value in state.items()}


def check_count(count: int, file: str) -> None:
    """Raise CheckpointError for more tensors than any network has."""
    if count > MAX_TENSORS:
        raise CheckpointError(_("{name} holds more than {limit} tensors.", name=file, limit=MAX_TENSORS))


def check_name(length: int, file: str) -> None:
    """Raise CheckpointError for a tensor's name that is longer than any network's."""
    if length > MAX_NAME:
        raise CheckpointError(_("{name} holds a tensor whose name has more than {limit} characters.", name=file, limit=MAX_NAME))


def _unwrapped(content: object, file: str) -> dict[object, object]:
    """The innermost dictionary under one of the known names, or a whole saved network taken apart."""
    for _level in range(MAX_NESTING):
        if isinstance(content, Opaque) and isinstance(content.state, dict) and "_modules" in content.state:
            return _taken_apart(content, file)
        if not isinstance(content, dict):
            return {}
        inner = next((content[name] for name in WRAPPERS if isinstance(content.get(name), dict | Opaque)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _taken_apart(network: Opaque, file: str) -> dict[object, object]:
    """The state dict of a network that was saved as a whole: its parameters and buffers by their dotted names.

    Modules may share one dictionary, so a small file can describe any number of them: counted while they are found.
    """
    state: dict[object, object] = {}
    waiting, seen = deque([("", network)]), set()
    while waiting:
        prefix, module = waiting.popleft()
        if id(module) in seen or not isinstance(inside := module.state, dict):
            continue
        seen.add(id(module))
        for kind in ("_parameters", "_buffers"):
            state |= {name: v for name, v in _named(inside.get(kind), prefix, file) if v is not None}
        for name, child in _named(inside.get("_modules"), prefix, file):
            if isinstance(child, Opaque):
                waiting.append((f"{name}.", child))
        check_count(len(state) + len(waiting), file)
    return state


def _named(held: object, prefix: str, file: str) -> Iterator[tuple[str, object]]:
    """The entries of one of a module's dictionaries by their full names, each of which is measured before it is made."""
    for key, value in held.items() if isinstance(held, dict) else ():
        check_name(len(prefix) + len(str(key)), file)
        yield f"{prefix}{key}", value

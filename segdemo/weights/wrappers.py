"""Where in a checkpoint the network's state dict lies, and what trainings put around its names."""

from collections.abc import Mapping
from typing import TypeVar

from segdemo.weights.pickles import Opaque, TensorClaim

__all__ = ["state_of", "stripped"]

T = TypeVar("T")

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "network_weights", "model", "net", "network", "weights", "params")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "segmentation_model.")
DUPLICATES = ".all_modules."  # nnU-Net lists each of its layers a second time under this name
MAX_NESTING = 40
MAX_NAME = 500  # characters


def state_of(content: object) -> tuple[dict[str, TensorClaim], tuple[str, ...]]:
    """The named tensors of the network that a checkpoint describes, and the names of what else stood among them."""
    found = _unwrapped(content)
    named = {str(key): value for key, value in found.items()}
    tensors = {key: value for key, value in named.items() if isinstance(value, TensorClaim) and DUPLICATES not in key}
    left_out = tuple(key for key, value in named.items() if not isinstance(value, TensorClaim))
    return tensors, left_out


def stripped(state: Mapping[str, T]) -> dict[str, T]:
    """Without the prefixes that all names share because the network was wrapped for training."""
    state = dict(state)
    while state and (prefix := next((p for p in PREFIXES if all(key.startswith(p) for key in state)), None)):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _unwrapped(content: object) -> dict[object, object]:
    """The innermost dictionary under one of the known names, or a whole saved network taken apart."""
    for _level in range(MAX_NESTING):
        if isinstance(content, Opaque) and isinstance(content.state, dict) and "_modules" in content.state:
            return _taken_apart(content)
        if not isinstance(content, dict):
            return {}
        inner = next((content[name] for name in WRAPPERS if isinstance(content.get(name), dict | Opaque)), None)
        if inner is None:
            return content
        content = inner
    return {}


def _taken_apart(network: Opaque) -> dict[object, object]:
    """The state dict of a network that was saved as a whole: its parameters and buffers by their dotted names."""
    state: dict[object, object] = {}
    waiting, seen = [("", network)], set()
    while waiting:
        prefix, module = waiting.pop(0)
        if id(module) in seen or not isinstance(inside := module.state, dict) or len(prefix) > MAX_NAME:
            continue
        seen.add(id(module))
        for kind in ("_parameters", "_buffers"):
            held = inside.get(kind)
            state |= {f"{prefix}{k}": v for k, v in held.items() if v is not None} if isinstance(held, dict) else {}
        children = inside.get("_modules")
        if isinstance(children, dict):
            waiting += [(f"{prefix}{name}.", child) for name, child in children.items() if isinstance(child, Opaque)]
    return state

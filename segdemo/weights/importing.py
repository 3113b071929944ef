"""Bring your own weights: from any file to a network of ours with its tensors, or a sentence about why not.

    file ─▶ names and shapes ─▶ layout ─▶ architecture, options ─▶ network without memory ─ fits? ─▶ numbers copied

Nothing is allocated before names and shapes fit, and nothing in the file is run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from segdemo.errors import CheckpointError, SettingError, UnknownLayoutError
from segdemo.models import TITLES, create_model
from segdemo.text import N_, _
from segdemo.types import ClassInfo, Notice, Preprocessing
from segdemo.weights.cards import file_sha256
from segdemo.weights.class_names import guess_classes
from segdemo.weights.fitting import Difference, Plan, carry_out, plan_by_names, plan_by_order
from segdemo.weights.layouts import LAYOUTS, Layout, Reading, Shapes, nearest, recognise
from segdemo.weights.layouts.base import UNIT_RANGE
from segdemo.weights.proposals import proposals
from segdemo.weights.tensorfiles import Checkpoint, as_file, read_checkpoint

__all__ = ["BY_ORDER", "ImportedCheckpoint", "converted", "import_checkpoint", "network_on_meta"]

BY_ORDER = "by order"  # the layout of files whose names say nothing, kept in cards
MAX_CLASSES = 254  # labels are bytes, and one of them means "ignore"
MAX_CHANNELS = 64
UNREADABLE = (KeyError, IndexError, ValueError, StopIteration)  # what a layout raises where something of it is missing
EXPANSION = 4  # bytes in memory for each byte of a file, at most: float8 becomes float32

OTHERS = Notice(N_("Beside the tensors, the file holds other things, which were left out: {names}."))
ORDERED = Notice(N_("The names are unknown; tensors were matched by their order and shapes. See whether the result makes sense."))
GREY = Notice(N_("The network takes one channel: it is given the picture's luminance."))
MORE_CHANNELS = Notice(N_("The network takes {n} channels, a picture has three: the others are filled with zeros."))


@dataclass(frozen=True)
class ImportedCheckpoint:
    """Weights from outside: which network they are of, its state dict (float32, CPU), and guesses about their use.

    `layout` names whose names the file has, `layout_title` says so to the visitor; `sha256` is the file's.
    """

    layout: str
    layout_title: str
    model: str
    options: Mapping[str, Any]
    state: Mapping[str, Tensor] = field(repr=False)
    sha256: str
    params: int
    preprocessing: Preprocessing
    classes: tuple[ClassInfo, ...]
    notes: tuple[Notice, ...] = ()


def import_checkpoint(source: bytes | str | Path, *, model: str | None = None) -> ImportedCheckpoint:
    """Read a .pt, .pth or .safetensors file, from its bytes or its path.

    With `model`, a name in MODELS, the names in the file do not matter: its tensors are held against that architecture
    in their order. Raises UnknownLayoutError with the difference to what comes closest where the tensors fit nothing,
    CheckpointError where the file cannot be used at all, SettingError for a model that does not exist.
    """
    with as_file(source) as path:
        checkpoint = read_checkpoint(path)
        shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.state.items()}
        _check_dimensions(shapes)
        if model is None:
            layout, reading = _recognised(shapes)
        else:
            layout, reading = None, _by_order(shapes, model)
        network = _network(reading, shapes)
        state = _converted(checkpoint, layout, reading, network, path)
        _check_finite(state)
        return ImportedCheckpoint(
            layout=layout.name if layout else BY_ORDER,
            layout_title=layout.title if layout else "",
            model=reading.model,
            options=reading.options,
            state=state,
            sha256=file_sha256(path),
            params=sum(parameter.numel() for parameter in network.parameters()),
            preprocessing=replace(reading.preprocessing, channels=reading.options["in_channels"]),
            classes=guess_classes(reading.options["num_classes"]),
            notes=_notes(checkpoint, reading),
        )


def converted(path: Path, layout: str, network: nn.Module, options: Mapping[str, Any]) -> dict[str, Tensor]:
    """The state dict of a file that was imported before, for the same network. Raises CheckpointError."""
    checkpoint = read_checkpoint(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.state.items()}
    found = LAYOUTS.get(layout)
    try:
        reading = found.read(shapes) if found else Reading("", options)
        return _converted(checkpoint, found, reading, network, path)
    except (*UNREADABLE, UnknownLayoutError) as error:
        raise CheckpointError(_("{name} no longer holds the weights that were imported.", name=path.name)) from error


def network_on_meta(model: str, options: Mapping[str, Any]) -> nn.Module:
    """The network with shapes but without memory: instant, and nothing to throw away when the weights come."""
    try:
        with torch.device("meta"):
            return create_model(model, **options)
    except RuntimeError as error:  # more numbers than can be counted
        raise SettingError(_("A network of these shapes is larger than any machine.")) from error


def _recognised(shapes: Shapes) -> tuple[Layout, Reading]:
    """The layout and what it reads. Raises UnknownLayoutError with the nearest one where none fits."""
    layout = recognise(shapes)
    if layout is None:
        close = nearest(shapes)
        unknown = [name for name in shapes if close is None or not close.pattern.match(name)]
        raise UnknownLayoutError(
            _("These tensors have names that belong to no layout known here."),
            shapes=shapes,
            nearest=close.title if close else "",
            missing=[name for name in close.landmarks if name not in shapes] if close else (),
            unknown=unknown,
        )
    try:
        reading = layout.read(shapes)
    except ImportError as error:
        raise CheckpointError(
            _("To use weights of {title}, the package {package} has to be installed on this machine.", title=layout.title,
              package=error.name)
        ) from error  # fmt: skip
    except UNREADABLE as error:
        missing = [str(error.args[0])] if isinstance(error, KeyError) else []
        raise _unfit(layout.title, shapes, Difference(missing=missing)) from error
    return layout, reading


def _by_order(shapes: Shapes, model: str) -> Reading:
    """The options with which an architecture comes closest to the shapes. Raises UnknownLayoutError where none fits."""
    best = Difference(missing=["…"] * 100_000)
    for options in proposals(model, shapes):
        _check_counts(options)
        try:
            network = network_on_meta(model, options)
        except SettingError:
            continue
        difference = plan_by_order(shapes, network)[1]
        if not difference:
            return Reading(model, options, preprocessing=replace(UNIT_RANGE, multiple_of=32), notes=(ORDERED,))
        best = min(best, difference, key=lambda d: d.size)
    raise _unfit(TITLES[model], shapes, best)


def _network(reading: Reading, shapes: Shapes) -> nn.Module:
    _check_counts(reading.options)
    try:
        return network_on_meta(reading.model, reading.options)
    except SettingError as error:
        title = TITLES.get(reading.model, reading.model)
        raise UnknownLayoutError(
            _("These tensors come closest to {title}, but do not fit it: {reason}", title=title, reason=error),
            shapes=shapes, nearest=title,
        ) from error  # fmt: skip


def _check_counts(options: Mapping[str, Any]) -> None:
    classes, channels = options["num_classes"], options["in_channels"]
    if not 1 <= classes <= MAX_CLASSES or not 1 <= channels <= MAX_CHANNELS:
        raise CheckpointError(
            _("{classes} classes and {channels} input channels are more than can be shown here.",
              classes=classes, channels=channels)
        )  # fmt: skip


def _converted(
    checkpoint: Checkpoint, layout: Layout | None, reading: Reading, network: nn.Module, path: Path
) -> dict[str, Tensor]:
    """Plan, compare, and only then copy."""
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.state.items()}
    plan, difference = plan_by_names(shapes, reading, network) if layout else plan_by_order(shapes, network)
    if difference:
        raise _unfit(layout.title if layout else TITLES.get(reading.model, ""), shapes, difference)
    _check_types(plan, checkpoint.state, network, path)
    return carry_out(plan, checkpoint.state, network)


def _check_types(plan: Plan, state: Mapping[str, Tensor], network: nn.Module, path: Path) -> None:
    """Raise CheckpointError for whole or complex numbers, and for copies out of proportion to the file."""
    expected = network.state_dict()
    for ours, theirs in (*plan.sources.items(), *plan.subtracted.items()):
        if expected[ours].is_floating_point() != state[theirs].is_floating_point():
            kind = str(state[theirs].dtype).removeprefix("torch.")
            raise CheckpointError(
                _("{key} holds numbers of type {kind}, as quantised networks do. Floating-point weights work.",
                  key=theirs[:100], kind=kind)
            )  # fmt: skip
    if sum(4 * state[theirs].numel() for theirs in plan.sources.values()) > EXPANSION * path.stat().st_size + 4096:
        raise CheckpointError(_("{name} claims tensors that are larger than the file.", name=path.name))


def _check_dimensions(shapes: Shapes) -> None:
    if any(len(shape) > 1 and 0 in shape for shape in shapes.values()):  # what holds nothing can claim any size beside it
        raise CheckpointError(_("Some of these tensors hold no numbers at all, so they are of no network that works."))
    if any(len(shape) == 5 for shape in shapes.values()):
        raise CheckpointError(_("These weights are of a network for volumes (3-D). Here, networks for pictures (2-D) work."))
    if not any(len(shape) == 4 for shape in shapes.values()):
        raise CheckpointError(_("There is no convolution among these tensors, so they are of no network that works here."))


def _check_finite(state: Mapping[str, Tensor]) -> None:
    if not all(torch.isfinite(tensor).all() for tensor in state.values()):
        raise CheckpointError(
            _("Some of these weights are not numbers (NaN or infinite): their training broke down. "
              "A checkpoint from before that works.")
        )  # fmt: skip


def _unfit(title: str, shapes: Shapes, difference: Difference) -> UnknownLayoutError:
    return UnknownLayoutError(
        _("These tensors come closest to {title}, but do not fit it.", title=title),
        shapes=shapes, nearest=title, missing=difference.missing, unknown=difference.unknown, mismatched=difference.mismatched,
    )  # fmt: skip


def _notes(checkpoint: Checkpoint, reading: Reading) -> tuple[Notice, ...]:
    """What the visitor should know before trusting the result."""
    notes = list(reading.notes)
    channels = reading.options["in_channels"]
    if channels in (1, 2):
        notes.append(GREY)
    if channels not in (1, 3):
        notes.append(replace(MORE_CHANNELS, values={"n": channels}))
    if checkpoint.left_out:
        names = ", ".join(name[:40] for name in checkpoint.left_out[:3])
        notes.append(replace(OTHERS, values={"names": names + (" …" if len(checkpoint.left_out) > 3 else "")}))
    return tuple(notes)

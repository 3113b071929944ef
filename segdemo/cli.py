"""The command line: `python -m segdemo train | predict | evaluate | weights`."""

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from segdemo.data.images import read_bytes
from segdemo.errors import ImageError, SegdemoError, SettingError
from segdemo.inference.export import result_files, unique_stems
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights import get_weights, is_present, list_weights
from segdemo.weights.catalogue import BUNDLED_DIR

if TYPE_CHECKING:
    from segdemo.training.run_make import Prepared

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Semantic segmentation from the command line.")
console = Console()


class Normalization(StrEnum):
    fixed = "fixed"
    per_image = "per-image"


class ScheduleName(StrEnum):
    cosine = "cosine"
    constant = "constant"
    step = "step"


class Optimizer(StrEnum):
    adamw = "adamw"
    sgd = "sgd"


def _progress(unit: str) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    return Progress(*columns, console=console)


@app.command()
def train(
    data: Annotated[str, typer.Option(help='ZIP or folder with images and masks, or "nuclei" or "shapes", which are drawn.')],
    out: Annotated[Path, typer.Option(help="Folder for the weights and their card.")] = Path("runs"),
    model: Annotated[str, typer.Option(help="Architecture.")] = "unet",
    name: Annotated[str | None, typer.Option(help="Name of the weights; the data's name if not given.")] = None,
    title: Annotated[str | None, typer.Option(help="What the page calls them.")] = None,
    trained_on: Annotated[str, typer.Option(help="What kind of pictures they are for.")] = "",
    classes: Annotated[str, typer.Option(help="Class names, background first, with commas; the data's own if not given.")] = "",
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "not stated",
    width: Annotated[int, typer.Option(help="Channels of the first stage.")] = 16,
    option: Annotated[list[str] | None, typer.Option(help="Further options of the architecture, as name=value.")] = None,
    reconstruct: Annotated[bool, typer.Option(help="Draw the picture again instead of labelling it.")] = False,
    start_from: Annotated[str, typer.Option(help="Weights to begin with, where their names and shapes are the network's.")] = "",
    only: Annotated[str, typer.Option(help="Train only this part of the network, such as classifier.")] = "",
    empty_share: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of training pictures that hold nothing to find.")
    ] = 0.0,
    steps: Annotated[int, typer.Option(min=1)] = 3000,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    crop: Annotated[int, typer.Option(min=32, help="Side of the training crops in pixels.")] = 256,
    learning_rate: Annotated[float, typer.Option(min=1e-7, max=1.0)] = 2e-3,
    schedule: Annotated[
        ScheduleName, typer.Option(help="Of the learning rate, after the warm-up: along a cosine, not at all, or by steps.")
    ] = ScheduleName.cosine,
    warmup_steps: Annotated[int, typer.Option(min=0, help="Over which the learning rate climbs to its full height.")] = 100,
    optimizer: Annotated[Optimizer, typer.Option(help="AdamW, or SGD with momentum.")] = Optimizer.adamw,
    momentum: Annotated[float, typer.Option(min=0, max=0.999, help="Of SGD.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(min=0, max=1)] = 1e-4,
    minutes: Annotated[float, typer.Option(min=0, help="End after so many, even if steps are left; 0: no limit.")] = 0.0,
    loss: Annotated[str, typer.Option(help="Name of the loss.")] = "bce_dice",
    loss_option: Annotated[list[str] | None, typer.Option(help="Options of the loss, as name=value.")] = None,
    flips: Annotated[bool, typer.Option(help="Mirror half of the crops.")] = True,
    quarter_turns: Annotated[bool, typer.Option(help="Turn crops by 0, 90, 180 or 270 degrees.")] = True,
    scale: Annotated[tuple[float, float], typer.Option(min=0.25, max=4, help="Zoom of the crops, least and most.")] = (0.6, 1.7),
    brightness: Annotated[float, typer.Option(min=0, max=1, help="How far crops are made lighter or darker.")] = 0.3,
    contrast: Annotated[float, typer.Option(min=0, max=1, help="How far their contrast is changed, as a logarithm.")] = 0.3,
    color: Annotated[float, typer.Option(min=0, max=0.5, help="The same of each channel by itself.")] = 0.1,
    blur: Annotated[float, typer.Option(min=0, max=1, help="Share of the crops that are blurred.")] = 0.15,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Share of the crops with noise.")] = 0.15,
    validation_pixels: Annotated[
        int, typer.Option(min=0, help="Score only so many pixels of the validation while training; 0: all of it.")
    ] = 0,
    tensorboard: Annotated[Path | None, typer.Option(help="Folder for TensorBoard event files, if it is installed.")] = None,
    normalization: Annotated[
        Normalization, typer.Option(help="Pixel values: per picture, or ImageNet's.")
    ] = Normalization.per_image,
    multiple_of: Annotated[int, typer.Option(min=1, help="Sides are padded to a multiple of this …")] = 16,
    offset: Annotated[int, typer.Option(min=0, help="… plus this: 4 for a U-Net without padding.")] = 0,
    border: Annotated[int, typer.Option(min=0, help="Mirrored on every side: 92 for a U-Net without padding.")] = 0,
    validate_every: Annotated[int, typer.Option(min=1)] = 500,
    seed: int = 0,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Train a network and keep the best weights, with a card that says how they were made and how well they do."""
    from segdemo.data.augment import Augmentation
    from segdemo.data.empty_pictures import WithEmptyPictures
    from segdemo.data.open_set import open_data_set
    from segdemo.data.sources import Source
    from segdemo.training.loop import TrainingSettings
    from segdemo.training.run_events import tensorboard_is_installed
    from segdemo.training.run_make import build
    from segdemo.types import Preprocessing

    if tensorboard is not None and not tensorboard_is_installed():
        raise SettingError(_("For event files, install TensorBoard beside segdemo: pip install tensorboard."))
    source: Source = open_data_set(data, tuple(classes.split(",")) if classes else ())
    if empty_share:
        source = WithEmptyPictures(source, empty_share)
    settings = TrainingSettings(
        steps=steps, batch_size=batch_size, crop=crop, learning_rate=learning_rate, schedule=schedule.value,
        warmup_steps=warmup_steps, optimizer=optimizer.value, momentum=momentum, weight_decay=weight_decay, minutes=minutes,
        loss=loss, loss_options=_options(loss_option or []), seed=seed, validate_every=validate_every,
        task="reconstruct" if reconstruct else "segment", only=only,
        augmentation=Augmentation(scale, flips, quarter_turns, brightness, contrast, color, blur, noise),
    )  # fmt: skip
    preprocessing = Preprocessing(normalization=normalization.value, multiple_of=multiple_of, offset=offset, border=border)
    prepared = build(
        source, settings, preprocessing, model, {"width": width, **_options(option or [])},
        "python -m segdemo " + shlex.join(sys.argv[1:]), name=name or source.name, title=title or "", trained_on=trained_on,
        licence=licence, validation_pixels=validation_pixels, start_from=start_from,
    )  # fmt: skip
    _train(prepared, out, device, tensorboard)


def _train(prepared: "Prepared", out: Path, device: str, tensorboard: Path | None) -> None:
    """The steps with a bar. The best weights so far are always on disk; at the end they are measured on all pictures."""
    from segdemo.devices import device_label, pick_device
    from segdemo.training.loop import train as train_steps
    from segdemo.training.run_events import EventWriter

    processor = pick_device(device)
    console.print(_("Training {id} on {device}.", id=prepared.identity.weights_id, device=device_label(processor)))
    best = None
    with _progress("steps") as progress, EventWriter(tensorboard, prepared.score_name) as events:
        task = progress.add_task("", total=prepared.settings.steps)
        for step in train_steps(prepared.network, prepared.live, prepared.preprocessing, prepared.settings, processor):
            progress.update(task, advance=1, description=f"loss {step.loss:.3f}")
            events.write(step)
            if step.validation:
                console.print(f"{step.step}: {step.validation}")
            if step.weights:
                best = step.weights
                prepared.keep(out, best, step.validation)
    if best is not None:
        scores = prepared.keep(out, best)
        console.print(_("Kept in {path}: {scores}", path=out / f"{prepared.identity.weights_id}.safetensors", scores=scores))


def _options(texts: list[str]) -> dict[str, Any]:
    """name=value pairs; numbers, true, false and null are read as JSON reads them, the rest is text."""
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingError(_('An option is written name=value, not "{text}".', text=text))
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Pictures to segment.")],
    weights: Annotated[str, typer.Option(help="Which weights; `python -m segdemo weights` lists them.")] = "unet/nuclei",
    out: Annotated[Path, typer.Option(help="Folder for label maps, overlays and summaries.")] = Path("segmented"),
    threshold: Annotated[float, typer.Option(min=0.0, max=1.0, help="Of binary networks.")] = 0.5,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Segment pictures; a bad one is named and the rest go on. Exit code 1 if any was bad."""
    from segdemo.data import open_picture
    from segdemo.inference import Engine
    from segdemo.inference.export import Result

    engine, entry = Engine(device), get_weights(weights)
    if not is_present(entry):
        _download(entry)
    out.mkdir(parents=True, exist_ok=True)
    stems = unique_stems([path.name for path in images])
    failed = 0
    with _progress("pictures") as progress:
        for path, stem in zip(progress.track(images, description=_("Segmenting")), stems, strict=True):
            try:
                picture = open_picture(read_bytes(path), path.name)
                result = Result(picture, engine.predict(picture, weights, threshold=threshold))
            except ImageError as error:
                failed += 1
                console.print(f"[bold red]{escape(path.name)}[/]: {escape(str(error))}")
                continue
            for name, data in result_files(result, stem).items():
                (out / name).write_bytes(data)
    console.print(_("{n} of {total} pictures segmented into {out}.", n=len(images) - failed, total=len(images), out=out))
    if failed:
        raise typer.Exit(1)


class SplitName(StrEnum):
    val = "val"
    train = "train"
    all = "all"


@app.command()
def evaluate(
    data: Annotated[str, typer.Option(help='ZIP or folder with images and masks, or "nuclei" or "shapes", which are drawn.')],
    weights: Annotated[
        list[str],
        typer.Option(help="Sets of weights, with a report up to six; unet/nuclei@threshold=0.3@scale=0.5 names one, too."),
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="[WEIGHTS]...", help="Further weights.")] = None,
    out: Annotated[
        list[Path] | None, typer.Option(help="A report (.html) or a table (.csv, .json); may be given several times.")
    ] = None,
    split: Annotated[
        SplitName | None, typer.Option(help="Which pictures; val where the data list them, all where they do not.")
    ] = None,
    classes: Annotated[str, typer.Option(help="Class names, background first, with commas; the data's own if not given.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Only so many pictures, the first; 0: all.")] = 0,
    boundary_tolerance: Annotated[
        float, typer.Option(min=0, max=100, help="Pixels by which an outline may be off and still be right.")
    ] = 2.0,
    masks: Annotated[Path | None, typer.Option(help="Folder for label maps as PNG.")] = None,
    coco: Annotated[Path | None, typer.Option(help="File for the predicted objects as COCO.")] = None,
    geojson: Annotated[Path | None, typer.Option(help="Folder for the predicted objects as GeoJSON.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Judge several networks on the same pictures: a table, a report, masks. Exit code 1 if nothing could be scored."""
    from segdemo.cli_evaluate import MAX_IN_TABLE, Outputs, run_evaluation
    from segdemo.evaluation.candidate import MAX_CANDIDATES, entry_of, parse_candidates
    from segdemo.evaluation.data_set import open_labelled_set
    from segdemo.evaluation.label_space import space_of_data
    from segdemo.evaluation.scores.results import EvaluationSettings
    from segdemo.inference import Engine

    outputs = Outputs(tuple(out or ()), masks, coco, geojson)
    candidates = parse_candidates([*weights, *(more or [])], MAX_CANDIDATES if outputs.has_report else MAX_IN_TABLE)
    engine = Engine(device)
    names = tuple(name.strip() for name in classes.split(",")) if classes else ()
    with _progress("") as progress:
        task = progress.add_task(_("Reading"), total=100)
        found = open_labelled_set(
            data, split=split.value if split else None, class_names=names,
            on_progress=lambda share: progress.update(task, completed=round(100 * share)),
        )  # fmt: skip
        progress.remove_task(task)
    entries = {candidate.weights_id: entry_of(candidate) for candidate in candidates}
    for weights_id in space_of_data(tuple(entries.values()), found.class_names).tables:
        if not is_present(entries[weights_id]):
            _download(entries[weights_id])
    run_evaluation(
        found.first(limit) if limit else found, candidates, engine, EvaluationSettings(boundary_tolerance), outputs,
        _progress("pictures"),
    )  # fmt: skip


def _download(entry: WeightsEntry) -> None:
    from segdemo.weights import fetch

    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress:
        task = progress.add_task(entry.weights_id, total=entry.size_bytes)
        fetch(entry, lambda done, total: progress.update(task, completed=done, total=total or None))


@app.command("weights")
def list_all_weights() -> None:
    """List every set of weights: score, size, whether it is on this machine, and what it was trained on."""
    table = Table(Column("weights", no_wrap=True), "score", "parameters", "size", "here", "trained on", box=None)
    for entry in list_weights():
        score = "–" if entry.score is None else f"{entry.score_name} {entry.score:.3f}"
        here = _("bundled") if entry.bundled else _("downloaded") if is_present(entry) else _("no")
        size = f"{entry.size_bytes / 1e6:.0f} MB"
        table.add_row(entry.weights_id, score, f"{entry.params / 1e6:.1f} M", size, here, entry.trained_on)
    console.print(table)


@app.command()
def measure(
    folder: Annotated[Path, typer.Argument(help="Folder of weights and cards.")] = BUNDLED_DIR,
    side: Annotated[int, typer.Option(min=32, help="Side of the input in pixels.")] = 256,
    rounds: Annotated[int, typer.Option(min=1, help="Forward passes of each network; the median counts.")] = 15,
    data: Annotated[str, typer.Option(help="Data set to measure, instead of costs, how honest probabilities are on.")] = "",
) -> None:
    """Write into the cards what each network costs: multiplications, and milliseconds on this CPU, all in one run.

    With --data, the reliability diagram of every binary network that was trained on that data set instead.
    """
    if data:
        _measure_reliability(folder, data)
        return
    import torch

    from segdemo.devices import device_label
    from segdemo.features.anatomy import dissect
    from segdemo.inference.speed import cpu_latencies_ms
    from segdemo.weights.cards import read_card, write_card
    from segdemo.weights.loading import build_on_meta

    cards = sorted(folder.glob("*/*.json"))
    entries = [read_card(path) for path in cards]
    latencies = cpu_latencies_ms(entries, (side, side), rounds)
    for path, entry, latency in zip(cards, entries, latencies, strict=True):
        anatomy = dissect(build_on_meta(entry), (side, side), int(entry.options.get("in_channels", 3)))
        cost = {
            "macs": anatomy.macs, "cpu_latency_ms": round(latency, 2), "cost_measured_at": f"{side}×{side}",
            "cost_measured_on": device_label(torch.device("cpu")),
        }  # fmt: skip
        write_card(path, {**entry.card, **cost})
        console.print(f"{entry.weights_id}: {anatomy.macs / 1e9:.2f} GMAC, {latency:.1f} ms")


def _measure_reliability(folder: Path, data: str) -> None:
    from segdemo.data.sources import open_source
    from segdemo.training.validation import foreground_reliability
    from segdemo.weights import load_model
    from segdemo.weights.cards import read_card, write_card

    source = open_source(data, ("background", "nucleus"))
    for path in sorted(folder.glob("*/*.json")):
        entry = read_card(path)
        trained = entry.card.get("data")
        if entry.binary and isinstance(trained, dict) and trained.get("name") == source.name:
            model = load_model(entry, path.with_suffix(".safetensors"))
            bins = foreground_reliability(model, source, entry.preprocessing)
            measured = {"count": bins.count.tolist(), "prob_sum": bins.prob_sum.round(1).tolist(), "hits": bins.hits.tolist()}
            write_card(path, {**entry.card, "reliability": measured})
            console.print(entry.weights_id)


def main() -> None:
    """Run a command; what the visitor can mend is a sentence, not a traceback."""
    try:
        app()
    except SegdemoError as error:
        Console(stderr=True).print(f"[bold red]{_('Error')}[/]: {escape(str(error))}")
        sys.exit(1)

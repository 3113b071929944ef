"""A batch and its normalisation as a scene: every channel of every picture, the means and variances between, and the result.

Pictures stand above each other, channels side by side. Cells that share a mean have the same tint, everywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.normalisation import EPS, Kind, normalise, sharing
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits, shortened
from segdemo.text import _

__all__ = ["batch_of_numbers", "normalisation_scene"]

Float = NDArray[np.float64]


def batch_of_numbers(shape: tuple[int, int, int, int], pattern: str) -> Float:
    """Whole numbers (N, C, H, W). "plain": 0 to 9; "bright": the first picture 20 higher; "loud": channel c times c + 1."""
    x = np.random.default_rng(5).integers(0, 10, shape).astype(np.float64)
    if pattern == "bright":
        x[0] += 20
    if pattern == "loud":
        x *= np.arange(1, shape[1] + 1)[:, None, None]
    return x


@dataclass(frozen=True)
class _Places:
    """Numbers of the grids: input maps first, then mean, variance, γ and β, then output maps."""

    pictures: int
    channels: int

    @property
    def maps(self) -> int:
        return self.pictures * self.channels

    def input(self, n: int, c: int) -> int:
        return n * self.channels + c

    def table(self, which: int) -> int:
        """0 mean, 1 variance, 2 γ, 3 β."""
        return self.maps + which

    def output(self, n: int, c: int) -> int:
        return self.maps + 4 + n * self.channels + c


def normalisation_scene(
    x: Float, kind: Kind, gamma: Float, beta: Float, *, groups: int = 1, running: tuple[Float, Float] | None = None,
    told: bool = True,
) -> Scene:  # fmt: skip
    """x (N, C, H, W); gamma, beta (C,); running as for `normalise`. Raises SettingError as that does.

    told: tints say which cells share a mean, and there is a cell for each of these; otherwise all tints are one, and neither
    how many means there are nor whose they are can be seen.
    """
    pictures, channels, height, width = x.shape
    shape = (pictures, channels, height, width)
    done = normalise(x, kind, gamma, beta, groups=groups, running=running)
    shared = sharing(shape, kind, groups)
    places = _Places(pictures, channels)
    own = running is None or kind != "batch"
    tints = shared if told else np.zeros_like(shared)
    shown = (done.mean, done.variance) if told else (np.zeros((1, 1)), np.zeros((1, 1)))
    tables = _tables(*shown, gamma, beta, own or not told)
    grids = (*_maps(x, tints, True), *tables, *_maps(done.output, tints, False))
    if not told:
        return Scene(grids, places.output(0, 0), _hidden(shape, places), {}, "", "")
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    if own:
        _tell_statistics(x, shared, done.mean, done.variance, places, taps, sums)
    columns = done.mean.shape[1]
    for n, c, row, col in np.ndindex(shape):
        at = divmod(int(shared[n, c, row, col]), columns)
        cell = (places.output(n, c), row, col)
        taps[cell] = (
            Tap(places.input(n, c), row, col), Tap(places.table(0), *at), Tap(places.table(1), *at),
            Tap(places.table(2), 0, c), Tap(places.table(3), 0, c),
        )  # fmt: skip
        value, mean, variance, scale, shift = (
            digits(float(number)) for number in (x[n, c, row, col], done.mean[at], done.variance[at], gamma[c], beta[c])
        )
        result = digits(float(done.output[n, c, row, col]), brackets=False)
        sums[cell] = f"({value} − {mean}) / √({variance} + {EPS:.5f}) · {scale} + {shift} = {result}"
    return Scene(grids, places.output(0, 0), taps, sums, _formula(shape, kind, groups, done.mean.size, own),
                 _code(x, kind, gamma, beta, groups, None if own else running))  # fmt: skip


def _hidden(shape: tuple[int, int, int, int], places: _Places) -> dict[Cell, tuple[Tap, ...]]:
    """Outputs that are made of nothing yet: the means, the variances and the result."""
    pictures, channels, height, width = shape
    results = [(places.output(n, c), *at) for n, c in np.ndindex(pictures, channels) for at in np.ndindex(height, width)]
    return dict.fromkeys([(places.table(0), 0, 0), (places.table(1), 0, 0), *results], ())


def _maps(x: Float, shared: NDArray[np.int64], first: bool) -> list[Grid]:
    pictures, channels = x.shape[:2]
    name, letter, start = ("input", "x", 0) if first else ("output", "y", channels + 1)
    return [
        Grid(f"{name}{n}_{c}", f"{letter}[{n},{c}]", x[n, c], "plain", place=(start + c, n), tints=shared[n, c])
        for n in range(pictures) for c in range(channels)
    ]  # fmt: skip


def _tables(mean: Float, variance: Float, gamma: Float, beta: Float, own: bool) -> list[Grid]:
    channels = len(gamma)
    tints = np.arange(mean.size).reshape(mean.shape)
    words = (_("Mean"), _("Variance")) if own else (_("Running mean"), _("Running variance"))
    return [
        Grid("mean", words[0], mean, "plain", place=(channels, 0), tints=tints),
        Grid("variance", words[1], variance, "plain", place=(channels, 1), tints=tints),
        Grid("gamma", _("γ, learned scale"), gamma[None], "plain", place=(channels, 2), short="γ"),
        Grid("beta", _("β, learned shift"), beta[None], "plain", place=(channels, 3), short="β"),
    ]


def _tell_statistics(
    x: Float, shared: NDArray[np.int64], mean: Float, variance: Float, places: _Places,
    taps: dict[Cell, tuple[Tap, ...]], sums: dict[Cell, str],
) -> None:  # fmt: skip
    for number in range(mean.size):
        members = np.argwhere(shared == number).tolist()
        cells = tuple(Tap(places.input(n, c), row, col) for n, c, row, col in members)
        values = [float(x[n, c, row, col]) for n, c, row, col in members]
        at = divmod(number, mean.shape[1])
        middle = float(mean[at])
        distances = (f"({digits(v)} − {digits(middle)})²" for v in values)
        for which, terms, total in ((0, map(digits, values), middle), (1, distances, float(variance[at]))):
            cell = (places.table(which), *at)
            taps[cell] = cells
            sums[cell] = f"({' + '.join(shortened(terms, len(values)))}) / {len(values)} = {digits(total, brackets=False)}"


def _formula(shape: tuple[int, int, int, int], kind: Kind, groups: int, count: int, own: bool) -> str:
    n, c, h, w = shape
    if not own:
        return _("{count} running means and variances, none from this batch", count=count)
    cells = {"batch": f"{n}·{h}·{w}", "instance": f"{h}·{w}", "layer": f"{c}·{h}·{w}", "group": f"{c // groups}·{h}·{w}"}[kind]
    size = n * c * h * w // count
    return _("{cells} = {size} cells share a mean, and there are {count} means", cells=cells, size=size, count=count)


def _code(x: Float, kind: Kind, gamma: Float, beta: Float, groups: int, running: tuple[Float, Float] | None) -> str:
    """PyTorch, with which the same numbers come out."""
    lines = [HEAD, given("x", x), given("gamma", gamma), given("beta", beta)]
    calls = {
        "batch": "F.batch_norm(x, None, None, gamma, beta, training=True)",
        "instance": "F.instance_norm(x, weight=gamma, bias=beta)",
        "layer": "F.layer_norm(x, x.shape[1:]) * gamma[:, None, None] + beta[:, None, None]",
        "group": f"F.group_norm(x, {groups}, gamma, beta)",
    }
    call = calls[kind]
    if running is not None:
        lines += [given("mean, variance", np.stack(running))]
        call = "F.batch_norm(x, mean, variance, gamma, beta, training=False)"
    return "\n".join([*lines, f"print({call})"])

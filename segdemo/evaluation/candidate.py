"""A candidate: one set of weights and how it is run, with a name that fits an address, a command line and a report."""

import re
from dataclasses import dataclass, replace

from segdemo.devices import PRECISIONS, PrecisionChoice
from segdemo.errors import SettingError
from segdemo.inference.settings import MAX_SCALE, MIN_SCALE
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights import get_weights

__all__ = ["MAX_CANDIDATES", "Candidate", "entry_of", "parse_candidate", "parse_candidates"]

MAX_CANDIDATES = 6
DECIMALS = 4  # of threshold and scale


@dataclass(frozen=True)
class Candidate:
    """Weights, and the settings under which they are judged.

    threshold: 0–1, of binary networks. precision: "auto" is what the engine finds fastest. scale: how much larger or
    smaller than usual the network is given the picture, along each side. Both are kept to four decimals, so that the key
    says them exactly.
    """

    weights_id: str
    threshold: float = 0.5
    precision: PrecisionChoice = "auto"
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("threshold", "scale"):
            object.__setattr__(self, name, round(float(getattr(self, name)), DECIMALS) + 0.0)  # + 0.0: never −0

    @property
    def key(self) -> str:
        """Its name: "unet/nuclei", or with what differs from the defaults, "unet/nuclei@threshold=0.3@scale=0.5"."""
        settings = {"threshold": _written(self.threshold), "precision": self.precision, "scale": _written(self.scale)}
        usual = {"threshold": "0.5", "precision": "auto", "scale": "1"}
        return self.weights_id + "".join(f"@{name}={value}" for name, value in settings.items() if value != usual[name])


def _written(number: float) -> str:
    """Without an exponent and without zeros at the end."""
    return f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")


def parse_candidate(text: str) -> Candidate:
    """The candidate of a key, checked. Raises SettingError for unknown weights or an impossible setting."""
    weights_id, *settings = text.strip().split("@")
    candidate = Candidate(get_weights(weights_id).weights_id)
    for setting in settings:
        name, _equals, value = setting.partition("=")
        candidate = _with(candidate, name, value)
    return candidate


def _with(candidate: Candidate, name: str, value: str) -> Candidate:
    if name == "precision" and value in PRECISIONS:
        return replace(candidate, precision=value)
    number = float(value) if re.fullmatch(r"[0-9]{0,2}\.?[0-9]{1,6}", value) else -1.0
    if name == "threshold" and 0 <= number <= 1:
        return replace(candidate, threshold=number)
    if name == "scale" and MIN_SCALE <= number <= MAX_SCALE:
        return replace(candidate, scale=number)
    raise SettingError(
        _("After the weights can stand @threshold=0 to 1, @precision=float32 or bfloat16, and @scale={low} to {high}.",
          low=MIN_SCALE, high=MAX_SCALE)
    )  # fmt: skip


def parse_candidates(texts: list[str], most: int = MAX_CANDIDATES) -> tuple[Candidate, ...]:
    """The candidates of several keys; what is named twice counts once. Raises SettingError for none, or more than `most`."""
    found = tuple(dict.fromkeys(parse_candidate(text) for text in texts if text.strip()))
    if not 1 <= len(found) <= most:
        raise SettingError(_("Name one to {most} sets of weights, not {n}.", most=most, n=len(found)))
    return found


def entry_of(candidate: Candidate) -> WeightsEntry:
    """The catalogue's entry of its weights."""
    return get_weights(candidate.weights_id)

"""Ready-made comparisons that each answer a question, for the two data sets whose weights come with segdemo."""

from dataclasses import dataclass

from segdemo.evaluation.candidate import Candidate, parse_candidates
from segdemo.text import _

__all__ = ["DOMAINS", "Lineup", "comparable_choices", "domain_of", "lineups"]

DOMAINS = ("nuclei", "shapes")


@dataclass(frozen=True)
class Lineup:
    """Candidates' keys under a title; `hint` says what they are compared for."""

    key: str
    title: str
    hint: str
    models: tuple[str, ...]


def domain_of(weights_id: str) -> str:
    """ "nuclei" or "shapes", or "" for weights of another data set."""
    name = weights_id.rpartition("/")[2]
    return next((domain for domain in DOMAINS if name.startswith(domain)), "")


def lineups(domain: str) -> list[Lineup]:
    """Those of one data set; of nuclei where the domain is neither."""
    return _of_shapes() if domain == "shapes" else _of_nuclei()


def comparable_choices(candidates: tuple[Candidate, ...]) -> dict[str, tuple[Candidate, ...]]:
    """For each data set that some candidates were trained on, those, and where that is one alone, its nearest company."""
    found: dict[str, tuple[Candidate, ...]] = {}
    for domain in DOMAINS:
        kept = tuple(candidate for candidate in candidates if domain_of(candidate.weights_id) == domain)
        if kept:
            company = (c for c in parse_candidates(list(lineups(domain)[0].models)) if c not in kept)
            found[domain] = kept if len(kept) > 1 else (*kept, next(company))
    return found


def _of_nuclei() -> list[Lineup]:
    losses = ("bce", "weighted-bce", "focal", "ohem", "dice", "iou")
    return [
        Lineup("skips", "FCN-32s → 16s → 8s → U-Net", _("What skips add: from coarse to fine."),
               ("fcn32s/nuclei", "fcn16s/nuclei", "fcn8s/nuclei", "unet/nuclei-small")),
        Lineup("best", _("The best three on validation pictures"), _("Close in score: do they err at the same places?"),
               ("unet/nuclei", "nnunet/nuclei", "unet3_plus/nuclei")),
        Lineup("unets", _("The U-Net family, one budget"), _("U-Net, U-Net++, U-Net 3+ and nnU-Net, equally long trained."),
               ("unet/nuclei-small", "unet_plus_plus/nuclei", "unet3_plus/nuclei", "nnunet/nuclei")),
        Lineup("losses", _("Six losses, one U-Net"), _("The same network and pictures; only the loss differs."),
               tuple(f"unet/nuclei-{loss}" for loss in losses)),
        Lineup("decoders", _("Three ways to upsample"), _("Indices of SegNet, skips of U-Net, neither in the encoder–decoder."),
               ("encoder_decoder/nuclei", "segnet/nuclei", "unet/nuclei-small")),
        *_settings("unet/nuclei"),
    ]  # fmt: skip


def _of_shapes() -> list[Lineup]:
    return [
        Lineup("skips", "FCN-32s → 16s → 8s → U-Net", _("What skips add: from coarse to fine."),
               ("fcn32s/shapes", "fcn16s/shapes", "fcn8s/shapes", "unet/shapes-small")),
        Lineup("best", _("The best three on validation pictures"), _("Close in score: do they err at the same places?"),
               ("unet/shapes", "unet3_plus/shapes", "nnunet/shapes")),
        Lineup("unets", _("The U-Net family, one budget"), _("U-Net, U-Net++, U-Net 3+ and nnU-Net, equally long trained."),
               ("unet/shapes-small", "unet_plus_plus/shapes", "unet3_plus/shapes", "nnunet/shapes")),
        *_settings("unet/shapes")[1:],
    ]  # fmt: skip


def _settings(weights_id: str) -> list[Lineup]:
    """One set of weights under several settings."""
    return [
        Lineup("thresholds", _("U-Net at three thresholds"), _("How much the cut at 30, 50 and 70 % decides."),
               tuple(f"{weights_id}{cut}" for cut in ("@threshold=0.3", "", "@threshold=0.7"))),
        Lineup("scales", _("U-Net at three scales"), _("The picture given at half, its own and double size."),
               tuple(f"{weights_id}{scale}" for scale in ("@scale=0.5", "", "@scale=2"))),
    ]  # fmt: skip

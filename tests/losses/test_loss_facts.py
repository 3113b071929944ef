"""segdemo.losses.facts: what is told about a loss is what its function does."""

import inspect
import itertools
import math

import pytest
import torch

from segdemo.errors import SettingError
from segdemo.losses import FACTS, LOSSES, create_loss

TENSORS = {"class_weights", "weight_map"}  # no slider holds them
NAMES = sorted(FACTS)


@pytest.mark.parametrize("name", NAMES)
class TestFacts:
    def test_options_are_those_of_the_function(self, name: str) -> None:
        signature = inspect.signature(LOSSES[name]).parameters
        defaults = {key: p.default for key, p in signature.items() if p.kind is p.KEYWORD_ONLY}
        told = {option.name: option.default for option in FACTS[name].options}
        assert told == {key: value for key, value in defaults.items() if key not in {"ignore_index", *TENSORS}}
        assert list(signature)[:3] == ["logits", "target", "ignore_index"] and defaults["ignore_index"] == 255

    def test_every_option_works_over_its_whole_range(self, name: str) -> None:
        channels = 3 if FACTS[name].channels == "several" else 1
        logits = torch.randn(2, channels, 24, 24, generator=torch.Generator().manual_seed(0)).requires_grad_()
        target = (logits[:, 0] > 0.5).long()
        for option in FACTS[name].options:
            switch = (False, True) if option.low is None and not option.choices else ()
            for value in (option.low, option.high, *option.choices, *switch):
                if value is not None:
                    loss = create_loss(name, **{option.name: value})(logits, target)
                    assert loss.isfinite() and torch.autograd.grad(loss, logits)[0].isfinite().all()

    def test_sliders_hold_their_default(self, name: str) -> None:
        for option in FACTS[name].options:
            if option.low is None or option.high is None or option.step is None:
                assert isinstance(option.default, bool) or option.default in option.choices
                continue
            assert option.low < option.high and option.meaning.endswith(".")
            if isinstance(option.default, (int, float)):
                steps = (option.default - option.low) / option.step
                assert option.low <= option.default <= option.high and math.isclose(steps, round(steps), abs_tol=1e-9)

    def test_texts(self, name: str) -> None:
        facts = FACTS[name]
        assert facts.title and facts.paper and facts.url.startswith("https://")
        assert facts.meaning.endswith(".") and facts.empty.endswith(".")
        for formula in filter(None, (facts.formula, facts.formula_several)):
            depth = itertools.accumulate((letter == "{") - (letter == "}") for letter in formula)
            assert list(depth)[-1] == 0 and formula.count(r"\left") - formula.count(r"\left\l") == formula.count(r"\right")

    def test_channels(self, name: str) -> None:
        takes = {"one": {1}, "several": {2, 3}, "any": {1, 2, 3}}[FACTS[name].channels]
        for channels in (1, 2, 3):
            arguments = torch.zeros(1, channels, 12, 12), torch.zeros(1, 12, 12, dtype=torch.int64)
            if channels in takes:
                assert LOSSES[name](*arguments).isfinite()
            else:
                with pytest.raises(SettingError, match="logit"):
                    LOSSES[name](*arguments)

    def test_kind(self, name: str) -> None:
        """Of a pixel loss the gradient at one pixel knows nothing of what is predicted at another."""
        channels = 2 if FACTS[name].channels == "several" else 1
        logits = torch.randn(1, channels, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        target = torch.zeros(1, 12, 12, dtype=torch.int64)
        target[:, 2:7, 3:9] = 1
        options = {"min_kept": 144} if name == "ohem" else {}  # which pixels it picks does depend on others
        logits = logits + (2 * target[:, None] - 1)  # MS-SSIM is flat against the truth
        gradients = []
        for elsewhere in (-3.0, 3.0):
            for place in (3, 9):  # inside and outside
                logits[..., place, place] = elsewhere * torch.tensor([1.0, -1.0][:channels])
            x = logits.clone().requires_grad_()
            gradients.append(torch.autograd.grad(LOSSES[name](x, target, **options), x)[0][..., 5, 5])
        assert torch.allclose(*gradients, rtol=1e-9, atol=0) == (FACTS[name].kind == "pixel")

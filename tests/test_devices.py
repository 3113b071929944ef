"""segdemo.devices: a device that is not there is refused in a sentence."""

import pytest
import torch

from segdemo.devices import cpu_has_bf16, device_label, pick_device
from segdemo.errors import SettingError


def test_the_cpu_is_always_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device().type in ("cuda", "mps", "cpu")
    assert device_label(torch.device("cpu")).startswith("CPU")
    assert isinstance(cpu_has_bf16(), bool)


@pytest.mark.parametrize(("threads", "words"), [(1, "CPU, 1 thread ("), (2, "CPU, 2 threads (")])
def test_one_thread_is_one_thread(monkeypatch: pytest.MonkeyPatch, threads: int, words: str) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert device_label(torch.device("cpu")).startswith(words)


def test_unknown_and_missing_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="auto, cuda, mps, cpu"):
        pick_device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingError, match="cuda"):
        pick_device("cuda")

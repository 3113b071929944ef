"""The gallery: every picture is there without network, decodes, and has a mask that fits where it promises one."""

import re
import socket

import numpy as np
import pytest

from segdemo.data.images import open_picture
from segdemo.data.samples import get_sample, list_samples
from segdemo.errors import SettingError

KEYS = [sample.key for sample in list_samples()]


def test_keys_are_unique_and_fit_into_an_address() -> None:
    assert len(set(KEYS)) == len(KEYS)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", key) for key in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_every_sample_is_there_without_network(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    sample = get_sample(key)
    data, target = sample.load()
    picture = open_picture(data, sample.title)
    assert min(picture.full_size) >= 100
    assert sample.credit and sample.group and sample.suggested.count("/") == 1
    if target is not None:
        assert target.shape == picture.full_size
        assert target.dtype == np.uint8 and target.any()
        again, same = sample.load()
        assert again == data
        assert same is not None
        np.testing.assert_array_equal(same, target)


def test_an_unknown_sample_names_what_exists() -> None:
    with pytest.raises(SettingError, match="coins"):
        get_sample("nothing")

"""A candidate's key names it completely, and reads back."""

import pytest

from segdemo.errors import SettingError
from segdemo.evaluation.candidate import MAX_CANDIDATES, Candidate, entry_of, parse_candidate, parse_candidates


@pytest.mark.parametrize(
    ("candidate", "key"),
    [
        (Candidate("unet/nuclei"), "unet/nuclei"),
        (Candidate("unet/nuclei", threshold=0.35), "unet/nuclei@threshold=0.35"),
        (Candidate("unet/nuclei", precision="float32", scale=0.5), "unet/nuclei@precision=float32@scale=0.5"),
        (Candidate("unet/nuclei", threshold=1e-5), "unet/nuclei@threshold=0"),
        (Candidate("unet/nuclei", threshold=-1e-9), "unet/nuclei@threshold=0"),
        (Candidate("unet/nuclei", threshold=0.1234567), "unet/nuclei@threshold=0.1235"),
        (Candidate("unet/nuclei", threshold=0.50001), "unet/nuclei"),
        (Candidate("unet/nuclei", scale=1 / 3), "unet/nuclei@scale=0.3333"),
        (Candidate("unet/nuclei", 0.0, "bfloat16", 4.0), "unet/nuclei@threshold=0@precision=bfloat16@scale=4"),
    ],
)
def test_a_key_reads_back(candidate: Candidate, key: str) -> None:
    assert candidate.key == key
    assert parse_candidate(f" {key} ") == candidate
    assert entry_of(candidate).weights_id == "unet/nuclei"


@pytest.mark.parametrize(
    "text",
    ["unet/none", "unet/nuclei@threshold=1.5", "unet/nuclei@threshold=nan", "unet/nuclei@scale=0.1", "unet/nuclei@scale=9",
     "unet/nuclei@precision=float16", "unet/nuclei@colour=red", "unet/nuclei@", "unet/nuclei@threshold=-0.1"],
)  # fmt: skip
def test_what_is_impossible_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        parse_candidate(text)


def test_one_to_six_and_each_once() -> None:
    twice = parse_candidates(["unet/nuclei", "", "fcn8s/nuclei", "unet/nuclei@threshold=0.5"])
    assert [candidate.key for candidate in twice] == ["unet/nuclei", "fcn8s/nuclei"]
    for texts in ([], [" "], [f"unet/nuclei@threshold=0.{n}" for n in range(1, MAX_CANDIDATES + 2)]):
        with pytest.raises(SettingError):
            parse_candidates(texts)


def test_what_is_called_the_same_is_the_same() -> None:
    assert Candidate("unet/nuclei", 0.30000001) == Candidate("unet/nuclei", 0.3) == parse_candidate("unet/nuclei@threshold=.30")

"""Label spaces come together by the names of the classes, and what cannot be compared is said."""

import contextvars
import gettext
from dataclasses import replace

import numpy as np
import pytest

from segdemo import text
from segdemo.evaluation.label_space import LabelSpace, background_of, common_space, space_of_data
from segdemo.text import set_language
from segdemo.types import ClassInfo, WeightsEntry
from segdemo.weights import get_weights


def entry(name: str, *classes: str, task: str = "segment") -> WeightsEntry:
    """Weights that know these classes; what they are otherwise does not matter here."""
    colors = tuple(ClassInfo(n, (i, 2 * i, 3 * i)) for i, n in enumerate(classes))
    return replace(get_weights("unet/nuclei"), weights_id=name, classes=colors, task=task)  # type: ignore[arg-type]


TWO = entry("a/two", "background", "nucleus")
THREE = entry("a/three", "background", "debris", "nucleus")
ANIMALS = entry("a/animals", "background", "cat", "dog", "cow")
SCENE = entry("a/scene", "wall", "dog", "sky", "cat")  # no background: the first class is one like the others


def names(classes: tuple[ClassInfo, ...]) -> list[str]:
    return [info.name for info in classes]


def test_networks_meet_in_the_classes_that_all_know() -> None:
    space = common_space([TWO, THREE])
    assert names(space.classes) == ["background", "nucleus"]
    np.testing.assert_array_equal(space.labels("a/three", np.array([[0, 1, 2, 2]], np.uint8)), [[0, 0, 1, 1]])
    assert space.extra == {"a/two": (), "a/three": ("debris",)}
    assert not space.refused


def test_the_order_and_colours_are_those_of_the_first() -> None:
    space = common_space([ANIMALS, SCENE])
    assert space.classes == ANIMALS.classes[:3]
    np.testing.assert_array_equal(space.labels("a/scene", np.array([[0, 1, 2, 3]], np.uint8)), [[0, 2, 0, 1]])
    assert space.extra["a/scene"] == ("wall", "sky") and space.extra["a/animals"] == ("cow",)


def test_a_network_without_background_keeps_its_first_class() -> None:
    space = common_space([SCENE, entry("a/rooms", "Wall", "floor", "door")])
    assert names(space.classes)[1:] == ["wall"]
    np.testing.assert_array_equal(space.labels("a/rooms", np.array([[0, 1, 2]], np.uint8)), [[1, 0, 0]])


def test_names_are_compared_without_case_and_underscores() -> None:
    space = common_space([entry("a/1", "background", "Traffic_Light", "car"), entry("a/2", "background", "car", "traffic light")])
    assert names(space.classes) == ["background", "Traffic_Light", "car"]


def test_who_shares_nothing_is_refused_and_the_rest_go_on() -> None:
    space = common_space([TWO, ANIMALS, THREE])
    assert list(space.refused) == ["a/animals"] and "cat" in space.refused["a/animals"].text
    assert list(space.tables) == ["a/two", "a/three"]


def test_what_draws_instead_of_labelling_is_refused() -> None:
    assert "a/drawer" in common_space([TWO, entry("a/drawer", "background", "nucleus", task="reconstruct")]).refused


def test_data_and_networks_meet_in_the_classes_that_all_know() -> None:
    data = ("background", "dog", "bird", "cat")
    space = space_of_data([ANIMALS, SCENE], data)
    assert names(space.classes) == ["background", "dog", "cat"]
    np.testing.assert_array_equal(space.target(np.array([[0, 1, 2, 3, 255]], np.uint8)), [[0, 1, 0, 2, 255]])
    assert space.unknown == {"a/animals": ("bird",), "a/scene": ("bird",)}
    assert space.extra == {"a/animals": ("cow",), "a/scene": ("wall", "sky")}


def test_a_class_that_another_network_lacks_is_unknown_to_that_one_only() -> None:
    space = space_of_data([ANIMALS, entry("a/cats", "background", "cat")], ("background", "cat", "dog"))
    assert names(space.classes) == ["background", "cat"]
    assert space.unknown == {"a/animals": (), "a/cats": ("dog",)}
    assert space.extra == {"a/animals": ("cow",), "a/cats": ()}


def test_data_without_a_name_for_their_foreground_fit_every_two_class_network() -> None:
    space = space_of_data([TWO, entry("a/cells", "background", "cell")], ("background", "foreground"))
    assert names(space.classes) == ["background", "nucleus"]
    for weights_id in ("a/two", "a/cells"):
        np.testing.assert_array_equal(space.labels(weights_id, np.array([[0, 1]], np.uint8)), [[0, 1]])
    np.testing.assert_array_equal(space.target(np.array([[0, 1, 255]], np.uint8)), [[0, 1, 255]])
    assert space.unknown == {"a/two": (), "a/cells": ()} and space.extra == {"a/two": (), "a/cells": ()}
    assert "a/animals" in space_of_data([TWO, ANIMALS], ("background", "foreground")).refused


def test_a_network_without_a_name_for_its_foreground_fits_two_class_data() -> None:
    space = space_of_data([entry("a/own", "background", "foreground")], ("background", "nucleus"))
    np.testing.assert_array_equal(space.labels("a/own", np.array([[0, 1]], np.uint8)), [[0, 1]])


@pytest.mark.parametrize("classes", [("background", "nucleus"), ("background", "class 1", "class 2", "class 3")])
def test_data_that_no_network_knows_are_named_in_the_sentence(classes: tuple[str, ...]) -> None:
    space = space_of_data([ANIMALS], classes)
    sentence = space.refused["a/animals"].text
    assert classes[1] in sentence and "cat" in sentence
    assert names(space.classes) == list(classes) and not space.tables


@pytest.mark.parametrize(
    ("names_", "background"),
    [(("background", "a", "b"), 0), (("Un_labeled", "a", "b"), None), (("_Background_", "a", "b"), 0), (("a", "b"), 0),
     (("wall", "b", "c"), None), ((), 0)],
)  # fmt: skip
def test_the_background_is_the_first_of_two_or_named_so(names_: tuple[str, ...], background: int | None) -> None:
    assert background_of(names_) == background


def test_what_is_kept_for_all_visitors_is_read_in_the_language_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor who reads German was first; another one reads the same refusal in English."""
    german = {"{id} draws pictures instead of labelling them.": "{id} malt.", "none": "keine", "anything else": "alles andere"}

    class German(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return german.get(message, message)

    monkeypatch.setattr(text, "_catalogue", lambda language: German() if language == "de" else gettext.NullTranslations())

    def in_german() -> tuple[LabelSpace, str]:
        set_language("de")
        space = common_space([SCENE, entry("a/rooms", "wall", "floor", "door"), entry("a/d", "x", "y", task="reconstruct")])
        return space, space.refused["a/d"].text

    space, read = contextvars.copy_context().run(in_german)
    assert (read, space.refused["a/d"].text) == ("a/d malt.", "a/d draws pictures instead of labelling them.")
    assert space.classes[0].name == "anything else"

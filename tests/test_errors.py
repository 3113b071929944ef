"""segdemo.errors: one tree, all of it public."""

import pytest

from segdemo import errors


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_in_the_tree_and_drawn_in_it(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.SegdemoError)
    assert name in (errors.__doc__ or "")
    assert str(getattr(errors, name)("A sentence.")) == "A sentence."


def test_no_error_is_left_out_of_all() -> None:
    defined = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    assert defined == set(errors.__all__)

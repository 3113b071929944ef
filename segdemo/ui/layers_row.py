"""The number of a row, of a layer or a line, as it stands in the address."""

import re

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["row_number"]


def row_number(text: str) -> int:
    """A number from 1 with at most two digits. Raises SettingError."""
    if not re.fullmatch("[0-9]{1,2}", text) or int(text) < 1:
        raise SettingError(_("In the address, a layer or a line is named by its number, from 1."))
    return int(text)

"""Words: every text that a visitor reads passes through `_`, so that it can be translated.

English is the source. A translation is a gettext catalogue under `assets/locale/<language>/LC_MESSAGES/segdemo.mo`.
The language is set per thread of control (one page run, one command), never globally: visitors do not share it.
"""

import gettext
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

__all__ = ["N_", "_", "set_language"]

LOCALE_DIR = Path(__file__).parents[1] / "assets" / "locale"
_language: ContextVar[str] = ContextVar("language", default="en")


@lru_cache(maxsize=16)
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("segdemo", LOCALE_DIR, languages=[language], fallback=True)


def set_language(locale: str | None) -> None:
    """Choose the language of this page run from a locale such as `ko-KR`; an unknown one falls back to English."""
    tag = (locale or "en").split("-")[0].lower()
    _language.set(tag if tag.isalpha() and len(tag) <= 3 else "en")


def N_(message: str) -> str:
    """Marks a message that is translated later, where it is shown; returns it as it is."""
    return message


def _(message: str, **values: object) -> str:
    """The translation of `message`, with `{name}` fields filled in from `values` after translating."""
    translated = _catalogue(_language.get()).gettext(message)
    return translated.format(**values) if values else translated

"""Words: every text that a visitor reads passes through `_`, so that it can be translated.

English is the source. A translation is a gettext catalogue under `assets/locale/<language>/LC_MESSAGES/segdemo.mo`.
The language is set per thread of control (one page run, one command), never globally: visitors do not share it. A sentence
remembers what it was made of, so that what is kept for several visitors can be said again in the language of each.
"""

import gettext
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

__all__ = ["N_", "Sentence", "_", "current_language", "few", "quoted", "said_again", "set_language"]

LONGEST_QUOTED, MOST_NAMED = 24, 4  # characters of a word that somebody wrote, and words of a list, in a sentence
LOCALE_DIR = Path(__file__).parents[1] / "assets" / "locale"
_language: ContextVar[str] = ContextVar("language", default="en")


@lru_cache(maxsize=16)
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("segdemo", LOCALE_DIR, languages=[language], fallback=True)


def set_language(locale: str | None) -> None:
    """Choose the language of this page run from a locale such as `ko-KR`; an unknown one falls back to English."""
    tag = (locale or "en").split("-")[0].lower()
    _language.set(tag if tag.isalpha() and len(tag) <= 3 else "en")


def current_language() -> str:
    """The language of this page run, as the first part of a locale: "en", "ko"."""
    return _language.get()


class Sentence(str):
    """A finished text of `_`: a plain string, which also knows its `message` and the `values` that were filled in."""

    message: str
    values: Mapping[str, object]


def N_(message: str) -> str:
    """Marks a message that is translated later, where it is shown; returns it as it is."""
    return message


def _(message: str, **values: object) -> str:
    """The translation of `message`, with `{name}` fields filled in from `values` after translating."""
    translated = _catalogue(_language.get()).gettext(message)
    found = Sentence(translated.format(**values) if values else translated)
    # An exception would keep alive everything that was under way when it was raised.
    found.message, found.values = message, {k: str(v) if isinstance(v, BaseException) else v for k, v in values.items()}
    return found


def said_again(text: str) -> str:
    """A text in this page run's language, whichever it was made in; as it is, where nobody knows what it was made of."""
    if not isinstance(text, Sentence):
        return text
    return _(text.message, **{name: said_again(v) if isinstance(v, str) else v for name, v in text.values.items()})


def quoted(text: str) -> str:
    """What somebody wrote, as a sentence repeats it: its beginning."""
    return text if len(text) <= LONGEST_QUOTED else f"{text[: LONGEST_QUOTED - 1]}…"


def few(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    every = [quoted(name) for name in names]
    first = ", ".join(every[:MOST_NAMED])
    return first if len(every) <= MOST_NAMED else _("{names} and {n} more", names=first, n=len(every) - MOST_NAMED)

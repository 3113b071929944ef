"""segdemo.text: fields are filled in after translating; a locale never breaks a page."""

import contextvars
import gettext
from collections.abc import Iterator
from pathlib import Path

import pytest

from segdemo import text
from segdemo.text import _, set_language


@pytest.fixture(autouse=True)
def clean_language() -> Iterator[None]:
    yield
    set_language(None)
    text._catalogue.cache_clear()


def test_english_is_the_source() -> None:
    assert _("Two {n} {unit}", n=3, unit="pixels") == "Two 3 pixels"
    assert _("a text with {braces} and no values") == "a text with {braces} and no values"


@pytest.mark.parametrize("locale", [None, "", "en", "ko-KR", "zh_CN", "../../etc", "x" * 300, "eo"])
def test_any_locale_gives_words(locale: str | None) -> None:
    set_language(locale)
    assert _("no such text {n}", n=1) == "no such text 1"


def test_a_catalogue_is_used_and_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Upper(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return "{n} Stück" if message == "{n} pieces" else message

    monkeypatch.setattr(text, "_catalogue", lambda language: Upper() if language == "de" else gettext.NullTranslations())
    set_language("de-AT")
    assert _("{n} pieces", n=4) == "4 Stück"


def test_languages_do_not_leak_between_visitors() -> None:
    contextvars.copy_context().run(set_language, "ko")
    assert text._language.get() == "en"

"""segdemo.text: fields are filled in after translating; a locale never breaks a page."""

import contextvars
import copy
import gettext
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from segdemo import text
from segdemo.errors import ImageError
from segdemo.text import _, current_language, said_again, set_language
from segdemo.types import Notice


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


class German(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return {"The file {name} is {how}.": "Die Datei {name} ist {how}.", "broken": "kaputt"}.get(message, message)


def in_german() -> tuple[Notice, str]:
    set_language("de-AT")
    assert current_language() == "de"
    try:
        raise ImageError(_("The file {name} is {how}.", name="a.png", how=_("broken")))
    except ImageError as error:
        return Notice.of(error), str(error)


def test_what_one_visitor_was_told_is_read_by_another_in_their_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_catalogue", lambda language: German() if language == "de" else gettext.NullTranslations())
    notice, said = contextvars.copy_context().run(in_german)
    assert current_language() == "en"
    assert said == "Die Datei a.png ist kaputt."
    assert notice.text == said_again(said) == "The file a.png is broken."
    assert Notice("{sentence}", {"sentence": said}).text == "The file a.png is broken."
    assert Notice.of("any other text {n}").text == said_again("any other text {n}") == "any other text {n}"


def test_a_sentence_is_a_plain_text_that_travels() -> None:
    sentence = _("Two {n}", n=3)
    assert pickle.loads(pickle.dumps(sentence)) == copy.deepcopy(sentence) == "Two 3"
    assert type(str(sentence)) is str and Path("folder") / sentence == Path("folder/Two 3")
    assert json.dumps({sentence: sentence}) == '{"Two 3": "Two 3"}' and {"Two 3": 1}[sentence] == 1


def test_a_sentence_does_not_keep_what_an_error_keeps() -> None:
    try:
        raise ValueError("inner")
    except ValueError as error:
        sentence = str(Notice.of(_("It failed: {reason}", reason=error)).values["reason"])
        assert type(Notice.of(_("It failed: {reason}", reason=error)).values["reason"]) is str
    assert sentence == "inner"

"""The address: written once for every change, also where the browser's own is a moment behind."""

import pytest
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest

from .app_run import sound


def fragment_after_a_page() -> None:
    """A page's run, or that of a part of it, which does not read the address."""
    import streamlit as st

    from segdemo.ui.url import read_url, write_url

    if not st.session_state.get("part"):
        read_url("layers")
    st.session_state["set"] = st.session_state.get("wish", st.session_state["set"])
    write_url()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Every address that was sent to the browser, the newest last."""
    sent: list[dict[str, str]] = []
    send = QueryParamsProxy.from_dict

    def keep(self: QueryParamsProxy, params: dict[str, str]) -> None:
        sent.append(dict(params))
        send(self, params)

    monkeypatch.setattr(QueryParamsProxy, "from_dict", keep)
    return sent


def changed(app: AppTest, wish: str, address: str, part: bool) -> None:
    """A run in which a control asks for `wish`, sent by a browser that stands at `address`."""
    app.session_state["wish"], app.session_state["part"] = wish, part
    app.query_params = {"set": address} if address else {}
    sound(app.run())


def test_a_setting_taken_back_before_the_browser_knew_of_it_is_written_back(written: list[dict[str, str]]) -> None:
    app = sound(AppTest.from_function(fragment_after_a_page, default_timeout=30).run())
    changed(app, "n:7", "", part=True)
    changed(app, "", "", part=True)  # the browser had not yet gone to n:7
    assert written == [{"set": "n:7"}, {}]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds, in a list of one."""
    now = [100.0]
    monkeypatch.setattr("segdemo.ui.url.monotonic", lambda: now[0])
    return now


def test_a_message_from_before_the_address_arrived_takes_nothing_back(written: list[dict[str, str]], clock: list[float]) -> None:
    app = sound(AppTest.from_function(fragment_after_a_page, default_timeout=30).run())
    changed(app, "n:7", "", part=True)
    changed(app, "n:8", "", part=True)
    clock[0] += 0.1
    changed(app, "n:8", "n:7", part=False)  # something else on the page, such as the camera's switch
    assert app.session_state["set"] == "n:8"
    assert written[-1] == {"set": "n:8"}


def test_back_while_an_address_is_on_its_way_ends_where_the_page_is(written: list[dict[str, str]], clock: list[float]) -> None:
    app = sound(AppTest.from_function(fragment_after_a_page, default_timeout=30).run())
    for wish, address in (("n:6", ""), ("n:7", "n:6"), ("n:8", "n:7")):
        clock[0] += 10
        changed(app, wish, address, part=True)
    del app.session_state["wish"]
    app.session_state["part"], app.query_params = False, {"set": "n:6"}  # n:8 has not arrived
    sound(app.run())
    assert app.session_state["set"] == "n:6"
    assert written[-1] == {"set": "n:6"}, "otherwise n:8 would be the last that the browser hears of"


def test_an_address_that_the_browser_went_to_by_itself_is_not_written_again(
    written: list[dict[str, str]], clock: list[float]
) -> None:
    app = sound(AppTest.from_function(fragment_after_a_page, default_timeout=30).run())
    changed(app, "n:7", "", part=True)
    changed(app, "n:8", "n:7", part=True)
    clock[0] += 1.0
    del app.session_state["wish"]
    app.session_state["part"], app.query_params = False, {"set": "n:7"}  # back
    sound(app.run())
    assert app.session_state["set"] == "n:7"
    assert written == [{"set": "n:7"}, {"set": "n:8"}]


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("n:7,", "n:7", ""),
        ("n:7,k:<script>,s:2", "n:7,s:2", "stride:2, with commas between them. Not a pair: k:<script>."),
        ("n:😀,k:3", "k:3", "Not a pair: n:😀."),
        ("n:7,k:3,n:8", "n:8,k:3", "names something twice"),
        (",".join(f"{'a' * i}:1" for i in range(1, 31)), ",".join(f"{'a' * i}:1" for i in range(1, 31)), ""),
        (",".join(f"{c}{d}:1" for c in "abcdefg" for d in "abcdefg"), None, "Only the first 48 are read"),
        ("n:" + "7" * 4000, "", "at most 4000 are read"),
    ],
)
def test_what_can_be_read_of_a_set_is_kept_and_the_rest_is_said(text: str, kept: str | None, said: str) -> None:
    app = AppTest.from_function(fragment_after_a_page, default_timeout=30)
    app.query_params = {"set": text}
    sound(app.run())
    assert kept is None or app.session_state["set"] == kept
    messages = " ".join(app.session_state.get("url_messages", []))
    assert said in messages
    assert bool(said) == bool(messages)


def test_the_settings_of_a_view_that_there_is_not_reach_no_other(written: list[dict[str, str]]) -> None:
    app = AppTest.from_function(fragment_after_a_page, default_timeout=30)
    app.query_params = {"layer": "bogus", "set": "n:7"}
    sound(app.run())
    assert app.session_state["layer"] == "convolution"
    assert app.session_state["set"] == ""
    assert written == [{}]

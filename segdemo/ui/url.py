"""The page's state in the address: read once when a session starts, checked, and written after every change.

Streamlit's own binding writes the words on the screen into the address, so that a link would break with the language;
these are keys. Values typed by hand bypass the widgets' bounds, therefore each has a check of its own.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from urllib.parse import urlencode

import streamlit as st

from segdemo.data.samples import get_sample, list_samples
from segdemo.errors import SettingError
from segdemo.evaluation.candidate import MAX_CANDIDATES, entry_of, parse_candidates
from segdemo.models import list_models
from segdemo.text import _, few
from segdemo.ui.words import plain
from segdemo.weights import get_network, get_weights

__all__ = [
    "COMPARE_VIEWS", "DEFAULT_MODELS", "DEFAULT_WEIGHTS", "FEWEST_MODELS", "LAYERS", "LENSES", "LONGEST_SET",
    "LONGEST_VALUE", "STYLES", "VIEWS", "address",
    "parse_input", "read_url", "show_url_messages", "write_url",
]  # fmt: skip

DEFAULT_WEIGHTS = "unet/nuclei"
DEFAULT_NET = "unet"
DEFAULT_MODELS = "fcn32s/nuclei,fcn8s/nuclei,unet/nuclei"  # from blobs to borders
FEWEST_MODELS = 2  # of a comparison
LARGEST_INPUT = 4096
LONGEST_SET = 4000  # characters
LONGEST_VALUE = 2500  # characters of one of its values
MOST_PAIRS = 48  # of a view's settings
STYLES = ("fill", "contour")
LENSES = ("channels", "probe", "whatif", "why", "time", "gate")
VIEWS = ("curves", "spoil", "race", "trained", "honesty")
COMPARE_VIEWS = ("panes", "disagreement", "scores", "cost")
LAYERS = ("convolution", "mixing", "pooling", "upsampling", "coverage", "field", "normalise", "shapes")
MESSAGES_KEY, PAGE_KEY, WRITTEN_KEY, BARE_KEY = "url_messages", "url_page", "url_written", "url_bare"
LEFT_KEY = "url_left"  # addresses that were just replaced, with when
MOST_LEFT = 8  # of them, as when a slider is drawn
ON_THE_WAY_S = 0.5  # that an address may take to the browser and back


@dataclass(frozen=True)
class Parameter:
    """One value in the address: what it is without one, and how text becomes a value, or a SettingError."""

    default: object
    parse: Callable[[str], object]
    page: str | None = None  # the only page whose address shows it


def _percent(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
        raise SettingError(_("In the address, opacity and threshold are whole numbers from 0 to 100."))
    return int(text)


def _style(text: str) -> str:
    if text not in STYLES:
        raise SettingError(_("In the address, style is one of: {styles}.", styles=", ".join(STYLES)))
    return text


def _net(text: str) -> str:
    if text not in list_models():
        raise SettingError(_("In the address, net and beside name an architecture; {name} is none.", name=text))
    return text


def parse_input(text: str) -> str:
    """A picture's size in the address, "572" or "360x480"; empty for the paper's. Raises SettingError."""
    sides = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", text)
    if text and not (sides and all(1 <= int(side) <= LARGEST_INPUT for side in sides.groups() if side)):
        raise SettingError(_("A picture size is a number of pixels up to {most}, or two: 572 or 360x480.", most=LARGEST_INPUT))
    return text


def _options(text: str) -> str:
    if not re.fullmatch(r"(?:[a-z_]{1,30}:[A-Za-z0-9_]{1,20}(?:,(?!$)|$)){0,8}", text):
        raise SettingError(_("In the address, options are pairs such as padding:valid, with commas between them."))
    return text


def _word(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9_]{1,40}", text):
        raise SettingError(_("In the address, stage is a single word such as encoder2."))
    return text


def _lens(text: str) -> str:
    if text not in LENSES:
        raise SettingError(_("In the address, lens is one of: {names}.", names=", ".join(LENSES)))
    return text


def _view(text: str) -> str:
    if text not in VIEWS:
        raise SettingError(_("In the address, view is one of: {names}.", names=", ".join(VIEWS)))
    return text


def _run(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{16}", text):
        raise SettingError(_("In the address, run is the id of a training: sixteen digits and letters."))
    return text


def _race(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{16}", text):
        raise SettingError(_("In the address, race is the id of a race: sixteen digits and letters."))
    return text


def _models(text: str) -> str:
    named = [part for part in text.split(",") if part.strip()]
    found = parse_candidates(named, most=len(named)) if named else ()
    if not FEWEST_MODELS <= len(found) <= MAX_CANDIDATES:
        raise SettingError(_("In the address, models names two to {most} different sets of weights, not {n}, with commas between "
                             "them. Another comparison is shown instead.", most=MAX_CANDIDATES, n=len(found)))  # fmt: skip
    if len(found) < len(named):
        _say(_("In the address, models names something twice. It is compared once."))
    for entry in map(entry_of, found):
        if entry.task != "segment":
            raise SettingError(_("{id} draws pictures instead of labelling them.", id=entry.weights_id))
    return ",".join(candidate.key for candidate in found)


def _compare(text: str) -> str:
    if text not in COMPARE_VIEWS:
        raise SettingError(_("In the address, compare is one of: {names}.", names=", ".join(COMPARE_VIEWS)))
    return text


def _layer(text: str) -> str:
    if text not in LAYERS:
        raise SettingError(_("In the address, layer is one of: {names}.", names=", ".join(LAYERS)))
    return text


def _set(text: str) -> str:
    """The pairs that can be read; what is wrong with the others is said."""
    if len(text) > LONGEST_SET:
        raise SettingError(
            _("In the address, set has {n} characters, and at most {most} are read.", n=len(text), most=LONGEST_SET)
        )
    form = re.compile(rf"[a-z_]{{1,30}}:[A-Za-z0-9_.-]{{1,{LONGEST_VALUE}}}")
    written = [part for part in text.split(",") if part]
    good, wrong = [part for part in written if form.fullmatch(part)], [part for part in written if not form.fullmatch(part)]
    pairs = dict(part.split(":", 1) for part in good)
    if wrong:
        _say(_("In the address, set holds pairs such as stride:2, with commas between them. Not a pair: {wrong}.",
               wrong=few(wrong)))  # fmt: skip
    if len(pairs) < len(good):
        _say(_("In the address, set names something twice. The last of it counts."))
    if len(pairs) > MOST_PAIRS:
        _say(_("In the address, set holds {n} pairs. Only the first {most} are read.", n=len(pairs), most=MOST_PAIRS))
    return ",".join(f"{name}:{value}" for name, value in islice(pairs.items(), MOST_PAIRS))


def _network(text: str) -> str:
    if text:
        get_network(text)
    return text


def _parameters() -> dict[str, Parameter]:
    return {
        "sample": Parameter(list_samples()[0].key, lambda key: get_sample(key).key),
        "weights": Parameter(DEFAULT_WEIGHTS, lambda key: get_weights(key).weights_id),
        "style": Parameter(STYLES[0], _style),
        "opacity": Parameter(55, _percent),
        "threshold": Parameter(50, _percent),
        "net": Parameter(DEFAULT_NET, _net, "architectures"),
        "beside": Parameter("", _net, "architectures"),
        "input": Parameter("", parse_input, "architectures"),
        "options": Parameter("", _options, "architectures"),
        "stage": Parameter("", _word, "features"),
        "lens": Parameter(LENSES[0], _lens, "features"),
        "second": Parameter("", _network, "features"),
        "view": Parameter(VIEWS[0], _view, "losses"),
        "run": Parameter("", _run, "training"),  # whoever has it can stop the training: no other link gives it away
        "race": Parameter("", _race, "losses"),  # the same
        "models": Parameter(DEFAULT_MODELS, _models, "compare"),
        "compare": Parameter(COMPARE_VIEWS[0], _compare, "compare"),
        "layer": Parameter(LAYERS[0], _layer, "layers"),
        "set": Parameter("", _set, "layers"),
    }


def read_url(page: str) -> None:
    """Bring the session in line with the address, where that is newer: in a new session, and after back or forward.

    Going to another page drops what stood in the address; the session then knows better and writes it again. So does
    a widget that was just changed: under load its message can still carry the address of a moment ago. What only other
    pages' addresses show stays as it is.
    """
    state, address = st.session_state, st.query_params.to_dict()
    came = state.get(PAGE_KEY)
    state[PAGE_KEY] = page  # which decides what an address holds
    moved = _moved(came, page, address)
    if moved or came != page:  # the browser stands there, unless another address is on its way to it
        state[WRITTEN_KEY] = None if moved and _just_left() else address
    for key, parameter in _parameters().items():
        if key not in state or (moved and parameter.page in (None, page)):
            state[key] = _checked(address.get(key), parameter)
    if (moved or came is None) and address.get("layer", LAYERS[0]) not in LAYERS:
        state["set"] = ""  # the settings of a view that there is not
    if moved or "architecture" not in state:
        state["architecture"] = get_weights(state["weights"]).model


def _moved(came: str | None, page: str, address: dict[str, str]) -> bool:
    """Whether the address is one that the browser's history, or a link, gave a session that has another. came: the page before.

    A page that was come to through the navigation has an entry without anything in the history, before that which
    `write_url` made. Back to it means nothing new.
    """
    state = st.session_state
    written, bare = state.get(WRITTEN_KEY), state.setdefault(BARE_KEY, set())
    if came is None:
        return False  # a new session takes everything from the address
    if came != page:
        if not address:
            bare.add(page)
        return bool(address) and address not in (written, _as_address())
    if address == written:
        state[LEFT_KEY] = []  # it has arrived: what comes now is the browser's own
    elif address in _just_left():
        return False  # sent before it had arrived
    return address != written and _as_address() == written and (bool(address) or page not in bare)


def _just_left() -> list[dict[str, str]]:
    """The addresses that were replaced so recently that the browser may still be at them."""
    left: list[tuple[dict[str, str], float]] = st.session_state.get(LEFT_KEY, [])
    return [address for address, when in left if monotonic() - when < ON_THE_WAY_S]


def _checked(text: str | None, parameter: Parameter) -> object:
    """The value that the address gives, or the default, with a sentence to show, where it is not usable."""
    if text is None:
        return parameter.default
    try:
        return parameter.parse(text)
    except SettingError as error:
        _say(str(error))
        return parameter.default


def _say(sentence: str) -> None:
    """Remember a sentence for `show_url_messages`."""
    st.session_state.setdefault(MESSAGES_KEY, []).append(sentence)


def show_url_messages() -> None:
    """Say, once, which values of the address were not usable."""
    if messages := st.session_state.pop(MESSAGES_KEY, []):
        st.warning(plain(" ".join(dict.fromkeys(messages)), 400), icon=":material/link_off:")


def write_url() -> None:
    """Bring the address up to date; values at their default are left out of it.

    A change can arrive with an address that is one step old: then it is written again, since where the browser will stand is
    not known.
    """
    state, wanted = st.session_state, _as_address()
    written = state.get(WRITTEN_KEY)
    if wanted != st.query_params.to_dict() or wanted != written:
        st.query_params.from_dict(wanted)
    if written is not None and wanted != written:
        state[LEFT_KEY] = [*state.get(LEFT_KEY, [])[-MOST_LEFT:], (written, monotonic())]
    state[WRITTEN_KEY] = wanted
    if not wanted:  # here an address without anything means this
        state.setdefault(BARE_KEY, set()).discard(state.get(PAGE_KEY))


def address() -> str:
    """The whole address of what is on screen."""
    query = urlencode(_as_address(), safe="/,:")
    return str(st.context.url).partition("?")[0] + (f"?{query}" if query else "")


def _as_address() -> dict[str, str]:
    """The session's values as the address would have them."""
    state = st.session_state
    shown = {key: p for key, p in _parameters().items() if p.page in (None, state.get(PAGE_KEY))}
    return {key: str(state[key]) for key, p in shown.items() if state.get(key, p.default) != p.default}

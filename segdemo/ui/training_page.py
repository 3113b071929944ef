"""The Training page: data first, as pictures with their masks; a setting that works; one button; then the run itself.

no run ─▶ data, settings, Start ─▶ waiting ─▶ running ─▶ finished | failed
                                    found again by its id, in the session or in the address
"""

import hashlib
import secrets
from dataclasses import replace

import streamlit as st

from segdemo.data.augment import Augmentation
from segdemo.data.sources import FolderSource, Sample, Source
from segdemo.data.uploaded_set import PairedSource
from segdemo.errors import SegdemoError
from segdemo.text import _
from segdemo.training.run_queue import is_run_id, shared_queue
from segdemo.training.run_samples import SAMPLES, fitted
from segdemo.training.run_spec import MAX_CLASS_NAME, RunSpec, checked
from segdemo.types import ClassInfo
from segdemo.ui.training_data import ChosenData, choose_data
from segdemo.ui.training_live import show_run
from segdemo.ui.training_report import show_report
from segdemo.ui.training_settings import ask_augmentation, ask_length, ask_settings
from segdemo.ui.training_sheets import augmented, legend, outlined, show_picture, stacked
from segdemo.ui.words import plain
from segdemo.weights import named_classes

__all__ = ["show_training_page"]

RUN_KEY, VISITOR_KEY = "run", "training_visitor"
MOST_OF_A_SESSION, MOST_OF_AN_ADDRESS = 2, 3  # trainings that wait or run; five have room


def show_training_page() -> None:
    """The run of this session or address; without one, the way to start one."""
    run_id = _known_run()
    if run_id:
        show_run(run_id)
    else:
        _show_form()


def _known_run() -> str:
    """The id in the session, or in the address of a fresh one; "" where there is none, or none of that id any more."""
    run_id = str(st.session_state.get(RUN_KEY) or st.query_params.get(RUN_KEY, ""))
    if run_id and (not is_run_id(run_id) or shared_queue().find(run_id) is None):
        st.warning(_("The training in the address is not kept any more."), icon=":material/link_off:")
        run_id = ""
    st.session_state[RUN_KEY] = run_id
    return run_id


def _show_form() -> None:
    st.title(_("Train a network on your own pictures"))
    picture, side = st.columns([7, 2], gap="medium")
    above, found = picture.container(), picture.container()
    with side:
        chosen = choose_data(show_report, above, found)
        settings = ask_length()
        start = st.container()
    samples: list[Sample] = []
    try:
        samples = _samples(chosen.source) if chosen is not None else []
    except SegdemoError as error:  # a listed folder is read only now
        above.error(plain(str(error), 400), icon=":material/folder_off:")
        chosen = None
    if chosen is None:
        with start:
            st.button(
                _("Start"), key="training_start", type="primary", disabled=True, width="stretch", icon=":material/play_arrow:"
            )
        return
    classes = named_classes(chosen.source.class_names)
    with above:
        _show_samples(samples, classes, chosen.source)
    spec = RunSpec(data=chosen.data, data_name=chosen.name, settings=settings)
    spec = ask_settings(replace(spec, classes=_names(chosen)), len(classes))
    with st.expander(_("Augmentation"), icon=":material/auto_awesome_motion:", expanded=False):
        spec = replace(spec, settings=replace(spec.settings, augmentation=_augmentation(spec, samples, classes)))
    with start:
        _start(spec, chosen, len(classes))


def _samples(source: Source) -> list[Sample]:
    if isinstance(source, PairedSource):
        return source.pictures(SAMPLES)
    found = []
    for sample in source.validation():
        found.append(sample)
        if len(found) == SAMPLES:
            break
    return found


def _show_samples(samples: list[Sample], classes: tuple[ClassInfo, ...], source: Source) -> None:
    """Pictures above, the same with their masks below."""
    above = [fitted(image) for image, _target, _kind in samples]
    below = [
        outlined(small, fitted(target), classes, filled=True) for small, (_image, target, _k) in zip(above, samples, strict=True)
    ]
    show_picture(stacked([above, below]), _("{n} pictures of the data set, and the same with their masks", n=len(samples)))
    legend(classes, source.report.shares if isinstance(source, PairedSource) else ())
    if isinstance(source, PairedSource | FolderSource):
        counts = source.describe()
        st.caption(
            _("{train} pairs to learn from, {val} held out to measure on.", train=counts["train"], val=counts["validation"])
        )
    else:
        st.caption(_("Drawn without end: no picture is learned from twice, and others are held out to measure on."))


def _names(chosen: ChosenData) -> tuple[str, ...]:
    """The visitor's words for the classes of their data; of generated sets they are known."""
    found = chosen.source.class_names
    if not isinstance(chosen.source, PairedSource | FolderSource):
        return ()
    key = hashlib.sha256(repr((chosen.data, found)).encode()).hexdigest()[:16]
    text = st.text_input(
        _("Class names, background first"), ", ".join(found), key=f"training_classes_{key}",
        max_chars=21 * (MAX_CLASS_NAME + 2), help=_("Separated by commas, in the order of the colours above."),
    )  # fmt: skip
    names = tuple("".join(c for c in word if c.isprintable() and c not in "[]<>`$\\").strip() for word in text.split(","))
    if len(names) != len(found) or not all(names):
        st.error(
            _("There are {n} classes, and {k} names.", n=len(found), k=len([name for name in names if name])),
            icon=":material/error:",
        )
        return found
    return names


def _augmentation(spec: RunSpec, samples: list[Sample], classes: tuple[ClassInfo, ...]) -> Augmentation:
    preview, controls = st.columns([7, 2], gap="medium")
    with controls:
        augmentation = ask_augmentation()
        seed = st.session_state.setdefault("training_preview_seed", 0)
        if st.button(_("Draw others"), icon=":material/casino:", key="training_redraw", width="stretch",
                     help=_("The same settings, other chances.")):  # fmt: skip
            seed = st.session_state["training_preview_seed"] = seed + 1
    with preview:
        crops = augmented(samples, 2 * SAMPLES, spec.settings.crop, augmentation, seed)
        shown = [outlined(image, labels, classes, filled=False) for image, labels in crops]
        show_picture(stacked([shown[:SAMPLES], shown[SAMPLES:]]), _("Augmented crops with the outlines of their masks"))
        st.caption(
            _("What the network is shown: crops, changed anew each time, so that it learns what does not matter. "
              "A rotated 6 is no 9, and a mirrored heart lies on the wrong side: switch off what changes the meaning.")
        )  # fmt: skip
    return augmentation


def _start(spec: RunSpec, chosen: ChosenData, num_classes: int) -> None:
    problem = ""
    try:
        spec = checked(spec, num_classes)
    except SegdemoError as error:
        problem = str(error)
    if st.button(
        _("Start"), key="training_start", type="primary", icon=":material/play_arrow:", width="stretch", disabled=bool(problem),
        help=_("Runs by itself with low priority: you may look at other pages, or come back by this page's address."),
    ):  # fmt: skip
        try:
            st.session_state[RUN_KEY] = shared_queue().submit(spec, chosen.file, _owners())
            st.rerun()
        except SegdemoError as error:
            problem = str(error)
    if problem:
        st.error(plain(problem, 400), icon=":material/error:")


def _owners() -> dict[str, int]:
    """Whom a training belongs to, and how many at a time: this session, and the address it comes from, which a class
    may share and another tab has too."""
    session = st.session_state.setdefault(VISITOR_KEY, secrets.token_hex(8))
    address = st.context.ip_address  # none on the server's own machine
    return {f"session {session}": MOST_OF_A_SESSION, **({f"address {address}": MOST_OF_AN_ADDRESS} if address else {})}

"""A judged picture, opened: itself, its truth, and what each network got right and wrong, side by side.

The networks run for it once; the engine remembers what they said.
"""

import hashlib

import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import LabelledPicture
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.compare_data import Outcome, PictureComparison, outcome_of
from segdemo.ui.compare_panes import model_pane, picture_pane, show_these, truth_pane
from segdemo.ui.compare_scores_run import Run
from segdemo.ui.compare_scores_tables import Look
from segdemo.ui.words import plain
from segdemo.weights import named_classes

__all__ = ["compared", "labelled_picture", "show_opened"]

PICTURE_BYTES = 100_000_000
_pictures: BoundedCache[tuple[str, str], LabelledPicture] = BoundedCache(
    PICTURE_BYTES, lambda picture: picture.image.nbytes + picture.target.nbytes
)


def show_opened(run: Run, look: Look, name: str, *, key: str) -> None:
    """The panes of one picture of the set."""
    st.markdown(f"**{plain(name, 90)}**")
    try:
        with st.spinner(_("Opening {name} …", name=plain(name)), show_time=True):
            comparison = compared(run, look, labelled_picture(run, name))
    except SegdemoError as error:
        st.error(plain(str(error), 400), icon=":material/broken_image:")
        return
    panes = [picture_pane(comparison, optional=False), truth_pane(comparison, optional=False)]
    panes += [model_pane(comparison, i) for i in range(len(comparison.outcomes))]
    show_these(comparison, panes, ["errors", "contour"], key=key)


def labelled_picture(run: Run, name: str) -> LabelledPicture:
    """A picture of the set, decoded once. Raises ImageError or DataSetError where it cannot be read any more."""
    data = run.chosen.data
    return _pictures.get_or_make((run.chosen.key, name), lambda: data.read(data.names.index(name)))


def picture_of(run: Run, labelled: LabelledPicture) -> Picture:
    """As the engine takes and remembers it."""
    digest = hashlib.sha256(f"{run.chosen.key}\0{labelled.name}".encode()).hexdigest()
    return Picture(labelled.name, digest, labelled.image, (labelled.image.shape[0], labelled.image.shape[1]))


def compared(run: Run, look: Look, labelled: LabelledPicture) -> PictureComparison:
    """The candidates on it; one candidate's failure is its own."""
    picture = picture_of(run, labelled)
    outcomes = tuple(_outcome(run, look, candidate, picture) for candidate in run.candidates)
    return PictureComparison(picture, outcomes, run.space, labelled.target, named_classes(run.chosen.data.class_names))


def _outcome(run: Run, look: Look, candidate: Candidate, picture: Picture) -> Outcome:
    title = look.titles[candidate.key]
    if refused := run.evaluation().refused.get(candidate.key):
        return Outcome(candidate, entry_of(candidate), title, None, refused.text)
    return outcome_of(candidate, title, picture)

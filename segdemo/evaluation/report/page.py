"""The report: one HTML file that opens alone, without a network, in both themes, on paper and on a phone.

Jinja2 escapes every value on its way into the page; charts, style and script are this program's own text. The file allows
itself no address to load from and no script but its own (a content security policy), whatever a file is called.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from segdemo.evaluation.colours import CANDIDATE_COLOURS
from segdemo.evaluation.examples import PictureExample
from segdemo.evaluation.report.charts import difference_chart, picture_chart, precision_recall_chart, reliability_chart
from segdemo.evaluation.report.context import (
    candidates_of,
    comparisons_of,
    examples_of,
    facts_of,
    settings_of,
    verdict_of,
)
from segdemo.evaluation.report.findings import matrices_of, omissions_of
from segdemo.evaluation.report.tables import class_table, measure_groups, picture_table, ranking_of, undefined_reasons
from segdemo.evaluation.scores.differences import Comparison, sentence
from segdemo.evaluation.scores.measures import DASH
from segdemo.evaluation.scores.results import Evaluation
from segdemo.text import _, current_language

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["report_html"]

FOLDER = Path(__file__).parent / "template"
MAX_EXAMPLES = 24


def report_html(
    evaluation: Evaluation, worst: Sequence[PictureExample] = (), *, title: str = "", created: datetime | None = None
) -> str:
    """The whole report as text, for a file of a few megabytes at most.

    worst: pictures to show, the worst first (`worst_pictures`, `make_example`); at most 24, as many as fit. title: the
    heading, if not the data set's name. created: the date that it bears, with its time zone; now, if not given.
    """
    from markupsafe import Markup

    style, script = ((FOLDER / name).read_text("utf-8") for name in ("report.css", "report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    comparisons = comparisons_of(evaluation)
    charts = {name: Markup(chart) for name, chart in _charts(evaluation, comparisons).items()}  # they escape what they write
    return _environment().get_template("report.html.j2").render(
        _=_, dash=DASH, language=current_language(), title=title or evaluation.data_name, css=Markup(style),
        script=Markup(script), script_hash=f"sha256-{digest}", **charts, **_words(evaluation, comparisons, created),
        **_tables(evaluation), **examples_of(evaluation, worst[:MAX_EXAMPLES]),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    found.filters["breakable"] = _breakable
    return found


def _breakable(key: str) -> "Markup":
    """A name or a key, escaped, that may go on in the next line after a slash or an underscore, and before a setting."""
    from markupsafe import Markup, escape

    return Markup(str(escape(key)).replace("/", "/<wbr>").replace("_", "_<wbr>").replace("@", "<wbr>@"))  # escaped first


def _charts(evaluation: Evaluation, comparisons: Sequence[Comparison]) -> dict[str, str]:
    return {
        "difference_chart": difference_chart(comparisons, CANDIDATE_COLOURS),
        "precision_recall": precision_recall_chart(evaluation, CANDIDATE_COLOURS),
        "reliability": reliability_chart(evaluation, CANDIDATE_COLOURS),
        "pictures_chart": picture_chart(evaluation, CANDIDATE_COLOURS),
    }


def _words(evaluation: Evaluation, comparisons: Sequence[Comparison], created: datetime | None) -> dict[str, object]:
    return {
        "facts": facts_of(evaluation, created or datetime.now().astimezone()), "verdict": verdict_of(evaluation, comparisons),
        "difference_lead": _("The best network against each of the others, on the pictures that both scored. The bar holds "
                             "95\u00a0% of what other draws of such pictures would have given; where it touches zero, the order "
                             "may be luck."),
        "sentences": [sentence(comparison) for comparison in comparisons],
        "candidates": candidates_of(evaluation), "settings": settings_of(evaluation), **omissions_of(evaluation),
    }  # fmt: skip


def _tables(evaluation: Evaluation) -> dict[str, object]:
    return {
        "ranking": ranking_of(evaluation), "measures_all": measure_groups(evaluation, per_image=False),
        "measures_mean": measure_groups(evaluation, per_image=True), "undefined": undefined_reasons(evaluation),
        **matrices_of(evaluation), **class_table(evaluation), **picture_table(evaluation),
    }  # fmt: skip

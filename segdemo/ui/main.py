"""The main script: one frame around all pages. The server in `app.py` runs it for each visitor and each interaction."""

from pathlib import Path

import streamlit as st

from segdemo.text import _, set_language
from segdemo.ui.frame import sidebar
from segdemo.ui.style import apply_style

PAGES = Path(__file__).parents[2] / "pages"


def main() -> None:
    """Navigation, the sidebar that all pages share, and the page itself."""
    set_language(st.context.locale)
    st.set_page_config(page_title="segdemo", page_icon=":material/layers:", layout="wide")
    apply_style()
    page = st.navigation([
        st.Page(PAGES / "segment.py", title=_("Segment"), icon=":material/image_search:", default=True),
        st.Page(PAGES / "weights.py", title=_("Weights"), icon=":material/database:"),
    ])  # fmt: skip
    sidebar()
    page.run()


main()

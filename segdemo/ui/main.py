"""The main script: one frame around all pages. The server in `app.py` runs it for each visitor and each interaction."""

from pathlib import Path

import streamlit as st

from segdemo.text import _, set_language
from segdemo.ui.frame import sidebar
from segdemo.ui.style import apply_style
from segdemo.ui.url import read_url, show_url_messages, write_url

ROOT = Path(__file__).parents[2]
PAGES, ASSETS = ROOT / "pages", ROOT / "assets"


def main() -> None:
    """Navigation, the sidebar that all pages share, and the page itself."""
    set_language(st.context.locale)
    st.set_page_config(page_title="segdemo", page_icon=str(ASSETS / "icon.png"), layout="wide")
    apply_style()
    st.logo(ASSETS / "logo.svg", size="large")
    page = st.navigation([
        st.Page(PAGES / "segment.py", title=_("Segment"), icon=":material/image_search:", default=True),
        st.Page(PAGES / "features.py", title=_("Feature maps"), icon=":material/grid_view:"),
        st.Page(PAGES / "compare.py", title=_("Compare"), icon=":material/compare:"),
        st.Page(PAGES / "losses.py", title=_("Losses"), icon=":material/show_chart:"),
        st.Page(PAGES / "layers.py", title=_("Layers"), icon=":material/layers:"),
        st.Page(PAGES / "training.py", title=_("Training"), icon=":material/model_training:"),
        st.Page(PAGES / "architectures.py", title=_("Architectures"), icon=":material/account_tree:"),
        st.Page(PAGES / "weights.py", title=_("Weights"), icon=":material/database:"),
    ])  # fmt: skip
    read_url(page.url_path)
    sidebar(page.url_path)
    show_url_messages()
    page.run()
    write_url()


main()

"""The few rules of style that Streamlit's theme has no option for."""

import streamlit as st

__all__ = ["apply_style"]

CSS = """
<style>
.stMainBlockContainer { padding-top: 3.2rem; padding-bottom: 2rem; max-width: 1500px; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1rem; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 3.2rem 0.8rem 1rem; } }
</style>
"""


def apply_style() -> None:
    """Tighter margins, so that a page's picture lies above the fold of a laptop."""
    st.html(CSS)

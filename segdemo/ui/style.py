"""The few rules of style that Streamlit's theme has no option for."""

import streamlit as st

__all__ = ["apply_style"]

CSS = """
<style>
.stMainBlockContainer { padding: 3.9rem 2.5rem 2rem; max-width: 1500px; }
.stMainBlockContainer h3 { font-size: 1.15rem; padding: 0.4rem 0 0; }
.stMainBlockContainer h4 { font-size: 1.05rem; padding: 0 0 0.3rem; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.82; }
[data-testid="stMetricValue"] { font-size: 1.6rem; }
[data-testid="stSidebarUserContent"] h3 { font-size: 1.05rem; padding: 0.2rem 0 0; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0 0 0.5rem; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1rem; }
/* Where nothing can hover, a table's tools always stand above it: room for them, so that they cover nothing. */
@media (hover: none), (pointer: coarse) {
  [data-testid="stElementContainer"]:has([data-testid="stDataFrame"]) { margin-top: 32px; }
}
/* Two controls of the Layers page stay side by side where Streamlit would stack columns. */
.st-key-layers_side [data-testid="stHorizontalBlock"]:has(> .stColumn:nth-child(2):last-child) {
  flex-wrap: nowrap;
  > .stColumn { min-width: 0; }
}
/* A finger finds what a slider is held by: 28 pixels, of which 18 are seen. */
@media (pointer: coarse) {
  .st-key-layers_side div:has(> [data-testid="stSliderThumbValue"]) { width: 18px; height: 18px; }
  .st-key-layers_side div:has(> [data-testid="stSliderThumbValue"])::after { content: ""; position: absolute; inset: -5px; }
}
/* On a phone the eight views of the Layers page are one row that a finger moves; the chosen one is in sight (where the
   browser cannot scroll to it, it sticks to the end), and what fades out at the right goes on. */
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 3.9rem 0.9rem 1rem; }
  .st-key-layers_head { gap: 0 0.9rem; h1 { font-size: 1.12rem; padding: 0; } button { min-height: 2rem; } }
  .st-key-layers_lead p { font-size: 0.94rem; line-height: 1.42; }
  .stMainBlockContainer [role="radio"]:not(:last-child) {
    border-right: 1px solid color-mix(in srgb, currentColor 22%, transparent) !important; margin-right: -1px !important;
  }
  .st-key-layers_view {
    &, .stButtonGroup { width: 100%; min-width: 0; }
    [role="radiogroup"] {
      flex-wrap: nowrap; overflow-x: auto; overscroll-behavior-x: contain; scrollbar-width: none; padding-right: 34px;
      mask-image: linear-gradient(to right, #000 calc(100% - 34px), transparent);
    }
    [role="radio"] { flex: none; width: auto; }
    [role="radio"][aria-checked="true"] {
      position: sticky; left: 0; right: 34px; z-index: 1;
      background: linear-gradient(color-mix(in srgb, currentColor 13%, transparent) 0 100%), Canvas;
    }
    @supports (scroll-initial-target: nearest) {
      [role="radio"][aria-checked="true"] {
        position: relative; left: auto; right: auto; scroll-initial-target: nearest; scroll-margin: 0 60px;
      }
    }
  }
}
</style>
"""


def apply_style() -> None:
    """Tighter margins, so that a page's picture lies above the fold of a laptop."""
    st.html(CSS)

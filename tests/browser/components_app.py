"""A server for the components alone: one page of made-up data, and the pictures it refers to."""

from pathlib import Path

import streamlit as st
from starlette.routing import Route

from segdemo.ui.media import serve_media

page = Path(__file__).with_name("components_page.py")
app = st.App(page, routes=[Route("/api/media/{token:str}", serve_media)])

"""The server: `streamlit run app.py`, or `uvicorn app:app`. The pages are run by segdemo/ui/main.py.

Streamlit would treat `pages/` beside the script it runs as pages of its own; therefore the script that it runs lies in
the package, and names the pages itself. Cold deep links to every page work this way.
"""

from pathlib import Path

import streamlit as st

from segdemo.ui.server import MIDDLEWARE, ROUTES, lifespan

app = st.App(Path(__file__).parent / "segdemo" / "ui" / "main.py", lifespan=lifespan, routes=ROUTES, middleware=MIDDLEWARE)

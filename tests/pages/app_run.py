"""What every page test asks of a headless run."""

from streamlit.testing.v1 import AppTest

__all__ = ["sound"]


def sound(app: AppTest) -> AppTest:
    """The run, in which nothing failed: otherwise the test does, with the page's own traceback."""
    assert not app.exception, "\n".join("\n".join(e.stack_trace) for e in app.exception)
    return app

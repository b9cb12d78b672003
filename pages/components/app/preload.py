"""The imports of the first pages, done in a thread once the server serves: half a second that nobody waits for."""

import logging
from importlib import import_module

MODULES = (
    "numpy",  # Streamlit imports it for the icon of a page.
    "PIL.Image",
    "streamlit.material_icon_names",
    "streamlit.web.skills",
    "pages.components.app.navigation",
    "pages.components.app.sidebar",
    "pages.components.public_link.public_sheet",
    "pages.components.sign_in.sign_in",
    "pages.components.sign_in.sign_out",
    "pages.components.sheet.sheet_picker",
    "core.pipeline.figures",
    "pages.components.dashboard.chart_grid",
    "pages.components.dashboard.filters",
    "pages.components.dashboard.headline",
    "plotly.tools",
    "plotly.graph_objs._figure",
    "plotly.graph_objs._bar",
    "plotly.graph_objs._scatter",
)


def preload() -> None:
    """Import the modules that the first page, and the first dashboard, would otherwise import."""
    # Components are declared at import, and Streamlit warns of that outside the run of a page.
    logger = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    logger.disabled = True
    try:
        for name in MODULES:
            import_module(name)
    finally:
        logger.disabled = False

"""The script: who is asking, the way in for strangers, and the navigation for everybody else."""

import streamlit as st

from pages.components import sign_in
from pages.components.errors import shown_errors
from pages.components.navigation import offered
from pages.components.who import find_actor

st.set_page_config(page_title="Contrivance", page_icon=":material/filter_alt:", layout="wide")

with shown_errors():
    actor = find_actor()
    if actor is None:
        st.navigation([st.Page(sign_in.show, title="Contrivance", default=True)], position="hidden").run()
    else:
        st.navigation(offered(actor)).run()

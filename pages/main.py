"""The script: who is asking, the way in for strangers, and the navigation for everybody else."""

from pathlib import Path

import streamlit as st

from core.sheets.favourites import navigation_sheets
from db import disk
from db.engine import snapshot
from pages.components.app import favourite_star, sidebar, zone_offer
from pages.components.app.current_user import find_actor, page_run
from pages.components.app.errors import error_boundary
from pages.components.app.navigation import for_strangers, for_visitors, offered
from pages.components.public_link import public_sheet
from pages.components.sign_in import email_link, oidc_return, sign_in, sign_out

# A picture of our own: a Material symbol as page icon would be fetched from a foreign host.
ICON = Path(__file__).parent / "components" / "icon.png"
st.set_page_config(page_title="Contrivance", page_icon=str(ICON), layout="wide")

if disk.is_full():
    st.warning(disk.FULL, icon=":material/storage:")
with error_boundary():
    actor = find_actor(mark_seen=True)  # Fragments that refresh themselves do not come by here: an idle page is idle.
    if public_sheet.is_open():
        st.navigation(for_visitors(public_sheet.show), position="hidden").run()
    elif actor is None or email_link.is_open() or oidc_return.is_open():
        st.navigation(for_strangers(sign_in.show), position="hidden").run()
    elif sign_out.is_wanted():
        st.navigation(for_strangers(sign_out.show), position="hidden").run()
    else:
        with snapshot() as session:
            sheets = navigation_sheets(session, actor)
        favourite_star.remember(sheets)
        page = st.navigation(offered(actor, sheets), expanded=True)
        sign_out.offer(actor)
        sidebar.show_foot()
        sign_in.remind_of_invitation(actor)
        zone_offer.show(actor)
        sidebar.show_administration(actor, page.url_path)
        with page_run(actor):
            page.run()

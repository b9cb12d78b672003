"""The view bar: search, filter and sort of a sheet, each with chips that open what they show for editing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from core.access.access import Access
from core.accounts.locale import Locale
from core.rows.query import MAX_SEARCH, Sort, View
from pages.components.app.format import literal, shortened
from pages.components.sheet.filter_draft import DraftNode
from pages.components.sheet.filter_editor import FilterEditor
from pages.components.sheet.filter_text import FilterText
from pages.components.sheet.sort_editor import SortEditor

LONGEST = 60


@dataclass(frozen=True)
class ViewBar:
    """A sheet's view and what to do with a changed one: `keep`, and `leave` for a view that came with a link.

    Both are called in callbacks. The bar is a fragment: what changes only its fields does not draw the page again.
    """

    access: Access
    view: View
    keep: Callable[[View], None]
    leave: Callable[[], None] | None
    locale: Locale

    def show(self) -> None:
        """Search, filter and sort, then one chip for each thing that narrows or orders the rows."""
        _draw(self)

    def draw(self) -> None:
        """Draw the bar; the page runs again where one of its fields has changed the view."""
        if st.session_state.pop(self._key("changed"), False):
            st.rerun()
        self._search()
        self._popover("Filter", "filter", ":material/filter_list:", lambda key: self._filter_editor(key).show())
        self._popover("Sort", "sort", ":material/swap_vert:", self._sort_editor)
        if self.leave:
            note = "This view comes from a link. It is not remembered."
            st.button("Back to my view", type="tertiary", icon=":material/undo:", help=note, on_click=self._leave)
        self._chips()
        if not self.leave and len(self.view.filter) + len(self.view.sort) + bool(self.view.search) > 1:
            st.button("Clear all", type="tertiary", key=self._key("clear"), on_click=self._change, args=(View(),))

    def _chips(self) -> None:
        text = FilterText(self.access, self.locale)
        for node, draft in zip(self.view.filter, self._filter_editor("").parts(), strict=True):
            show = partial(self._show_part, draft)
            self._popover(text.of(node), f"chip_{draft.number}", None, show)
        for sort in self.view.sort:
            self._popover(self._sorted(sort), f"sort_chip_{sort.column}", None, self._sort_editor)

    def _show_part(self, draft: DraftNode, key: str) -> None:
        self._filter_editor(key).show_part(draft)

    def _search(self) -> None:
        key = f"search_{self.access.sheet.sheet_id}"
        st.session_state[key] = self.view.search
        st.text_input(
            "Search",
            key=key,
            type="search",
            max_chars=MAX_SEARCH,
            on_change=lambda: self._change(replace(self.view, search=str(st.session_state[key] or ""))),
            label_visibility="collapsed",
            width=150,
        )

    def _popover(self, label: str, name: str, icon: str | None, content: Callable[[str], None]) -> None:
        """Draw a button that opens an editor. What is in it is only made while it is open."""
        text = literal(shortened(label, LONGEST))
        with st.popover(text, icon=icon, key=self._key(name), on_change="rerun", wrap=False) as popover:
            if popover.open:
                content(self._key(name))

    def _filter_editor(self, key: str) -> FilterEditor:
        return FilterEditor(self.access, self.view, partial(self._change, editor=key), self.locale, key)

    def _sort_editor(self, key: str) -> None:
        SortEditor(self.access, self.view, partial(self._change, editor=key), key).show()

    def _sorted(self, sort: Sort) -> str:
        return f"{self.access.column(sort.column).name} {'↓' if sort.descending else '↑'}"

    def _change(self, view: View, *, editor: str = "") -> None:
        """Hand over a changed view. The editor where it was changed stays open, though its button has another text."""
        if editor:
            st.session_state[editor] = True
        self.keep(view)
        st.session_state[self._key("changed")] = True

    def _leave(self) -> None:
        if self.leave:
            self.leave()
        st.session_state[self._key("changed")] = True

    def _key(self, name: str) -> str:
        return f"view_{self.access.sheet.sheet_id}_{name}"


@st.fragment
def _draw(view_bar: ViewBar) -> None:
    # A fragment stacks what it draws, whatever the container around it does.
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        view_bar.draw()

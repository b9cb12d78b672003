"""The editor of a view's order: several columns, each with its direction, the first one deciding first."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from core.access.access import Access
from core.rows.query import Sort, View

MAX_SORTS = 5
DIRECTIONS = {False: "ascending", True: "descending"}


@dataclass(frozen=True)
class SortEditor:
    """Edits the sorts of a view in fields; `keep` gets each changed view. Calls it in callbacks only."""

    access: Access
    view: View
    keep: Callable[[View], None]
    key: str

    def show(self) -> None:
        """Draw the sorts in order, and the field that adds one."""
        for position, sort in enumerate(self.view.sort):
            self._sort(position, sort)
        if len(self.view.sort) < MAX_SORTS:
            self._add_field()
        if self.view.sort:
            st.button("Clear", type="tertiary", key=f"{self.key}_clear", on_click=self._set, args=((),))

    def _sort(self, position: int, sort: Sort) -> None:
        # The keys change with what the fields show, so that each field starts with the sort of its place.
        key = f"{self.key}_{position}_{sort.column}_{sort.descending}"
        names = {column_id: column.name for column_id, column in self.access.by_id.items()}
        others = {other.column for other in self.view.sort} - {sort.column}
        offered = [column_id for column_id in names if column_id not in others]
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.selectbox(
                "Sort by" if position == 0 else "then by",
                offered,
                index=offered.index(sort.column),
                format_func=names.__getitem__,
                key=f"{key}_column",
                label_visibility="collapsed",
                width=180,
                on_change=lambda: self._replace(position, replace(sort, column=st.session_state[f"{key}_column"])),
            )
            st.selectbox(
                "Direction",
                list(DIRECTIONS),
                index=int(sort.descending),
                format_func=DIRECTIONS.__getitem__,
                key=f"{key}_direction",
                label_visibility="collapsed",
                width=130,
                on_change=lambda: self._replace(
                    position, replace(sort, descending=st.session_state[f"{key}_direction"])
                ),
            )
            st.button(
                ":material/arrow_upward:",
                type="tertiary",
                key=f"{key}_up",
                disabled=position == 0,
                help="Sort by this column earlier",
                on_click=self._move_up,
                args=(position,),
            )
            st.button(
                ":material/close:",
                type="tertiary",
                key=f"{key}_remove",
                help=f"Remove {names[sort.column]} from the order",
                on_click=self._replace,
                args=(position, None),
            )

    def _add_field(self) -> None:
        used = {sort.column for sort in self.view.sort}
        names = {column_id: column.name for column_id, column in self.access.by_id.items() if column_id not in used}
        key = f"{self.key}_add_{len(self.view.sort)}"
        st.selectbox(
            "Sort by" if not used else "Then by",
            list(names),
            index=None,
            format_func=names.__getitem__,
            key=key,
            placeholder="Sort by …" if not used else "Then by …",
            label_visibility="collapsed",
            width=180,
            on_change=lambda: self._set((*self.view.sort, Sort(st.session_state[key]))),
        )

    def _replace(self, position: int, sort: Sort | None) -> None:
        self._set((*self.view.sort[:position], *([sort] if sort else []), *self.view.sort[position + 1 :]))

    def _move_up(self, position: int) -> None:
        sorts = list(self.view.sort)
        sorts.insert(position - 1, sorts.pop(position))
        self._set(tuple(sorts))

    def _set(self, sorts: tuple[Sort, ...]) -> None:
        self.keep(replace(self.view, sort=sorts))

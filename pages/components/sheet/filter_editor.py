"""The editor of a filter: conditions and groups of them, each changed and removed in its place."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from core.access.access import Access
from core.accounts.locale import Locale
from core.column_types import column_type
from core.rows.filter_tree import MAX_CONDITIONS, Join
from core.rows.query import View
from pages.components.app.format import literal
from pages.components.sheet import filter_draft
from pages.components.sheet.filter_draft import DraftCondition, DraftGroup, DraftNode
from pages.components.sheet.filter_text import filter_columns
from pages.components.sheet.filter_values import ValueFields

JOINS: dict[Join, str] = {"all": "Where all of these hold", "any": "Where any of these holds"}


@dataclass(frozen=True)
class FilterEditor:
    """Edits the filter of a view in fields; `keep` gets each changed view. Calls it in callbacks only."""

    access: Access
    view: View
    keep: Callable[[View], None]
    locale: Locale
    key: str

    @property
    def draft(self) -> DraftGroup:
        """The draft of this sheet's filter in this browser; a new one where the view was changed elsewhere."""
        draft: DraftGroup | None = st.session_state.get(self._draft_name)
        if draft is None or filter_draft.filter_of(draft) != self.view.filter:
            draft = st.session_state[self._draft_name] = filter_draft.draft_of(self.view.filter)
        return draft

    def show(self) -> None:
        """Draw the whole filter, and what adds to it."""
        draft = self.draft
        if draft.nodes:
            self._group(draft, depth=0)
        else:
            st.caption("All rows are shown. Add a condition to see some of them.")
        self._add_buttons(draft, with_group=bool(draft.nodes))

    def parts(self) -> list[DraftNode]:
        """Return the drafts of what the view's filter consists of, in its order."""
        draft = self.draft
        nodes = filter_draft.complete_nodes(draft)
        return [draft] if draft.join == "any" and len(nodes) > 1 else nodes

    def show_part(self, draft: DraftNode) -> None:
        """Draw one part of the filter, as it is edited in its chip."""
        if isinstance(draft, DraftCondition):
            self._condition(draft)
        else:
            self._group(draft, depth=1)
            self._add_buttons(draft, with_group=False)

    def _node(self, node: DraftNode, *, depth: int) -> None:
        if isinstance(node, DraftCondition):
            self._condition(node)
            return
        with st.container(border=True, gap="small"):
            self._group(node, depth=depth + 1)
            self._add_buttons(node, with_group=False)

    def _group(self, group: DraftGroup, *, depth: int) -> None:
        if len(group.nodes) > 1 or depth:
            self._join(group)
        for node in group.nodes:
            self._node(node, depth=depth)

    def _join(self, group: DraftGroup) -> None:
        key = self._key(group, "join")

        def change() -> None:
            group.join = st.session_state[key]
            self._apply()

        st.selectbox(
            "Rows where",
            list(JOINS),
            index=list(JOINS).index(group.join),
            format_func=JOINS.__getitem__,
            key=key,
            on_change=change,
            label_visibility="collapsed",
            width=220,
        )

    def _condition(self, node: DraftCondition) -> None:
        columns = filter_columns(self.access)
        filters = column_type(columns[node.column].type).filters
        column_key, op_key = self._key(node, "column"), self._key(node, f"op_{node.column}")

        def change_column() -> None:
            new = filter_draft.new_condition(columns[st.session_state[column_key]])
            node.column, node.op, node.value = new.column, new.op, None
            changed()

        def change_op() -> None:
            old, node.op = node.op, st.session_state[op_key]
            if filters[old].takes != filters[node.op].takes:
                node.value = None
            changed()

        def changed() -> None:
            takes = column_type(columns[node.column].type).filters[node.op].takes
            filter_draft.check(self.access, node, takes)
            self._apply()

        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.selectbox(
                "Column",
                list(columns),
                index=list(columns).index(node.column),
                format_func=lambda column_id: columns[column_id].name,
                key=column_key,
                on_change=change_column,
                label_visibility="collapsed",
                width=150,
            )
            st.selectbox(
                "Condition",
                list(filters),
                index=list(filters).index(node.op),
                format_func=lambda op: filters[op].label,
                key=op_key,
                on_change=change_op,
                label_visibility="collapsed",
                width=140,
            )
            key = self._key(node, f"{node.column}_{filters[node.op].takes}")
            ValueFields(self.access, columns[node.column], node, self.locale, key, changed).show(filters[node.op].takes)
            self._remove_button(node, f"Remove the condition on {columns[node.column].name}")
        if node.error:
            st.caption(f":red[{literal(node.error)}]")

    def _remove_button(self, node: DraftNode, label: str) -> None:
        st.button(
            ":material/close:",
            type="tertiary",
            key=self._key(node, "remove"),
            on_click=self._remove,
            args=(node,),
            help=literal(label),
        )

    def _add_buttons(self, group: DraftGroup, *, with_group: bool) -> None:
        is_full = sum(1 for _ in filter_draft.conditions_in(self.draft)) >= MAX_CONDITIONS
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Add condition",
                icon=":material/add:",
                type="tertiary",
                key=self._key(group, "add"),
                disabled=is_full,
                on_click=self._add,
                args=(group,),
            )
            if with_group:
                st.button(
                    "Add group",
                    icon=":material/library_add:",
                    type="tertiary",
                    key=self._key(group, "add_group"),
                    disabled=is_full,
                    help="Conditions of their own “all” or “any”, inside this filter.",
                    on_click=self._add_group,
                    args=(group,),
                )
            if self.view.filter and group is self.draft:
                st.button(
                    "Clear",
                    type="tertiary",
                    key=self._key(group, "clear"),
                    on_click=self.keep,
                    args=(replace(self.view, filter=()),),
                )

    def _add(self, group: DraftGroup) -> None:
        group.nodes.append(self._new_condition())

    def _add_group(self, group: DraftGroup) -> None:
        join: Join = "any" if group.join == "all" else "all"
        group.nodes.append(DraftGroup(join, [self._new_condition()]))

    def _new_condition(self) -> DraftCondition:
        return filter_draft.new_condition(next(iter(filter_columns(self.access).values())))

    def _remove(self, node: DraftNode) -> None:
        filter_draft.remove(st.session_state[self._draft_name], node)
        self._apply()

    def _apply(self) -> None:
        """Hand over the view with the complete conditions of the draft, where they have changed."""
        nodes = filter_draft.filter_of(st.session_state[self._draft_name])
        if nodes != self.view.filter:
            self.keep(replace(self.view, filter=nodes))

    @property
    def _draft_name(self) -> str:
        return f"filter_draft_{self.access.sheet.sheet_id}"

    def _key(self, node: DraftNode, name: str) -> str:
        return f"{self.key}_{node.number}_{name}"

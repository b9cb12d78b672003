"""Import: from a CSV file to rows, step by step. Nothing is written before the last button."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import PurePath
from typing import Any, BinaryIO, TypeVar

import streamlit as st

from core.access.access import Access
from core.access.load import get_access
from core.access.people import workspace_people
from core.base.actor import Actor
from core.base.errors import Invalid, Refused
from core.base.permissions import LEVEL_PERMISSIONS, ROLE_PERMISSIONS, Permission
from core.column_types.base import References
from core.imports.format import FileFormat
from core.imports.import_job import NewSheet, enqueue_import
from core.imports.inspection import Inspection, inspect
from core.imports.load import Report
from core.imports.plan import propose
from core.imports.plan_types import ImportPlan
from core.imports.preview import Check, check, preview, refused_lines, refusing
from core.jobs.own_jobs import JobInfo
from core.limits.rate_limits import consume
from core.sheets import sheets
from core.workspace.settings import workspace_settings
from db.engine import transaction
from pages.components import download
from pages.components.app.current_user import current_actor
from pages.components.app.errors import error_boundary
from pages.components.app.format import literal
from pages.components.imports import columns, file_format, misfits, pipeline
from pages.components.imports import job as import_job

CACHE = "import_cache"
NEW_SHEET = 0
Value = TypeVar("Value")


def show(actor: Actor) -> None:
    """The page, top to bottom."""
    with st.container(width=1000):
        st.title("Import")
        job = import_job.current_job(actor)
        if job:
            _job(job)
            return
        st.caption("Bring a CSV file into a sheet. You see a preview first; nothing is written until you confirm.")
        target = _target(actor)
        sent = st.file_uploader("CSV file", key="import_file", help="Up to 10 MB here; up to 100 MB through the API.")
        if sent is None:
            st.caption("From Excel: Save as → CSV UTF-8. Any delimiter, encoding and date format works.")
            return
        _steps(actor, target, BytesIO(sent.getvalue()), sent.name, f"import_{sent.file_id}_{target}")


def _target(actor: Actor) -> int:
    """The sheet to import into: the one in the address, or a new one."""
    with transaction() as session:
        listed = sheets.sheets(session, actor)
    options = {NEW_SHEET: "A new sheet from this file"} if _may_create(actor) else {}
    fitting = [sheet for sheet in listed if Permission.ROWS_IMPORT in LEVEL_PERMISSIONS[sheet.level]]
    options |= {sheet.sheet_id: sheet.name for sheet in fitting}
    if not options:
        st.info("You can't import into any sheet. Ask an owner to share one with you as editor.")
        st.stop()
    sheet_id = st.query_params.get("sheet", "")
    ids = list(options)
    first = ids.index(int(sheet_id)) if sheet_id.isdigit() and int(sheet_id) in ids else 0
    return int(st.selectbox("Into", ids, first, format_func=options.__getitem__, key=f"import_target_{sheet_id}"))


def _may_create(actor: Actor) -> bool:
    return Permission.SHEETS_CREATE in ROLE_PERMISSIONS[actor.role]


def _steps(actor: Actor, target: int, file: BinaryIO, name: str, key: str) -> None:
    with transaction() as session:
        access = get_access(session, actor, target, Permission.ROWS_IMPORT) if target else None
        references = access.references if access else References(partial(workspace_people, session))
        references = references.loaded()
        currency = access.currency if access else workspace_settings(session).currency
    inspection = _read_file(file, [column.name for column in access.columns] if access else [], key)
    if inspection is None:
        return
    key = f"{key}_{abs(hash(inspection.format))}"
    plan = _cached(
        "plan", (key, _version(access)), lambda: propose(inspection, access, references=references, currency=currency)
    )
    st.subheader("Columns")
    plan = columns.show(inspection, plan, access, references, key, currency=currency)
    parts: dict[str, int] = {}
    sheet_name = ""
    if access is None:
        st.subheader("The new sheet")
        sheet_name = st.text_input("Name", _proposed_name(name), key=f"{key}_name", max_chars=120)
        plan, parts = pipeline.show(plan, key)
    elif any(column.default_value for column in access.columns):
        fills = st.checkbox("Fill empty cells with the defaults of their columns", key=f"{key}_defaults")
        plan = replace(plan, fills_defaults=fills)
    request = _Request(file, inspection, plan, access, references, sheet_name, parts)
    _check(actor, request, key)


@dataclass(frozen=True)
class _Request:
    """The settings of an import."""

    file: BinaryIO
    inspection: Inspection
    plan: ImportPlan
    access: Access | None
    references: References
    name: str
    parts: dict[str, int]


def _read_file(file: BinaryIO, column_names: list[str], key: str) -> Inspection | None:
    """Read the file, as detected or with the user's settings; show an error and return None if it cannot be read."""
    st.subheader("The file")
    summary = st.container()
    detected, refusal = _cached("detected", key, lambda: _inspect(file, {}, column_names))
    with st.expander("Read the file differently", icon=":material/tune:"):
        changes = file_format.choices(detected.format if detected else FileFormat(), key)
    inspection = detected
    if changes:
        inspection, refusal = _cached(
            "chosen", (key, tuple(changes.items())), lambda: _inspect(file, changes, column_names)
        )
    with summary:
        if inspection is None:
            st.error(literal(refusal), icon=":material/error:")
        else:
            file_format.summary(inspection)
    return inspection


def _inspect(file: BinaryIO, changes: dict[str, Any], column_names: list[str]) -> tuple[Inspection | None, str]:
    try:
        return inspect(file, changes, column_names=column_names), ""
    except Invalid as refusal:
        return None, refusal.message


def _check(actor: Actor, request: _Request, key: str) -> None:
    """Show the misfits with the decisions on them, a preview, and the import button."""
    plan, access, references = request.plan, request.access, request.references
    if access is None and not request.name.strip():
        st.info("Give the new sheet a name.", icon=":material/edit:")
        return
    try:
        result: Check = _cached(
            "checked",
            (key, repr(plan.columns), _version(access)),
            lambda: check(request.file, plan, access, references=references),
        )
    except Refused as refusal:
        st.error(literal(refusal.message), icon=":material/error:")
        return
    if result.misfits:
        st.subheader("Values that do not fit")
        plan = misfits.show(plan, result, key)
        _offer_lines(replace(request, plan=plan))
    st.subheader("Preview")
    st.dataframe(preview(request.inspection, plan, access, references=references), hide_index=True)
    _last_step(actor, replace(request, plan=plan), result)


def _offer_lines(request: _Request) -> None:
    """Offer the refused lines as a download, made on click."""
    if st.button("Download these lines as CSV", icon=":material/download:"):
        lines = refused_lines(request.file, request.plan, request.access, references=request.references)
        download.text_file("lines-to-mend.csv", f"\ufeff{lines}", "text/csv", key="lines_to_mend")


def _last_step(actor: Actor, request: _Request, result: Check) -> None:
    open_columns = refusing(request.plan, result, request.access)
    if open_columns:
        column_names = ", ".join(f"“{literal(name)}”" for name in open_columns)
        st.info(
            f"Decide above what to do with the values of {column_names} that do not fit.",
            icon=":material/arrow_upward:",
        )
    into = request.name.strip() if request.access is None else request.access.sheet.name
    new_count = sum(1 for column in request.plan.taken if column.new)
    st.markdown(
        f"**{result.rows:,} rows** into **{literal(into)}**"
        + (f", with {new_count} new {'columns' if new_count > 1 else 'column'}" if new_count and request.access else "")
        + ". Either all rows are imported, or none."
    )
    if st.button(
        f"Import {result.rows:,} rows", type="primary", icon=":material/upload_file:", disabled=bool(open_columns)
    ):
        _start(actor, request)


def _start(actor: Actor, request: _Request) -> None:
    consume("import", actor.user_id)
    target = request.access.sheet.sheet_id if request.access else NewSheet(request.name, request.parts)
    with transaction() as session:
        job_id = enqueue_import(session, actor, target, request.file, request.plan)
    st.session_state.pop(CACHE, None)
    import_job.name_in_address(job_id)
    st.rerun()


def _job(job: JobInfo) -> None:
    """An import that was started: its progress, then what it did, or why it did nothing."""
    if job.is_unfinished:
        import_job.watch(job.job_id)
        return
    is_done = job.state == "done"
    if is_done:
        _done(Report.from_json(job.details or {}))
    else:
        st.error(literal(import_job.refusal(job)), icon=":material/error:")
    if st.button("Import another file" if is_done else "Start again", icon=":material/arrow_back:"):
        import_job.leave()
        st.rerun()


def _done(report: Report) -> None:
    actor = current_actor()
    with transaction() as session:
        sheet = get_access(session, actor, report.sheet).sheet
    st.success(f"{report.rows:,} rows are in “{literal(sheet.name)}”.", icon=":material/check_circle:")
    column_names = [literal(name) for name in report.columns]
    facts = {
        "New columns": ", ".join(column_names),
        "New options": ", ".join(map(literal, report.options)),
        "Cells left empty": f"{report.emptied:,}" if report.emptied else "",
        "Lines left out": f"{len(report.left_out):,}" if report.left_out else "",
    }
    for label, fact in facts.items():
        if fact:
            st.caption(f"{label}: {fact}")
    query = {"sheet": str(report.sheet)}
    with st.container(horizontal=True):
        st.page_link("work/grid.py", label="Open the sheet", icon=":material/grid_on:", query_params=query)
        if sheet.pipeline:
            st.page_link("insight/dashboard.py", label="Dashboard", icon=":material/monitoring:", query_params=query)


def _proposed_name(file_name: str) -> str:
    words = PurePath(file_name).stem.replace("_", " ").replace("-", " ").split()
    name = " ".join(words)[:120]
    return name[:1].upper() + name[1:]


def _version(access: Access | None) -> tuple[int, int]:
    return (access.sheet.sheet_id, access.sheet.columns_version) if access else (NEW_SHEET, 0)


def _cached(name: str, key: object, make: Callable[[], Value]) -> Value:
    """Return the cached value of a key, or make it: the file is read again only if something about it changed."""
    cache: dict[str, tuple[object, Any]] = st.session_state.setdefault(CACHE, {})
    if name not in cache or cache[name][0] != key:
        cache[name] = (key, make())
    value: Value = cache[name][1]
    return value


with error_boundary():
    show(current_actor())

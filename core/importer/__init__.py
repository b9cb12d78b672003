"""Import of CSV files: inspect the file, propose a plan, check and preview it, then load it, all or nothing."""

from core.importer.encoding import ENCODINGS
from core.importer.format import DELIMITERS, QUOTES, FileFormat
from core.importer.inspection import MAX_BYTES, Inspection, inspect
from core.importer.loading import Report, import_new_sheet, import_rows
from core.importer.plan import (
    ColumnPlan,
    OnMisfit,
    Plan,
    existing_column,
    missing_labels,
    new_column,
    plan_from_json,
    propose,
)
from core.importer.preview import Check, check, preview, refused_lines, refusing
from core.importer.stages import as_stages, guess_parts, stages_of

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MAX_BYTES",
    "QUOTES",
    "Check",
    "ColumnPlan",
    "FileFormat",
    "Inspection",
    "OnMisfit",
    "Plan",
    "Report",
    "as_stages",
    "check",
    "existing_column",
    "guess_parts",
    "import_new_sheet",
    "import_rows",
    "inspect",
    "missing_labels",
    "new_column",
    "plan_from_json",
    "preview",
    "propose",
    "refused_lines",
    "refusing",
    "stages_of",
]

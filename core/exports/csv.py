"""CSV: RFC 4180, canonical texts, and nothing in it that a spreadsheet would run."""

import csv
import io
from typing import IO

from core.base.spreadsheet_text import escape_formula
from core.exports.source import ExportSource


def write_csv(file: IO[bytes], source: ExportSource) -> int:
    """Write the records as UTF-8 text, behind a byte-order mark where Excel shall open it; how many."""
    text = io.TextIOWrapper(file, "utf-8-sig" if source.bom else "utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    keys = [(column.key, source.writer(column)) for column in source.columns]
    writer.writerow([escape_formula(column.name) for column in source.columns])
    count = 0
    for records in source.blocks:
        writer.writerows(
            [[escape_formula(write(record[key])) if key in record else "" for key, write in keys] for record in records]
        )
        count += len(records)
    text.detach()
    return count

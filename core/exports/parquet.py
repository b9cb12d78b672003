"""Parquet: typed columns for dataframes; decimals stay exact, dates are days, instants are in UTC."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import chain
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.access.access import ColumnInfo
from core.base.exact_json import CellError
from core.column_types import column_type
from core.column_types.traits import Form
from core.exports.source import ExportSource, Record

_GROUP = 20  # Blocks to a row group: 20,000 rows.
# Every number that a cell can hold: 15 digits before and 10 after the decimal mark.
_DECIMAL = pa.decimal128(25, 10)
_ARROW_TYPES: dict[Form, Any] = {
    Form.TEXT: pa.string(),
    Form.LIST: pa.list_(pa.string()),
    Form.NUMBER: _DECIMAL,
    Form.MONEY: _DECIMAL,
    Form.PERCENT: _DECIMAL,
    Form.DAY: pa.date32(),
    Form.INSTANT: pa.timestamp("s", tz="UTC"),
    Form.BOOLEAN: pa.bool_(),
}


def write_parquet(file: IO[bytes], source: ExportSource) -> int:
    """Write the records in groups of some thousand rows; how many."""
    schema = pa.schema([(column.name, _ARROW_TYPES[column_type(column.type).form]) for column in source.columns])
    makers = [(column.key, _maker(source, column)) for column in source.columns]
    count, waiting = 0, list[list[Record]]()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for block in source.blocks:
            waiting.append(block)
            count += len(block)
            if len(waiting) == _GROUP:
                writer.write_table(_table(waiting, schema, makers))
                waiting = []
        writer.write_table(_table(waiting, schema, makers))
    return count


def _table(blocks: list[list[Record]], schema: Any, makers: list[tuple[str, Callable[[Any], Any]]]) -> Any:
    records = [*chain.from_iterable(blocks)]
    # A typed column of Parquet cannot hold the reason of an error: its cell is null.
    arrays = [
        pa.array(
            [None if isinstance(value := record.get(key), CellError | None) else make(value) for record in records],
            field.type,
        )
        for (key, make), field in zip(makers, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _maker(source: ExportSource, column: ColumnInfo) -> Callable[[Any], Any]:
    """What turns a stored value into one that Arrow takes."""
    kind = column_type(column.type)
    if kind.is_number or kind.form is Form.BOOLEAN:
        return lambda value: value
    if kind.form is Form.DAY:
        return date.fromisoformat
    if kind.form is Form.INSTANT:
        return lambda value: datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=UTC)
    if kind.form is Form.LIST:
        labels = kind.labels(column, source.references)
        return lambda value: [labels.get(item, item) for item in value]
    return source.writer(column)

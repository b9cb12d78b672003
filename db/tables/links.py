"""The table of links: which rows the cells of relations name. Triggers derive it from `rows`; all others read it."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table

from db.tables.sheets import Base

# A link of a row in the trash stays: it is not shown, and comes back with the row. `place` is the order in the cell.
links = Table(
    "links",
    Base.metadata,
    Column("sheet_id", BigInteger, primary_key=True, autoincrement=False),
    Column("column_id", Integer, primary_key=True, autoincrement=False),
    Column("row_id", Integer, primary_key=True, autoincrement=False),
    Column("target_row", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, nullable=False),
    Index("ix_links_target", "sheet_id", "column_id", "target_row", "row_id"),
)

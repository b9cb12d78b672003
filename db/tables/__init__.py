"""The tables as SQLAlchemy models."""

import importlib
import pkgutil

from sqlalchemy import MetaData


def all_tables() -> MetaData:
    """Return the metadata of all tables, after importing every module of this package."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    from db.tables.sheets import Base  # noqa: PLC0415 - Its package is this one.

    return Base.metadata

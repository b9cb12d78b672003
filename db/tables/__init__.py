"""The tables as SQLAlchemy knows them."""

import importlib
import pkgutil

from sqlalchemy import MetaData


def all_tables() -> MetaData:
    """Every table of the product, whichever modules have been imported before."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    from db.tables.sheets import Base  # noqa: PLC0415 - Its package is this one.

    return Base.metadata

"""Formulas: a small typed language over the cells of a row, compiled to SQL and never run as code."""

"""Sheets and columns: commands and templates."""

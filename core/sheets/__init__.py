"""Sheets and columns: commands, templates, layouts."""

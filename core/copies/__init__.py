"""Copies of sheets, and templates that people have saved."""

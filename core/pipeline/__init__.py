"""Stages, figures and breakdowns of a sales pipeline."""

"""Workspace settings: what holds for everybody who has not chosen for themselves."""

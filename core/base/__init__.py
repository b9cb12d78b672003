"""Basics for every package: errors, permissions, actors, rights notifications, exact JSON. Imports no other package."""

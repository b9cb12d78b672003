"""The change log: history of rows and cells, changes since a version, difference of two moments."""

"""Stored views of a sheet: their settings, what each person changed on them, and the commands on them."""

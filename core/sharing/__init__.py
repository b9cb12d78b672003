"""Shares, teams, public links, transfer of ownership."""

"""Passwords, sessions, tickets, access tokens, and their revocation."""

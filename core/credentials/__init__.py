"""Passwords, sessions, login tickets and access tokens, and their revocation."""

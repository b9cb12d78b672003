"""People: accounts, invitations, registration, preferences."""

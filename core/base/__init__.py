"""Words that every package uses: errors, permissions, actors, notices, exact JSON. Imports no other package of core."""

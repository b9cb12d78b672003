"""Administration of the workspace, its health, and the deletion of expired data."""

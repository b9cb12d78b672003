"""Administration of the workspace, its health, and the deletion of what has expired."""

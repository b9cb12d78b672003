"""Who may see and do what in a sheet: the gate that every read and write passes."""

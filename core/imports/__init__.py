"""Import of CSV files: inspect the file, propose a plan, check and preview it, then load it, all or nothing."""

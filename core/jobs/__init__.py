"""Background work: jobs in PostgreSQL, each run by one worker at a time, again after a failure, once in effect."""

"""What runs in the background: every kind of job with its handler."""

"""The notifications sent to users."""
